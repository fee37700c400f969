import type { Storage } from '../../src/storage/index.ts'
import { alone } from '../support/alone.ts'

// Drawn like a secret, and none: who holds the lease on a mail, the ids of tokens, which stand in the tokens for their
// owners to read, and the state that an app gets back with its answer.
const publicColumns = new Set(['leaseOwner', 'lease_owner', 'owner'])
const publicId = (token: string) => new RegExp(`(?:(?:AT|ID)\\.|state[\\\\":]+)${token}`, 'g')

const wellKnown = ['Tangerine-Kettle-42', 'Lighthouse-Biscuit-77', 'Marmalade-Harbour-31']

// What is a secret by its shape: a signed token, a state handle.
const shapes = [/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/, /02\.id\.[\w-]{43}/]

/** Every value of every table, as a thief of the database has it. */
export async function dumpOf(storage: Storage): Promise<Readonly<Record<string, string>>> {
  const dump: Record<string, string> = {}
  for (const { name } of await storage.db.introspection.getTables()) {
    const rows = await storage.db
      .selectFrom(name as 'people')
      .selectAll()
      .execute()
    const shown = (key: string, value: unknown) => (publicColumns.has(key) ? undefined : value)
    dump[`table ${name}`] = rows.map((row) => JSON.stringify(row, shown)).join('\n')
  }
  return dump
}

// Six digits stand by chance within longer numbers, hashes and ids: those count only alone.
const patternOf = (secret: string): RegExp | undefined =>
  /^\w{5,10}$/.test(secret) ? alone(secret) : undefined

/** The places in which one of the secrets stands, with what stands around it. */
export function findSecrets(
  secrets: readonly string[],
  places: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(places).flatMap(([place, text]) => {
    const found = [...secrets, ...wellKnown].flatMap((secret) => {
      const at = patternOf(secret)?.exec(text)?.index ?? (patternOf(secret) ? -1 : text.indexOf(secret))
      if (at < 0) return []
      const hidden = text.replace(publicId(secret), '')
      const stands = patternOf(secret)?.test(hidden) ?? hidden.includes(secret)
      return stands ? [`${place}: ${text.slice(Math.max(0, at - 80), at + secret.length + 20)}`] : []
    })
    const shaped = shapes.flatMap((shape) => shape.exec(text)?.[0] ?? [])
    return [...found, ...shaped.map((secret) => `${place}: ${secret.slice(0, 60)}…`)]
  })
}
