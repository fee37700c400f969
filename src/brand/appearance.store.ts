import { plainHash } from '../base/index.ts'
import { type Db, statement, type Tx, takeLock } from '../storage/index.ts'

/** What the installation's pages look like. What is absent is as it comes: the name of the org, its first letter, the colour of the pages. */
export interface Appearance {
  readonly name?: string | undefined
  /** As `#rrggbb`. */
  readonly primaryColor?: string | undefined
  readonly links: Readonly<Partial<Record<'help' | 'privacy' | 'terms', string>>>
  /** The hash that is part of the logo's address. */
  readonly logo?: string | undefined
}

const lookKey = 'brand.look'
const logoKey = 'brand.logo'
/** The lock of a change: of two changes none undoes the other. */
export const brandLock = 'brand'
/** What the configuration has written last. Not exported: an import is no change of the configuration. */
const seedKey = 'seed.brand'

const selectValue = statement<{ readonly key: string }, { readonly value: string }>((db, value) =>
  db.selectFrom('settings').select('value').where('key', '=', value('key')),
)

const storedValue = async (db: Db, key: string): Promise<string | undefined> =>
  (await selectValue(db, { key })).rows[0]?.value

async function putValue(db: Db, key: string, value: string | undefined): Promise<void> {
  if (value === undefined) {
    await db.deleteFrom('settings').where('key', '=', key).execute()
    return
  }
  await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((oc) => oc.column('key').doUpdateSet({ value }))
    .execute()
}

/** The stored look as text, for a comparison with one that was read before. */
export const appearanceText = (db: Db): Promise<string | undefined> => storedValue(db, lookKey)

export const appearanceFrom = (text: string | undefined): Appearance =>
  text === undefined ? { links: {} } : (JSON.parse(text) as Appearance)

export const appearanceNow = async (db: Db): Promise<Appearance> => appearanceFrom(await appearanceText(db))

/** Writes the look; its logo stays the one that is stored. */
export const putAppearance = (db: Db, look: Appearance): Promise<void> =>
  putValue(db, lookKey, JSON.stringify(look))

/** The hash of a logo that is part of its address. */
export const logoHash = (content: Buffer): string => plainHash(content.toString('base64')).slice(0, 22)

/** Where the pages load a logo from. */
export const logoPathOf = (hash: string): string => `/assets/brand-${hash}.png`

export async function findLogo(db: Db): Promise<Buffer | undefined> {
  const text = await storedValue(db, logoKey)
  return text === undefined ? undefined : Buffer.from(text, 'base64')
}

/** Writes the logo, made anew by `reencodePng`, or removes it. The caller writes the look, which has its hash. */
export async function putLogo(db: Db, content: Buffer | undefined): Promise<string | undefined> {
  await putValue(db, logoKey, content?.toString('base64'))
  return content && logoHash(content)
}

/**
 * Writes what of the look the configuration has changed since it was written last: each of its parts by itself. What was changed over the
 * management API stays until then, as default policies do.
 *
 * @param wanted of the configuration, without the hash of the logo
 */
export async function seedAppearance(
  tx: Tx,
  wanted: Omit<Appearance, 'logo'>,
  logo: Buffer | undefined,
): Promise<void> {
  const parts = partsOf({ ...wanted, logo: logo && logoHash(logo) })
  const text = JSON.stringify(parts)
  const noted = await storedValue(tx, seedKey)
  if ((noted ?? '{}') === text) return
  await takeLock(tx, brandLock)
  const before = JSON.parse(noted ?? '{}') as Parts
  const now = { ...partsOf(await appearanceNow(tx)) }
  for (const name of new Set([...Object.keys(parts), ...Object.keys(before)])) {
    if (parts[name] === before[name]) continue
    if (name === 'logo') await putLogo(tx, logo)
    const value = parts[name]
    if (value === undefined) delete now[name]
    else now[name] = value
  }
  const links = Object.entries(now).flatMap(([name, value]) =>
    name.startsWith('links.') ? [[name.slice('links.'.length), value]] : [],
  )
  const { name, primaryColor, logo: hash } = now
  await putAppearance(tx, { name, primaryColor, logo: hash, links: Object.fromEntries(links) })
  await putValue(tx, seedKey, text)
}

/** The parts of a look by the names of their options. */
type Parts = Record<string, string>

const partsOf = ({ links, ...look }: Appearance): Parts =>
  Object.fromEntries(
    [
      ...Object.entries(look),
      ...Object.entries(links)
        .toSorted(([one], [another]) => (one < another ? -1 : 1))
        .map(([name, address]) => [`links.${name}`, address] as const),
    ].filter((part): part is [string, string] => typeof part[1] === 'string'),
  )
