/**
 * Translations: the sentences of the mails and of the pages of the engine, one file per language. Sentences contain
 * `${names}`, never markup or code. To add a language, add a file of the same type and its line in `languages`.
 * The messages of the IDX protocol are not here: their keys and texts are defined by the protocol.
 */
import Negotiator from 'negotiator'
import { ar } from './ar.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { isLanguageTag } from './format.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import { ar as arPages } from './pages/ar.ts'
import { de as dePages } from './pages/de.ts'
import { en as enPages } from './pages/en.ts'
import { es as esPages } from './pages/es.ts'
import { fr as frPages } from './pages/fr.ts'
import { ja as jaPages } from './pages/ja.ts'
import type { PageWords } from './pages/words.ts'
import type { Words } from './words.ts'

export type { PageWords } from './pages/words.ts'
export type { Words } from './words.ts'

/** All languages, by tag (BCP 47). */
export const languages: Readonly<Record<string, Words>> = { en, de, es, fr, ja, ar }

/**
 * The best match among some language tags: `de-AT` matches `de-AT`, then `de`, then English. Several locales, separated
 * by commas, are tried in order.
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

/** The tags of an Accept-Language header (RFC 9110, section 12.5.4), best first, separated by commas; at most ten. */
export function acceptedLocales(header: string | undefined): string | undefined {
  const headers = { 'accept-language': (header ?? '').slice(0, 500) }
  return new Negotiator({ headers }).languages().filter(isLanguageTag).slice(0, 10).join() || undefined
}

/** The catalogue for a locale such as `de-AT`, or for the first match of several; English if none matches. */
export const wordsFor = (locales: string | undefined): Words => languages[languageFor(locales)] ?? en

/** The sentences of the sign-in pages, in the same languages. */
export const pageLanguages: Readonly<Record<string, PageWords>> = {
  en: enPages,
  de: dePages,
  es: esPages,
  fr: frPages,
  ja: jaPages,
  ar: arPages,
}

/** The catalogue of the sign-in pages for a locale, or for the first match of several; English if none matches. */
export const pageWordsFor = (locales: string | undefined): PageWords =>
  pageLanguages[languageFor(locales)] ?? enPages

/** Replaces `${names}` with values. The result is plain text: the caller escapes it. Names without a value stay. */
export const fill = (sentence: string, values: Readonly<Record<string, string>>): string =>
  sentence.replace(/\$\{([\w.]+)\}/g, (place, name: string) => values[name] ?? place)

export { dateInWords, directionOf, isLanguageTag, spanInWords, timeInWords } from './format.ts'
