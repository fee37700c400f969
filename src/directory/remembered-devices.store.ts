import { plainHash, type Random, randomId, randomToken } from '../base/index.ts'
import { type Db, run } from '../storage/index.ts'

/** How many devices are remembered of a user; the oldest are forgotten first. */
const mostDevices = 10

/**
 * A new secret of a device. As long as the header by which apps send it may be; 172 bits are random. Its beginning marks it: a token
 * that a caller made up is never looked for.
 */
export const newDeviceSecret = (random: Random): string => `rkd${randomToken(random).slice(0, 29)}`

/** The hash of a device's secret; undefined for a text that is none. */
export const deviceHash = (secret: string | undefined): string | undefined =>
  secret !== undefined && /^rkd[A-Za-z0-9]{29}$/.test(secret) ? plainHash(secret) : undefined

/** A device that is remembered for a user at an app. */
export interface RememberedDevice<Evidence> {
  readonly personId: string
  readonly clientId: string
  /** Of its secret, by `deviceHash`. */
  readonly hash: string
  /** What was proven on it besides the first factor. */
  readonly evidence: Evidence
  /** When that was proven. */
  readonly createdAt: number
  readonly expiresAt: number
}

/**
 * Remembers a device for a user, in place of what was remembered of it before. It is bound to the user's present version, so that every
 * change of a secret, a factor, the status or a name ends it without another statement (A78). The caller holds the user's row.
 */
export async function rememberDevice(
  db: Db,
  device: RememberedDevice<unknown>,
  { random, before }: { readonly random: Random; readonly before?: string | undefined },
): Promise<void> {
  const { personId, clientId, hash, evidence, createdAt, expiresAt } = device
  if (before !== undefined) {
    await run(db, 'delete from remembered_devices where hash = $1 and person_id = $2', [before, personId])
  }
  await run(
    db,
    `insert into remembered_devices
      (id, person_id, client_id, hash, person_version, evidence, created_at, expires_at)
      select $1, id, $2, $3, version, $4, $5, $6 from people where id = $7`,
    [randomId(random, 'rdv'), clientId, hash, JSON.stringify(evidence), createdAt, expiresAt, personId],
  )
  await run(
    db,
    `delete from remembered_devices where person_id = $1 and id not in (
      select id from remembered_devices where person_id = $1 order by created_at desc, id limit ${mostDevices})`,
    [personId],
  )
}

/** What was proven on a device by this user at this app; undefined where it is not remembered, or no more. */
export async function findRememberedDevice<Evidence>(
  db: Db,
  by: { readonly personId: string; readonly clientId: string; readonly hash: string },
  now: number,
): Promise<Pick<RememberedDevice<Evidence>, 'evidence' | 'createdAt'> | undefined> {
  const [row] = await run<{ readonly evidence: string; readonly created_at: number }>(
    db,
    `select d.evidence, d.created_at from remembered_devices d
      join people p on p.id = d.person_id and p.version = d.person_version
      where d.hash = $1 and d.person_id = $2 and d.client_id = $3 and d.expires_at > $4`,
    [by.hash, by.personId, by.clientId, now],
  )
  return row && { evidence: JSON.parse(row.evidence) as Evidence, createdAt: Number(row.created_at) }
}

/** Forgets all devices of a user. */
export async function forgetDevicesOf(db: Db, personId: string): Promise<void> {
  await run(db, 'delete from remembered_devices where person_id = $1', [personId])
}
