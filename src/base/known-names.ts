import { didYouMean } from './suggest.ts'

/**
 * What is wrong with the names of an object's members, as a sentence with the name that was meant, or undefined where
 * all are known. A name whose value is undefined counts: it is mistyped all the same.
 */
export function unknownName(value: object, known: readonly string[], noun = 'member'): string | undefined {
  const unknown = Object.keys(value).find((name) => !known.includes(name))
  if (unknown === undefined) return undefined
  const name = JSON.stringify(unknown.slice(0, 40))
  const list = known.length === 0 ? 'none is known' : `known are ${known.join(', ')}`
  const meant = didYouMean(unknown.slice(0, 40), known)
  return `${name} is not a known ${noun}${meant === '' ? `; ${list}` : `${meant} (${list})`}`
}
