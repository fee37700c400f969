import { afterEach, expect, test } from 'vitest'
import { createSecrets, silentLogger, systemRandom, VirtualClock } from '../../src/base/index.ts'
import { keysRotate } from '../../src/cli/keys.ts'
import { addClientSecret, clientSecretsOf, findClient } from '../../src/clients/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import {
  findEnrollment,
  findFactorChallenges,
  findPersonByIdentifier,
  putEnrollment,
  putFactorChallenge,
} from '../../src/directory/index.ts'
import { type Engine, openCore, openEngine } from '../../src/engine/index.ts'
import { createApiToken } from '../../src/management/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { openStorage, type Storage, usesOfSecret } from '../../src/storage/index.ts'
import { mary, sampleWebClient, type Visitor, type VisitorTarget } from '../../src/testing/index.ts'
import { visit } from '../support/attacks.ts'
import { dumpOf } from '../support/dump.ts'
import { nodeSettings, publicAddress } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'

const old = 'the secret of last year, long enough for a test'
const renewed = 'the secret of this year, long enough for a test'
const wrong = 'the secret of another house, long enough for a test'
const versionOf = (secret: string) => createSecrets([secret]).version

const over: (() => unknown)[] = []
afterEach(async () => {
  for (const end of over.splice(0).reverse()) await end()
})

onEachDatabase('the one secret', (database) => {
  const app = { clientId: 'rekey-web', clientSecret: 'rekey-web-secret-for-tests-only' }
  const redirectUri = 'http://localhost:8080/login/callback'

  interface House {
    readonly url: string
    readonly clock: VirtualClock
    /** Rows of all tables, to see that nothing was written. */
    dump(): Promise<string>
    inspect<T>(work: (storage: Storage) => Promise<T>): Promise<T>
    start(secrets: readonly string[], settings?: Settings): Promise<HouseNode>
  }
  interface HouseNode extends VisitorTarget {
    readonly engine: Engine
    ready(): Promise<number>
    close(): Promise<void>
  }

  /** A database of its own, and engines on it that differ in their secrets. */
  async function aHouse(): Promise<House> {
    const { url, drop } = await database.create()
    over.push(drop)
    const clock = new VirtualClock()
    const inspect = async <T>(work: (storage: Storage) => Promise<T>): Promise<T> => {
      const storage = await openStorage({ url })
      try {
        return await work(storage)
      } finally {
        await storage.close()
      }
    }
    return {
      url,
      clock,
      inspect,
      dump: () => inspect(dumpOf),
      async start(secrets, settings = {}) {
        const config = checkConfig({
          ...nodeSettings('smtp://127.0.0.1:1', { issuer: publicAddress, ...settings }),
          database: { url },
          secrets: [...secrets],
        })
        const hasher = createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 1000 })
        const engine = await openEngine(config, { clock, hasher, log: silentLogger })
        let isOpen = true
        const close = async () => {
          if (isOpen) await engine.close()
          isOpen = false
        }
        over.push(close)
        const engineUrl = `http://localhost:${engine.port}`
        return {
          engine,
          engineUrl,
          issuer: `${engineUrl}/oauth2/default`,
          ...app,
          redirectUri,
          close,
          ready: async () => (await fetch(`${engineUrl}/health/ready`)).status,
        }
      },
    }
  }

  async function signsIn(node: VisitorTarget): Promise<number> {
    const visitor = await visit(node)
    await visitor.signsIn()
    return (await visitor.redeems()).status
  }

  test('O-H1: a node with another secret does not start and writes nothing', async () => {
    const house = await aHouse()
    const good = await house.start([old])
    expect(await signsIn(good)).toBe(200)
    await good.close()
    const before = await house.dump()

    const refused = house.start([wrong])
    await expect(refused).rejects.toThrow(
      /REKEY_SECRET is not the secret of this database, and nothing was written/,
    )
    // By names that reveal nothing: which one it is, and which one is configured.
    await expect(refused).rejects.toThrow(versionOf(old))
    await expect(refused).rejects.toThrow(versionOf(wrong))
    await expect(house.start([wrong, renewed])).rejects.toThrow(/REKEY_SECRET/)
    expect(await house.dump()).toBe(before)

    expect(await signsIn(await house.start([old]))).toBe(200)
  })

  test('O-H1: a database without a check value is known by what is sealed in it, before and after the first token', async () => {
    const house = await aHouse()
    const forget = () =>
      house.inspect(({ db }) => db.deleteFrom('settings').where('key', '=', 'secret.check').execute())
    await (await house.start([old])).close()
    await house.inspect(async ({ db }) => {
      expect(await db.selectFrom('signing_keys').select('kid').execute()).toEqual([])
    })
    // An earlier version has written it: the secrets of apps are all that there is.
    await forget()
    let before = await house.dump()
    await expect(house.start([wrong])).rejects.toThrow(/REKEY_SECRET/)
    expect(await house.dump()).toBe(before)

    const good = await house.start([old])
    expect(await signsIn(good)).toBe(200)
    await good.close()
    await forget()
    before = await house.dump()
    await expect(house.start([wrong])).rejects.toThrow(/REKEY_SECRET/)
    expect(await house.dump()).toBe(before)

    // And one that is being rotated at the same time: the older secret is the current one until the new one comes first.
    await (await house.start([old, renewed])).close()
    await house.inspect(async ({ db }) => {
      const { value } = await db
        .selectFrom('settings')
        .select('value')
        .where('key', '=', 'secret.check')
        .executeTakeFirstOrThrow()
      expect(value.split(' ').map((hash) => hash.slice(0, 6))).toEqual([versionOf(old)])
    })
  })

  test('O-H1: of two first starts at once with different secrets one wins, and the other is refused', async () => {
    for (let round = 0; round < 2; round++) {
      const house = await aHouse()
      const results = await Promise.allSettled([house.start([old]), house.start([wrong])])
      const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      const lost = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
      expect(lost).toEqual([expect.stringContaining('REKEY_SECRET')])
      expect(await Promise.all(won.map(signsIn))).toEqual([200])
      for (const node of won) await node.close()
    }
  })

  test('O-H2: in the documented order, 40 of 40 sign-ins that hop between nodes end well', {
    timeout: 240_000,
  }, async () => {
    const house = await aHouse()
    const nodes = [await house.start([old]), await house.start([old])]
    const at = (node: number): HouseNode => nodes[node % 2] as HouseNode
    const target = { ...app, redirectUri, engineUrl: '', issuer: '' }
    const to = (node: number) => {
      target.engineUrl = at(node).engineUrl
      target.issuer = at(node).issuer
    }
    // Exactly the steps that `rekey keys rotate --help` names, each on all nodes before the next one.
    const names: Readonly<Record<string, string>> = { old, new: renewed }
    const steps = keysRotate.about
      .flatMap((text) => text.match(/REKEY_SECRET=[a-z,]+/g) ?? [])
      .map((setting) => setting.slice('REKEY_SECRET='.length).split(','))
    expect(steps).toEqual([['old', 'new'], ['new', 'old'], ['new']])
    const outcomes: unknown[] = []
    for (const step of steps) {
      const secrets = step.map((name) => names[name] ?? '')
      for (const restarted of [0, 1]) {
        const visitors: Visitor[] = []
        for (let count = 0; count < 7; count++) {
          to(count)
          visitors.push(await visit(target))
        }
        // Half of them are further on when the node is restarted.
        for (const [index, visitor] of visitors.entries()) {
          to(index + 1)
          if (index % 2 === 0) await visitor.signsIn()
        }
        await at(restarted).close()
        nodes[restarted] = await house.start(secrets)
        expect([await at(0).ready(), await at(1).ready()]).toEqual([200, 200])
        for (const [index, visitor] of visitors.entries()) {
          to(index)
          if (index % 2 !== 0) await visitor.signsIn()
          to(index + 1)
          outcomes.push((await visitor.redeems()).status)
        }
      }
    }
    expect(outcomes.length).toBeGreaterThanOrEqual(40)
    expect(outcomes.filter((status) => status !== 200)).toEqual([])
  })

  test('O-H2: where the order is not followed the answer is 503, nothing is lost, and a restart heals', async () => {
    const house = await aHouse()
    // A public client: nothing of its own hangs on the secret.
    const spa = {
      id: 'spa',
      label: 'Spa',
      applicationType: 'browser' as const,
      redirectUris: [redirectUri],
      postLogoutRedirectUris: [],
    }
    const settings = { clients: [sampleWebClient(redirectUri, app.clientSecret), spa] }
    const behind = await house.start([old], settings)
    expect(await signsIn(behind)).toBe(200)
    const ahead = await house.start([renewed, old], settings)
    // A balancer sends no request to the node that was left out.
    expect([await behind.ready(), await ahead.ready()]).toEqual([503, 200])

    const target = { ...app, redirectUri, engineUrl: ahead.engineUrl, issuer: ahead.issuer }
    const go = ({ engineUrl, issuer }: VisitorTarget) => Object.assign(target, { engineUrl, issuer })
    const visitor = await visit(target, { client: spa.id })
    go(behind)
    const elsewhere = await visitor.signsIn()
    expect([elsewhere.status, elsewhere.headers.get('retry-after')]).toEqual([503, '2'])
    go(ahead)
    const done = await visitor.signsIn()
    expect(done.interactionCode).toBeDefined()
    go(behind)
    expect((await visitor.redeems(done.interactionCode)).status).toBe(503)
    // The app's secret was hashed anew: that is no wrong secret either.
    const asked = await fetch(`${behind.issuer}/v1/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret, token: 'x' }),
    })
    expect(asked.status).toBe(503)
    const token = await fetch(`${behind.engineUrl}/api/v1/users`, {
      headers: { authorization: 'SSWS 00none' },
    })
    expect(token.status).toBe(503)
    go(ahead)
    expect((await visitor.redeems(done.interactionCode)).status).toBe(200)

    // The older list alone is a wrong secret by now; with both the same node goes on, in either order.
    const another = await visit(target)
    await behind.close()
    await expect(house.start([old])).rejects.toThrow(/was replaced by/)
    const healed = await house.start([old, renewed])
    expect(await healed.ready()).toBe(200)
    go(healed)
    await another.signsIn()
    expect((await another.redeems()).status).toBe(200)
    // It has not made the older one the current one again.
    expect(await ahead.ready()).toBe(200)
    await healed.close()
    expect(await signsIn(await house.start([renewed]))).toBe(200)
  })

  test('O-H2: a node that has both secrets uses the new one once another node has made it the current one', async () => {
    const house = await aHouse()
    const first = await house.start([old, renewed])
    const second = await house.start([renewed, old])
    expect(await first.ready()).toBe(200)
    const visitor = await visit(first)
    await visitor.signsIn()
    await first.close()
    await second.close()

    // So a node with the new one alone, which comes before the first node was restarted, goes on with what that one began.
    const last = await house.start([renewed])
    const { issuer, engineUrl } = last
    const row = await last.engine.storage.db.selectFrom('transactions').select('key_version').execute()
    expect(new Set(row.map((transaction) => transaction.key_version))).toEqual(new Set([versionOf(renewed)]))
    expect(await signsIn({ ...last, issuer, engineUrl })).toBe(200)
  })

  test('O-H1: the seed hashes the secret of an app anew only for a newer secret, or where it has changed', async () => {
    const house = await aHouse()
    const stored = () => house.inspect(async ({ db }) => (await findClient(db, app.clientId))?.secrets ?? [])
    await (await house.start([old])).close()
    const [first] = await stored()
    await (await house.start([old, renewed])).close()
    expect(await stored()).toEqual([first])

    await (await house.start([renewed, old])).close()
    const [second] = await stored()
    expect(second).toMatchObject({
      createdAt: first?.createdAt,
      hash: expect.stringMatching(`^${versionOf(renewed)}`),
    })
    // A node that restarts with the list of the step before does not hash it back.
    await (await house.start([old, renewed])).close()
    expect(await stored()).toEqual([second])
  })

  test('O-H2: what lasts is written anew with the new secret, so that the old one can be removed', async () => {
    const house = await aHouse()
    const node = await house.start([old])
    const { storage, clock } = node.engine
    const secrets = createSecrets([old])
    const context = { secrets, random: systemRandom, now: clock.now() }
    const person = await findPersonByIdentifier(storage.db, mary.login)
    const personId = person?.id ?? ''
    const client = await findClient(storage.db, app.clientId)
    if (client === undefined) throw new Error('there is no client')
    const added = await addClientSecret(storage.db, client, { status: 'ACTIVE' }, context)
    if (added === 'taken') throw new Error('it is taken')
    const { token } = await createApiToken(storage, { name: 'x', role: 'read', createdBy: 'test' }, context)
    const sealedSecret = secrets.seal('totp secret', 'ZR74DHZTG43NBULV')
    const enrollment = {
      personId,
      authenticator: 'google_otp',
      prefix: 'uft',
      method: 'otp',
      data: { sealedSecret },
    }
    await putEnrollment(storage.db, enrollment, context)
    // An app that an administrator has begun to enrol and the user has not confirmed yet.
    const waiting = {
      personId,
      ...{ factorId: 'uft1', enrollmentId: 'uft1', authenticator: 'google_otp', method: 'otp' },
      purpose: 'activate' as const,
      data: { enrolled: { sealedSecret }, challenge: null },
      expiresAt: clock.now() + 86_400_000,
    }
    await putFactorChallenge(storage.db, waiting, context)
    expect(await signsIn(node)).toBe(200)
    await node.close()

    const uses = () => house.inspect(({ db }) => usesOfSecret(db, versionOf(old), house.clock.now()))
    expect(await uses()).toMatchObject({
      'signing keys': 1,
      'app secrets': 2,
      'API tokens': 1,
      enrollments: 1,
      'pending factors': 1,
    })
    const both = await house.start([renewed, old])
    await expect.poll(async () => (await uses())['pending factors']).toBe(0)
    expect(await uses()).toMatchObject({
      enrollments: 0,
      'signing keys': 0,
      'app secrets': 1,
      'API tokens': 1,
    })
    // The ids of secrets stay: the API names them by these.
    const listed = async () =>
      clientSecretsOf((await findClient(both.engine.storage.db, app.clientId)) ?? client).map(({ id }) => id)
    const ids = await listed()
    expect(ids).toContain(added.secret.id)
    const asked = await fetch(`${both.issuer}/v1/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: app.clientId, client_secret: added.text, token: 'x' }),
    })
    const api = await fetch(`${both.engineUrl}/api/v1/users`, { headers: { authorization: `SSWS ${token}` } })
    expect([asked.status, api.status]).toEqual([200, 200])
    expect(await listed()).toEqual(ids)
    expect(Object.values(await uses()).every((count) => count === 0)).toBe(true)
    await both.close()

    const alone = await house.start([renewed])
    const last = await fetch(`${alone.engineUrl}/api/v1/users`, {
      headers: { authorization: `SSWS ${token}` },
    })
    expect(last.status).toBe(200)
    const found = await findEnrollment<{ sealedSecret: string }>(
      alone.engine.storage.db,
      personId,
      'google_otp',
    )
    expect(createSecrets([renewed]).open('totp secret', found?.data.sealedSecret ?? '')).toBe(
      'ZR74DHZTG43NBULV',
    )
    expect(found?.version).toBe(1)
    const [pending] = await findFactorChallenges(alone.engine.storage.db, personId, house.clock.now())
    const kept = pending?.data as { readonly enrolled: { readonly sealedSecret: string } }
    expect(createSecrets([renewed]).open('totp secret', kept.enrolled.sealedSecret)).toBe('ZR74DHZTG43NBULV')
    // It is the same challenge: an answer that is on its way is still to it.
    expect(pending?.version).toBe(1)
  })

  test('O-H2: what was changed over the API is not undone because the secret is rotated', async () => {
    const house = await aHouse()
    const resources = { groups: [{ profile: { name: 'Staff', description: 'of the file' } }] }
    const change = (description: string) =>
      house.inspect(({ db }) =>
        db
          .updateTable('groups')
          .set({ profile: JSON.stringify({ name: 'Staff', description }) })
          .where('name', '=', 'Staff')
          .execute(),
      )
    const description = () =>
      house.inspect(async ({ db }) => {
        const row = await db
          .selectFrom('groups')
          .select('profile')
          .where('name', '=', 'Staff')
          .executeTakeFirst()
        return JSON.parse(row?.profile ?? '{}').description
      })
    await (await house.start([old], { resources })).close()
    expect(await description()).toBe('of the file')
    await change('of the API')
    for (const secrets of [
      [old, renewed],
      [renewed, old],
    ]) {
      await (await house.start(secrets, { resources })).close()
      expect(await description()).toBe('of the API')
    }
  })

  test('a command that only reads does not make the first secret the current one', async () => {
    const house = await aHouse()
    const running = await house.start([old])
    const config = checkConfig({
      ...nodeSettings('smtp://127.0.0.1:1'),
      database: { url: house.url },
      secrets: [renewed, old],
    })
    const core = await openCore(config, { log: silentLogger })
    expect(core.secrets.version).toBe(versionOf(old))
    await core.storage.close()
    expect(await running.ready()).toBe(200)
  })

  test('a database that starts over keeps its secret', async () => {
    const house = await aHouse()
    const node = await house.start([old])
    await node.engine.reset()
    expect([await node.ready(), await signsIn(node)]).toEqual([200, 200])
    await expect(house.start([wrong])).rejects.toThrow(/REKEY_SECRET/)
  })
})
