import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSecrets } from '../../src/base/index.ts'
import type { OidcOptions } from '../../src/oidc/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import {
  claimsOf,
  createWorld,
  get,
  type OAuthNode,
  type OAuthWorld,
  post,
  refreshing,
  signIn,
  startNode,
} from '../support/oauth.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

// Nodes of one engine are apart in everything but the database.
onEachDatabase('nodes of one engine', (database) => {
  let place: TestDatabase
  let world: OAuthWorld
  const storages: Storage[] = []
  const nodes: OAuthNode[] = []

  const open = async (): Promise<Storage> => {
    const storage = await openStorage({ url: place.url })
    storages.push(storage)
    return storage
  }
  /** A node with a connection and keys of its own, under the one public address. */
  const start = async (oidc: Partial<OidcOptions> = {}): Promise<OAuthNode> => {
    const storage = await open()
    const node = await startNode(world, {
      storage,
      base: 'https://id.example',
      oidc,
      storedKeys: true,
    })
    nodes.push(node)
    return node
  }
  beforeEach(async () => {
    place = await database.create()
    const storage = await open()
    await storage.migrate()
    world = await createWorld(storage)
  })
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close()
    for (const storage of storages.splice(0)) await storage.close()
    await place.drop()
  })

  const oauthOf = (node: OAuthNode | undefined) => `${node?.base}/oauth2/default`
  const keysOf = async (node: OAuthNode) =>
    (await get(`${oauthOf(node)}/v1/keys`)).body.keys as { kid: string }[]
  const kidsOf = async (node: OAuthNode) => (await keysOf(node)).map(({ kid }) => kid)
  const tokensAt = async (node: OAuthNode) => {
    const { exchange } = await signIn(world, oauthOf(node))
    return (await post(`${oauthOf(node)}/v1/token`, exchange)).body
  }
  const userinfoAt = async (node: OAuthNode, token: unknown) =>
    (await get(`${oauthOf(node)}/v1/userinfo`, { authorization: `Bearer ${token}` })).status
  const statuses = (answers: readonly { readonly status: number }[]) =>
    answers.map(({ status }) => status).sort()

  test('that start at once agree on one signing key', async () => {
    const started = await Promise.all([start(), start(), start(), start()])

    await Promise.all(started.map((node) => node.oidc.warmUp()))

    const kids = await Promise.all(started.map(kidsOf))
    expect(new Set(kids.flat()).size).toBe(1)
    const rows = await world.storage.db.selectFrom('signing_keys').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(rows[0]?.sealed_jwk).not.toContain('"d"')
  })

  test('take each other’s tokens, refresh tokens and interactions', async () => {
    const [first, second] = [await start(), await start()]
    const { exchange } = await signIn(world, oauthOf(first))

    const { body, status } = await post(`${oauthOf(second)}/v1/token`, exchange)
    expect(status).toBe(200)
    const refreshed = await post(`${oauthOf(first)}/v1/token`, refreshing(world.web, body.refresh_token))

    expect(refreshed.status).toBe(200)
    expect(await userinfoAt(second, refreshed.body.access_token)).toBe(200)
  })

  test('let one of eight refreshes at once win, and then the family is over', async () => {
    const pair = [await start(), await start()]
    const tokens = await tokensAt(pair[0] as OAuthNode)

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        post(`${oauthOf(pair[index % 2])}/v1/token`, refreshing(world.web, tokens.refresh_token)),
      ),
    )

    expect(statuses(answers)).toEqual([200, 400, 400, 400, 400, 400, 400, 400])
    const winner = answers.find(({ status }) => status === 200)
    const next = await post(`${oauthOf(pair[0])}/v1/token`, refreshing(world.web, winner?.body.refresh_token))
    expect(next.body.error_description).toBe('The refresh token is invalid or expired.')
    expect(await userinfoAt(pair[1] as OAuthNode, winner?.body.access_token)).toBe(401)
  })

  test('A31: let one of eight uses of a code at once win, and then its session is over', async () => {
    const pair = [await start(), await start()]
    const { exchange } = await signIn(world, oauthOf(pair[0]))

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => post(`${oauthOf(pair[index % 2])}/v1/token`, exchange)),
    )

    expect(statuses(answers)).toEqual([200, 400, 400, 400, 400, 400, 400, 400])
    const winner = answers.find(({ status }) => status === 200)
    expect(await userinfoAt(pair[0] as OAuthNode, winner?.body.access_token)).toBe(401)
  })

  test('sign with a new key after it was made, and publish the old one while its tokens live', async () => {
    const [first, second] = [await start(), await start()]
    const before = await tokensAt(first)
    const [oldKid] = await kidsOf(second)

    const newKid = await first.oidc.rotateSigningKey()

    expect(newKid).not.toBe(oldKid)
    expect(await kidsOf(second)).toEqual([newKid, oldKid])
    const after = await tokensAt(first)
    expect(headerOf(after.access_token)).toMatchObject({ kid: newKid })
    expect(await userinfoAt(second, after.access_token)).toBe(200)
    expect(await userinfoAt(second, before.access_token)).toBe(200)

    world.clock.advance(2 * 3_600_000)
    expect(await kidsOf(second)).toEqual([newKid])
    expect(await first.oidc.purge()).toBeGreaterThan(0)
  })

  test('that rotate at once make one new key', async () => {
    const pair = [await start(), await start()]
    await Promise.all(pair.map((node) => node.oidc.warmUp()))

    const kids = await Promise.all(pair.map((node) => node.oidc.rotateSigningKey()))

    expect(new Set(kids).size).toBe(1)
    expect(await kidsOf(pair[0] as OAuthNode)).toHaveLength(2)
  })

  test('keep the key where everything else starts over', async () => {
    const node = await start()
    const kids = await kidsOf(node)

    await world.storage.clear(['signing_keys'])

    expect(await kidsOf(node)).toEqual(kids)
    expect(await kidsOf(await start())).toEqual(kids)
  })

  test('open a key that an older master secret sealed, and fail loudly without it', async () => {
    const node = await start()
    const kids = await kidsOf(node)

    const renewed = await start({
      secrets: createSecrets(['a newer master secret', 'a master secret of tests']),
    })
    const without = await start({ secrets: createSecrets(['some other master secret']) })

    expect(await kidsOf(renewed)).toEqual(kids)
    await expect(without.oidc.warmUp()).rejects.toThrow(/does not open/)
    const { status, body } = await get(`${oauthOf(without)}/v1/keys`)
    expect([status, body.errorCode]).toEqual([500, 'E0000009'])
  })

  test('refuse text that the database would not store with a clear error', async () => {
    const node = await start()
    const exchange = { grant_type: 'interaction_code', interaction_code: 'x', code_verifier: 'x' }

    const { status, body } = await post(`${oauthOf(node)}/v1/token`, {
      ...exchange,
      redirect_uri: '\0',
      client_id: world.spa.id,
    })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(claimsOf((await tokensAt(node)).access_token)).toMatchObject({
      iss: 'https://id.example/oauth2/default',
    })
  })
})

const headerOf = (jwt: unknown): unknown =>
  JSON.parse(Buffer.from(String(jwt).split('.')[0] ?? '', 'base64url').toString())
