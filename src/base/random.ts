import { createHash, randomBytes } from 'node:crypto'

/** Where randomness comes from: the system's generator, or a seeded one in tests. */
export interface Random {
  bytes(length: number): Buffer
  /**
   * A source of its own for a part that draws at moments of its own (deliveries, request ids), so that with a seed the
   * others repeat all the same. The system's generator needs none.
   */
  branch?(purpose: string): Random
  /** Begins again, branches too: only a seeded source can. */
  restart?(): void
}

/** The part's own source, where there is one. */
export const branchOf = (random: Random, purpose: string): Random => random.branch?.(purpose) ?? random

export const systemRandom: Random = { bytes: (length) => randomBytes(length) }

/** A generator that repeats itself for one seed. Tests only: whoever knows the seed knows every code. */
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
// Without 0, O, 1, I and L: what a person types from a mail must not be guessed at.
const legible = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'

/** Draws `length` letters of an alphabet, each equally likely (bytes that would tilt the odds are thrown away). */
function draw(random: Random, alphabet: string, length: number): string {
  const fair = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of random.bytes(length * 2)) {
      if (byte < fair && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}

/** A public id: a prefix that tells its kind and 17 letters (101 bits), twenty characters as in Okta's ids. */
export const randomId = (random: Random, prefix: string): string => prefix + draw(random, base62, 17)

/** A secret handle or token of 256 bits, safe in a URL. */
export const randomToken = (random: Random): string => draw(random, base62, 43)

/** A code of decimal digits for people to type. */
export const randomDigits = (random: Random, length: number): string => draw(random, digits, length)

/** A code of letters and digits that are told apart easily: 31 to the power of `length`. */
export const randomLegible = (random: Random, length: number): string => draw(random, legible, length)
