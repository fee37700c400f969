/**
 * What people read: the sentences of the mails and of the engine's own pages, one file a language. Sentences hold
 * `${names}`, never markup or code. Another language is another file of the same type and its line in `languages`.
 * Wire messages of the IDX protocol are not here: their keys and texts are the protocol's.
 */
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { isLanguageTag } from './format.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import type { Words } from './words.ts'

export type { Words } from './words.ts'

/** Every language there is, by its tag (BCP 47). */
export const languages: Readonly<Record<string, Words>> = { en, de, es, fr, ja, ar }

/**
 * The closest of some language tags: `de-AT` is served by `de-AT`, then by `de`, then by English. Several locales with
 * commas between them are tried one after the other.
 */
export function languageFor(locales: string | undefined, among = Object.keys(languages)): string {
  for (const locale of (locales ?? '').split(',')) {
    const wanted = locale.trim().replaceAll('_', '-').toLowerCase()
    for (let tag = wanted; tag !== ''; tag = tag.includes('-') ? tag.slice(0, tag.lastIndexOf('-')) : '') {
      const found = among.find((language) => language.toLowerCase() === tag)
      if (found !== undefined) return found
    }
  }
  return 'en'
}

/** The tags of an Accept-Language header (RFC 9110, section 12.5.4), the best first; at most ten, with commas between. */
export function acceptedLocales(header: string | undefined): string | undefined {
  const tags = (header ?? '')
    .slice(0, 500)
    .split(',')
    .flatMap((part) => {
      const [tag = '', ...parameters] = part.split(';').map((text) => text.trim())
      const quality = Number(parameters.find((text) => /^q=/i.test(text))?.slice(2) ?? 1)
      return isLanguageTag(tag) && quality > 0 ? [{ tag, quality }] : []
    })
    .toSorted((left, right) => right.quality - left.quality)
  return tags.length === 0
    ? undefined
    : tags
        .slice(0, 10)
        .map(({ tag }) => tag)
        .join(',')
}

/** The words for a locale such as `de-AT`, or for the first of several; English where there are none. */
export const wordsFor = (locales: string | undefined): Words => languages[languageFor(locales)] ?? en

/** Puts values in the places of their `${names}`. Plain text: the caller escapes. A name without a value stays as it is. */
export const fill = (sentence: string, values: Readonly<Record<string, string>>): string =>
  sentence.replace(/\$\{([\w.]+)\}/g, (place, name: string) => values[name] ?? place)

export { dateInWords, directionOf, isLanguageTag, spanInWords, timeInWords } from './format.ts'
