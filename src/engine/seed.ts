import { ConfigError, type Random, type Secrets } from '../base/index.ts'
import { type BrandOptions, colourFrom, hexOf, readLogo, seedAppearance } from '../brand/index.ts'
import {
  type ClientSettings,
  createClient,
  ensureTrustedOrigin,
  findClient,
  hasClientSecret,
  hasUnknownSecret,
  rehashClientSecret,
  replaceClientSecrets,
  updateClient,
} from '../clients/index.ts'
import type { ClientConfig, Config, PersonConfig } from '../config/index.ts'
import { ensureEveryone, findPersonByIdentifier, getEveryone } from '../directory/index.ts'
import { ensureApiToken } from '../management/index.ts'
import type { PasswordHasher } from '../passwords/index.ts'
import type { People } from '../people/index.ts'
import { seedPolicies } from '../policies/index.ts'
import { type Storage, takeLock } from '../storage/index.ts'

interface SeedParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
  readonly hasher: PasswordHasher
  readonly people: People
  /** Password hashes of earlier runs, by password: a reset to the seed computes none again. */
  readonly hashes: Map<string, Promise<string>>
}

/**
 * Writes what the configuration asks for into the database. Adds and updates; what the configuration does not name stays
 * as it is. Nodes that start at once on an empty database run one after the other, by a lock.
 */
export async function seed(config: Config, parts: SeedParts): Promise<void> {
  const { storage, random, now } = parts
  const { name, primaryColor: colour, links = {} } = config.brand ?? {}
  const read = colour === undefined ? undefined : colourFrom(colour)
  const primaryColor = read && hexOf(read)
  const logo = await logoOf(config.brand)
  await storage.transaction(async (tx) => {
    await takeLock(tx, 'seed')
    await ensureEveryone(tx, { random, now })
    const { id: everyoneId } = await getEveryone(tx)
    await seedPolicies(tx, config, { random, now, everyoneId })
    await seedAppearance(tx, { name, primaryColor, links }, logo)
  })
  const { apiToken } = config.management
  if (apiToken !== undefined) await ensureApiToken(storage.db, apiToken, parts)
  for (const client of config.clients) await seedClient(client, parts)
  for (const person of config.people) await seedPerson(person, parts)
  for (const origin of config.trustedOrigins) await ensureTrustedOrigin(storage.db, origin, { random, now })
}

/** The logo of a brand, from its file. */
export async function logoOf(brand: BrandOptions | undefined): Promise<Buffer | undefined> {
  if (brand?.logo === undefined) return undefined
  return readLogo(brand.logo).catch((error: unknown) => {
    throw new ConfigError([error instanceof Error ? error.message : String(error)])
  })
}

async function seedClient(config: ClientConfig, { storage, secrets, random, now }: SeedParts): Promise<void> {
  // The look of an app's pages is of the configuration alone.
  const { id, label, secret, brand: _, ...rest } = config
  await storage.transaction(async (tx) => {
    await takeLock(tx, 'seed')
    // What is read here is written back: a change over the API between the two would be lost.
    await takeLock(tx, 'apps')
    const existing = await findClient(tx, id)
    if (existing !== undefined) {
      const settings: ClientSettings = { ...existing.settings, ...rest }
      await updateClient(tx, id, { label, settings }, now)
      if (secret === undefined) return
      // A secret that was deactivated over the API stays so, although the file still names it; one that cannot be checked,
      // as the master secret of its hash is gone, may be that one.
      if (hasClientSecret(existing, secret, secrets)) await rehashClientSecret(tx, existing, secret, secrets)
      else if (!hasUnknownSecret(existing, secrets, 'INACTIVE')) {
        await replaceClientSecrets(tx, existing, secret, { secrets, now })
      }
      return
    }
    const everyone = await getEveryone(tx)
    await createClient(
      tx,
      { id, label, ...(secret && { secret }), ...rest },
      { random, secrets, now, groupIds: [everyone.id] },
    )
  })
}

async function seedPerson(
  config: PersonConfig,
  { storage, hasher, hashes, people }: SeedParts,
): Promise<void> {
  const { login, email = login, password, ...names } = config
  if ((await findPersonByIdentifier(storage.db, login)) !== undefined) return
  if (password !== undefined && !hashes.has(password)) hashes.set(password, hasher.hash(password))
  const passwordHash = password === undefined ? undefined : await hashes.get(password)
  try {
    await people.add({ profile: { login, email, ...names }, passwordHash })
  } catch (error) {
    // Not an error where another node has just created the same user.
    if ((await findPersonByIdentifier(storage.db, login)) === undefined) throw error
  }
}
