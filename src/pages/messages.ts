import { fill, type PageWords } from '../i18n/index.ts'
import type { IdxMessage } from './response.ts'

/**
 * The sentence of a message in the language of the page; where there is none, as the protocol words it. What
 * stands in a message of a hook or of a rule is the same in every language.
 */
export function messageText({ message, i18n }: IdxMessage, words: PageWords): string {
  const own: Readonly<Record<string, string>> = words.messages
  const sentence = i18n && Object.hasOwn(own, i18n.key) ? own[i18n.key] : undefined
  const params = Object.fromEntries(
    (i18n?.params ?? []).map((value, index) => [String(index), String(value)]),
  )
  return sentence === undefined ? message : fill(sentence, params)
}

export const isError = ({ class: kind }: IdxMessage): boolean => kind === 'ERROR'
