import { fill, languageFor, spanInWords, wordsFor } from '../../i18n/index.ts'
import type { TextChannel, TextVariables } from './definitions.ts'

export interface RenderedText {
  readonly text: string
  /** The language of the text (BCP 47). */
  readonly language: string
}

/**
 * The words of a text message or a call. A text ends with the code bound to the domain of the page that asks for it
 * (`@host #123456`), so that a browser fills it in there and nowhere else; a call says the code sign by sign, twice.
 */
export function renderText(
  channel: TextChannel,
  { code, host, org, lifetimeMs }: TextVariables,
  locale: string | undefined,
): RenderedText {
  const language = languageFor(locale)
  const { text: words } = wordsFor(locale)
  const values = {
    code,
    digits: [...code].join(', '),
    'org.name': org,
    lifetime: spanInWords(language, lifetimeMs),
  }
  if (channel === 'voice') {
    const said = [words.call, words.callAgain].map((sentence) => fill(sentence, values))
    return { text: said.join(' '), language }
  }
  const sentences = [words.code, words.keep].map((sentence) => fill(sentence, values)).join(' ')
  return { text: host === undefined ? sentences : `${sentences}\n\n@${host} #${code}`, language }
}
