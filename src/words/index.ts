/**
 * What people read: the sentences of the mails and of the engine's own pages, one file a language. Sentences hold
 * `${names}`, never markup or code. Another language is another file of the same type and its line in `languages`.
 * Wire messages of the IDX protocol are not here: their keys and texts are the protocol's.
 */
import { en } from './en.ts'

type DeepReadonly<T> = { readonly [K in keyof T]: T[K] extends string ? T[K] : DeepReadonly<T[K]> }

/** The catalogue of one language. English is complete by definition and gives the type. */
export type Words = DeepReadonly<typeof en>

/** Every language there is, by its tag (BCP 47). */
export const languages: Readonly<Record<string, Words>> = { en }

/** The closest of some language tags: `de-AT` is served by `de-AT`, then by `de`, then by English. */
export function languageFor(locale: string | undefined, among = Object.keys(languages)): string {
  const wanted = (locale ?? '').replaceAll('_', '-').toLowerCase()
  for (let tag = wanted; tag !== ''; tag = tag.includes('-') ? tag.slice(0, tag.lastIndexOf('-')) : '') {
    const found = among.find((language) => language.toLowerCase() === tag)
    if (found !== undefined) return found
  }
  return 'en'
}

/** The words for a locale such as `de-AT`, or English where there are none. */
export const wordsFor = (locale: string | undefined): Words => languages[languageFor(locale)] ?? en

/** Puts values in the places of their `${names}`. Plain text: the caller escapes. A name without a value stays as it is. */
export const fill = (sentence: string, values: Readonly<Record<string, string>>): string =>
  sentence.replace(/\$\{([\w.]+)\}/g, (place, name: string) => values[name] ?? place)

export { dateInWords, directionOf, isLanguageTag, spanInWords, timeInWords } from './format.ts'
