import { type Db, run } from '../storage/index.ts'

/** What an administrator has set of a scope of the server `default`. What is absent is as it comes. */
export interface ScopeSettings {
  /** `IMPLICIT`: an app gets it without the user's being asked. Absent: so. */
  readonly consent?: 'IMPLICIT' | 'REQUIRED' | 'FLEXIBLE'
  /** Whether the user may give the others without it. */
  readonly optional?: boolean
  /** What the page that asks calls it, in place of its words of the engine's own. */
  readonly displayName?: string
  readonly description?: string
}

const key = 'scopes.default'

/** The settings of scopes, by name; of those that an administrator has changed. */
export async function readScopeSettings(db: Db): Promise<Readonly<Record<string, ScopeSettings>>> {
  const [row] = await run<{ value: string }>(db, 'select value from settings where key = $1', [key])
  return row === undefined ? {} : (JSON.parse(row.value) as Readonly<Record<string, ScopeSettings>>)
}

/** Replaces the settings of one scope; the caller holds the lock of the scopes. */
export async function writeScopeSettings(db: Db, name: string, settings: ScopeSettings): Promise<void> {
  const value = JSON.stringify({ ...(await readScopeSettings(db)), [name]: settings })
  const text = `insert into settings (key, value) values ($1, $2)
    on conflict (key) do update set value = excluded.value`
  await run(db, text, [key, value])
}
