import { createHash, randomBytes, randomFillSync } from 'node:crypto'

/** A source of randomness: the system's generator, or a seeded one in tests. */
export interface Random {
  bytes(length: number): Buffer
  /**
   * An independent source for a part that draws at unpredictable moments (deliveries, request ids): with a seed the
   * other parts still repeat themselves. The system's generator has none.
   */
  branch?(purpose: string): Random
  /** Begins the sequence again, in the branches too. Seeded sources only. */
  restart?(): void
}

/** The branch for a part, or the source itself where it has no branches. */
export const branchOf = (random: Random, purpose: string): Random => random.branch?.(purpose) ?? random

// A call of the system's generator costs more than what most ids need of it, so that it fills a supply.
const supply = Buffer.alloc(4096)
let taken = supply.length

export const systemRandom: Random = {
  bytes(length) {
    if (length > 256) return randomBytes(length)
    if (taken + length > supply.length) {
      randomFillSync(supply)
      taken = 0
    }
    const bytes = Buffer.from(supply.subarray(taken, taken + length))
    // A secret must not stay in memory once it is given away.
    supply.fill(0, taken, taken + length)
    taken += length
    return bytes
  },
}

/** A generator that gives the same sequence for the same seed. Tests only: the seed reveals every code. */
export function insecureSeededRandom(seed: string): Random {
  const branches: Random[] = []
  let counter = 0
  return {
    branch(purpose) {
      const branch = insecureSeededRandom(`${seed}/${purpose}`)
      branches.push(branch)
      return branch
    },
    restart() {
      counter = 0
      for (const branch of branches) branch.restart?.()
    },
    bytes(length) {
      const blocks: Buffer[] = []
      for (let have = 0; have < length; have += 32) {
        blocks.push(createHash('sha256').update(`${seed}:${counter++}`).digest())
      }
      return Buffer.concat(blocks).subarray(0, length)
    },
  }
}

const digits = '0123456789'
const letters = 'abcdefghijklmnopqrstuvwxyz'
const base62 = digits + letters.toUpperCase() + letters
// Without 0, O, 1, I and L, which users confuse when they type a code from a mail.
const legible = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'

/** Draws `length` letters of an alphabet, each equally likely: bytes that would cause a modulo bias are discarded. */
function draw(random: Random, alphabet: string, length: number): string {
  const unbiased = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length * 2)) {
      if (byte < unbiased && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

/** A public id: a prefix for its kind and 17 letters (101 bits), twenty characters as in Okta's ids. */
export const randomId = (random: Random, prefix: string): string => prefix + draw(random, base62, 17)

/** How many letters of a timed id are its time: seconds in base 62, enough for the next 1,700 years. */
const timeLetters = 6

/**
 * A public id as `randomId` makes it that begins with its time, in seconds: it can be placed in time wherever it is read,
 * even where nothing was stored. 65 bits of it are random.
 */
export function timedId(random: Random, prefix: string, now: number): string {
  let seconds = Math.floor(now / 1000)
  let text = ''
  for (let index = 0; index < timeLetters; index++) {
    text = (base62[seconds % base62.length] ?? '') + text
    seconds = Math.floor(seconds / base62.length)
  }
  return prefix + text + draw(random, base62, 17 - timeLetters)
}

/** The time of a timed id in epoch milliseconds, to the second; undefined where it is none. */
export function timeOfId(id: string): number | undefined {
  if (!/^[a-z]{3}[A-Za-z0-9]{17}$/.test(id)) return undefined
  let seconds = 0
  for (const letter of id.slice(3, 3 + timeLetters))
    seconds = seconds * base62.length + base62.indexOf(letter)
  // From 2020 to 2200: other ids have any letters there.
  return seconds >= 1_577_836_800 && seconds < 7_258_118_400 ? seconds * 1000 : undefined
}

/** A secret handle or token of 256 bits, safe in a URL. */
export const randomToken = (random: Random): string => draw(random, base62, 43)

/** A code of decimal digits that a user types. */
export const randomDigits = (random: Random, length: number): string => draw(random, digits, length)

/** A code of letters and digits that are not confused with each other: 31 to the power of `length`. */
export const randomLegible = (random: Random, length: number): string => draw(random, legible, length)
