import { unknownName } from '../../base/index.ts'

/** Every name of an interface: a list that the compiler holds complete. */
export type Names<T> = Readonly<Record<keyof Required<T>, true>>

/** Where a mistyped option is ignored, a test passes that tests something else. */
export function checkNames(where: string, value: unknown, names: readonly string[]): void {
  if (value === undefined) return
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${where}: the options must be an object`)
  }
  const unknown = unknownName(value, names, 'option')
  if (unknown !== undefined) throw new TypeError(`${where}: ${unknown}`)
}

/** @throws TypeError for a word that is none of the list */
export function checkOneOf(where: string, value: unknown, words: readonly string[]): void {
  if (value === undefined || words.includes(value as string)) return
  throw new TypeError(`${where} must be one of ${words.join(', ')}, not ${JSON.stringify(value)}`)
}

/** @throws TypeError for a value that is not what it must be */
export function checkThat(
  where: string,
  value: unknown,
  what: string,
  isIt: (value: unknown) => boolean,
): void {
  if (value !== undefined && !isIt(value)) throw new TypeError(`${where} must be ${what}`)
}

/** @throws TypeError where a call without options was given some */
export function checkNothing(where: string, given: readonly unknown[]): void {
  if (given.some((value) => value !== undefined)) throw new TypeError(`${where}: takes no options`)
}
