import { setTimeout as pause } from 'node:timers/promises'
import { hash as bcryptHash } from '@node-rs/bcrypt'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AnswerBody, answerFrom, type Kit, type Visitor } from '../../src/testing/index.ts'
import {
  atTheReset,
  manyMails,
  newPassword,
  parallel,
  scale,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'

const oldPassword = 'Tangerine-Kettle-42'

/** As another system stored it: what is imported over the management API, at the cost that most systems have. */
async function importedPassword(workFactor: number) {
  const [, , , rest = ''] = (await bcryptHash(oldPassword, workFactor)).split('$')
  return { hash: { algorithm: 'BCRYPT', workFactor, salt: rest.slice(0, 22), value: rest.slice(22) } }
}

/** How one sign-in of the stream ended: the statuses of its answers, and the tokens that came of it. */
interface SignIn {
  readonly statuses: readonly number[]
  readonly tokens?: AnswerBody
}

/** Signs in with the first page alone, as a thief who has the password would, and redeems and refreshes at once. */
const signIn = async (idp: Kit, identifier: string, passcode: string): Promise<SignIn> =>
  signInAt(idp, await visit(idp), identifier, passcode)

async function signInAt(idp: Kit, visitor: Visitor, identifier: string, passcode: string): Promise<SignIn> {
  const granted = await visitor.submits('identify', { identifier, credentials: { passcode } })
  const code = granted.interactionCode
  if (code === undefined) return { statuses: [granted.status] }
  const first = await visitor.redeems(code)
  const refreshed = await refresh(idp, first.body.refresh_token)
  const statuses = [granted.status, first.status, refreshed.status]
  const tokens = refreshed.body.access_token === undefined ? first.body : refreshed.body
  return tokens.access_token === undefined ? { statuses } : { statuses, tokens }
}

async function refresh(
  idp: Kit,
  token: unknown,
): Promise<{ readonly status: number; readonly body: AnswerBody }> {
  const response = await fetch(`${idp.issuer}/v1/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: String(token),
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
    }),
  })
  return answerFrom(response)
}

const userinfo = async (idp: Kit, token: unknown): Promise<number> =>
  (await fetch(`${idp.issuer}/v1/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status

/** Right sign-ins, 16 a second, until it is stopped. Answers all of them, once the last has ended. */
function stream(idp: Kit, identifier: string): { stop(): Promise<readonly SignIn[]> } {
  const all: Promise<SignIn>[] = []
  let open = 0
  const timer = setInterval(() => {
    // A machine that cannot keep up is not to be drowned: the race is at the moment of the change.
    if (open >= scale(6, 16)) return
    open++
    all.push(signIn(idp, identifier, oldPassword).finally(() => open--))
  }, 1000 / 16)
  return {
    async stop() {
      clearInterval(timer)
      return Promise.all(all)
    },
  }
}

/** The types of the events about a user since the change that has this type, oldest first. */
async function eventsSince(idp: Kit, userId: string, type: string): Promise<readonly string[]> {
  const events = (await idp.engine.events({ limit: 100_000 })).toReversed()
  const change = events.findLastIndex(
    ({ eventType, outcome, target = [] }) =>
      eventType === type && outcome.result === 'SUCCESS' && target.some(({ id }) => id === userId),
  )
  expect(change).not.toBe(-1)
  return events
    .slice(change)
    .filter(({ actor, outcome }) => actor.id === userId && outcome.result === 'SUCCESS')
    .map(({ eventType }) => eventType)
}

/** What only a completed sign-in, a redemption or a refresh records. */
const signsIn = /^user\.session\.start$|^app\.oauth2\.token\.grant/

interface User {
  readonly id: string
  readonly login: string
}

let users = 0

async function newUser(api: Api, password: object): Promise<User> {
  const login = `user${++users}@example.com`
  const profile = { login, email: login, firstName: 'User', lastName: String(users) }
  const { status, body } = await api('POST', '/users?activate=true', { profile, credentials: { password } })
  expect(status).toBe(200)
  return { id: body.id, login }
}

/**
 * Makes one change while the stream runs, just after a few sign-ins have come at once: their passwords are being hashed
 * when it is written. `wait` is how long the stream runs before: of a hash that is to be replaced the first sign-ins are
 * the slow ones.
 */
async function during(
  idp: Kit,
  identifier: string,
  wait: number,
  change: () => Promise<{ readonly status: number }>,
): Promise<{ readonly changed: number; readonly signIns: readonly SignIn[] }> {
  const visitors = await parallel(4, () => visit(idp))
  const signIns = stream(idp, identifier)
  await pause(wait)
  const burst = visitors.map((visitor) => signInAt(idp, visitor, identifier, oldPassword))
  await pause(10)
  const { status } = await change()
  await pause(150)
  return { changed: status, signIns: [...(await signIns.stop()), ...(await Promise.all(burst))] }
}

/** No session that the stream began lives, and no answer was an error of ours. */
async function expectDead(idp: Kit, signIns: readonly SignIn[]): Promise<void> {
  expect(signIns.flatMap(({ statuses }) => statuses).filter((status) => status >= 500)).toEqual([])
  const tokens = signIns.flatMap((one) => (one.tokens === undefined ? [] : [one.tokens]))
  const alive = await Promise.all(
    tokens.map(async ({ refresh_token, access_token }) => [
      (await refresh(idp, refresh_token)).status,
      await userinfo(idp, access_token),
    ]),
  )
  expect(alive.filter(([refreshed, info]) => refreshed !== 400 || info !== 401)).toEqual([])
}

const statusOf = async (idp: Kit, identifier: string, password: string): Promise<number> =>
  (await signIn(idp, identifier, password)).statuses[0] ?? 0

/** How long the stream has run before a change, by round: in the middle of the first sign-ins, and later. */
const waits = [150, 20, 320]

onEachDatabase('sign-ins in flight', (database) => {
  let idp: Kit
  let drop: () => Promise<void>
  let api: Api
  let imported: object

  beforeAll(async () => {
    imported = await importedPassword(scale(10, 12))
    const created = await database.create()
    drop = created.drop
    const limits = { ...manyMails, passwordsPerHour: 1_000_000 }
    idp = await startTarget({ database: created.url, hash: 'standard', settings: { limits } })
    api = apiOf(idp)
  })
  afterAll(async () => {
    await idp.close()
    await drop()
  })

  /** A reset by the user, while the password of before signs in. */
  async function resetRound(password: object, wait: number): Promise<void> {
    const { id, login } = await newUser(api, password)
    const owner = await atTheReset(idp, login)
    const { changed, signIns } = await during(idp, login, wait, () => owner.answers(newPassword))
    expect(changed).toBe(200)
    // The reset signs its own visitor in, once; nothing else follows.
    const since = await eventsSince(idp, id, 'user.account.reset_password')
    expect(since.filter((type) => signsIn.test(type))).toEqual(['user.session.start'])
    await expectDead(idp, signIns)
    expect(await statusOf(idp, login, oldPassword)).toBe(401)
    expect(await statusOf(idp, login, newPassword)).toBe(200)
  }

  test('A49: a reset ends the old password and its sessions, whatever is in flight', async () => {
    for (let round = 0; round < scale(3, 20); round++) {
      await resetRound({ value: oldPassword }, waits[round % waits.length] ?? 0)
    }
  })

  test('A49: so it does where the old hash was imported and is being replaced', async () => {
    for (let round = 0; round < scale(2, 20); round++) {
      await resetRound(imported, waits[round % waits.length] ?? 0)
    }
  })

  describe('what an administrator does', () => {
    const rounds = scale(2, 20)

    test('A49: a password that an administrator sets ends the old one and its sessions', async () => {
      for (let round = 0; round < rounds; round++) {
        const { id, login } = await newUser(api, imported)
        const { changed, signIns } = await during(idp, login, waits[round % waits.length] ?? 0, () =>
          api('POST', `/users/${id}`, { credentials: { password: { value: newPassword } } }),
        )
        expect(changed).toBe(200)
        const since = await eventsSince(idp, id, 'user.account.update_password')
        expect(since.filter((type) => signsIn.test(type))).toEqual([])
        await expectDead(idp, signIns)
        expect(await statusOf(idp, login, oldPassword)).toBe(401)
        expect(await statusOf(idp, login, newPassword)).toBe(200)
      }
    })

    test('A49: no session lives through a suspension, not even after its end', async () => {
      for (let round = 0; round < rounds; round++) {
        const { id, login } = await newUser(api, { value: oldPassword })
        const { changed, signIns } = await during(idp, login, 150, () =>
          api('POST', `/users/${id}/lifecycle/suspend`),
        )
        expect(changed).toBe(200)
        const since = await eventsSince(idp, id, 'user.lifecycle.suspend')
        expect(since.filter((type) => signsIn.test(type))).toEqual([])
        expect((await api('POST', `/users/${id}/lifecycle/unsuspend`)).status).toBe(200)
        await expectDead(idp, signIns)
      }
    })

    test('A49: no session lives through a deletion', async () => {
      for (let round = 0; round < rounds; round++) {
        const { id, login } = await newUser(api, imported)
        const { changed, signIns } = await during(idp, login, 150, async () => {
          await api('DELETE', `/users/${id}`)
          return api('DELETE', `/users/${id}`)
        })
        expect(changed).toBe(204)
        const since = await eventsSince(idp, id, 'user.lifecycle.delete.completed')
        expect(since.filter((type) => signsIn.test(type))).toEqual([])
        await expectDead(idp, signIns)
        expect(await statusOf(idp, login, oldPassword)).toBe(401)
      }
    })

    test('A49: an email that is not the user’s any more signs no user in', async () => {
      for (let round = 0; round < rounds; round++) {
        const { id, login } = await newUser(api, { value: oldPassword })
        const [name = ''] = login.split('@')
        await api('POST', `/users/${id}`, { profile: { login: name } })
        const email = `${name}@new.example.com`
        const { changed, signIns } = await during(idp, login, 150, () =>
          api('POST', `/users/${id}`, { profile: { email } }),
        )
        expect(changed).toBe(200)
        const since = await eventsSince(idp, id, 'user.account.update_primary_email')
        // Sessions from before live on, and refresh.
        expect(since).not.toContain('user.session.start')
        expect(signIns.flatMap(({ statuses }) => statuses).filter((status) => status >= 500)).toEqual([])
        expect(await statusOf(idp, login, oldPassword)).toBe(401)
        expect(await statusOf(idp, email, oldPassword)).toBe(200)
      }
    })
  })

  test('A49: a change by the old password does not undo a reset in flight', async () => {
    for (let round = 0; round < scale(2, 20); round++) {
      const { id, login } = await newUser(api, imported)
      const owner = await atTheReset(idp, login)
      const [reset] = await Promise.all([
        owner.answers(newPassword),
        api('POST', `/users/${id}/credentials/change_password`, {
          oldPassword: { value: oldPassword },
          newPassword: { value: 'Thief-Of-Kettles-43' },
        }),
      ])
      // Whichever came last stands; one that came first was not undone by what was checked before it.
      const thief = await statusOf(idp, login, 'Thief-Of-Kettles-43')
      const own = await statusOf(idp, login, newPassword)
      expect([thief, own].toSorted()).toEqual([200, 401])
      if (reset.interactionCode !== undefined) expect(own).toBe(200)
    }
  })

  test('A49: a re-hash replaces the hash that it was made of, and no other', async () => {
    const { db } = idp.engine.storage
    const hashOf = async (id: string): Promise<string> => {
      const row = await db
        .selectFrom('enrollments')
        .select('data')
        .where('person_id', '=', id)
        .executeTakeFirstOrThrow()
      return row.data
    }
    const other = await newUser(api, { value: newPassword })
    const data = await hashOf(other.id)
    let met = 0
    // How long a hash takes depends on the machine: later and later, until the change falls between its reading and its end.
    for (let round = 0; round < 50 && met === 0; round++) {
      const { id, login } = await newUser(api, imported)
      const inFlight = statusOf(idp, login, oldPassword)
      await pause(10 + 10 * round)
      const isUntouched = (await hashOf(id)).includes('$2b$')
      // As a node of the version before does while nodes are being replaced: it raises no version.
      await db.updateTable('enrollments').set({ data }).where('person_id', '=', id).execute()
      if ((await inFlight) !== 200 || !isUntouched) continue
      met++
      expect(await statusOf(idp, login, oldPassword)).toBe(401)
      expect(await statusOf(idp, login, newPassword)).toBe(200)
    }
    expect(met).toBe(1)
  })

  test('A49: 20 right sign-ins at once succeed where the hash was imported', async () => {
    const { login } = await newUser(api, await importedPassword(scale(8, 12)))
    const versionOf = () =>
      idp.engine.storage.db.selectFrom('people').select('version').where('login', '=', login).execute()
    const before = await versionOf()
    const visitors = await parallel(20, () => visit(idp))
    const credentials = { passcode: oldPassword }
    const identify = (visitor: Visitor) => visitor.submits('identify', { identifier: login, credentials })
    const granted = await Promise.all(visitors.map(identify))
    expect(granted.map(({ status, interactionCode }) => [status, interactionCode !== undefined])).toEqual(
      granted.map(() => [200, true]),
    )
    // Nor did one have to be checked anew for another's sake.
    expect(await versionOf()).toEqual(before)
  })
})

/** How many deadlocks the server has met: retries hide them, until a stream outlives the retries. */
async function deadlocksOf(idp: Kit, kind: 'sqlite' | 'postgres'): Promise<number> {
  if (kind === 'sqlite') return 0
  // A connection reports what it has counted once it is idle, a second later at most.
  await pause(1500)
  const text = sql<{ deadlocks: number }>`
    select deadlocks from pg_stat_database where datname = current_database()`
  const { rows } = await text.execute(idp.engine.storage.db)
  return Number(rows[0]?.deadlocks)
}

onEachDatabase('a stream of sign-ins', (database) => {
  test('A50: keeps no user from a reset of the same account', async () => {
    const { url, drop } = await database.create()
    const limits = { ...manyMails, passwordsPerHour: 1_000_000 }
    const settings = { limits, policies: { password: { lockout: { maxAttempts: 0 } } } }
    // Fast hashes: what is met here are the locks of the database, as often as possible.
    const idp = await startTarget({ database: url, settings })
    let password = idp.person.password
    let isOver = false
    const statuses: number[] = []
    const streams = parallel(8, async (index) => {
      while (!isOver) {
        const passcode = index % 2 === 0 ? password : 'wrong'
        const visitor = await visit(idp)
        const credentials = { passcode }
        statuses.push(
          (await visitor.submits('identify', { identifier: 'mary@example.com', credentials })).status,
        )
      }
    })
    try {
      for (let round = 0; round < scale(4, 100); round++) {
        const owner = await atTheReset(idp, 'mary@example.com')
        const next = `Lighthouse-Biscuit-${100 + round}`
        const reset = await owner.answers(next)
        expect([reset.status, reset.interactionCode !== undefined]).toEqual([200, true])
        password = next
      }
    } finally {
      isOver = true
      await streams
    }
    expect(statuses.filter((status) => status >= 500)).toEqual([])
    expect(statuses).toContain(200)
    expect(statuses).toContain(401)
    expect(await deadlocksOf(idp, database.name)).toBe(0)
    await idp.close()
    await drop()
  })
})
