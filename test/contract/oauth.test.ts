import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { afterEach, expect, test } from 'vitest'
import { s256, silentLogger } from '../../src/base/index.ts'
import { checkConfig } from '../../src/config/index.ts'
import { type Engine, openEngine } from '../../src/engine/index.ts'
import { mary } from '../../src/testing/index.ts'
import { type Nodes, publicAddress, startNodes } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { claimsOf, get, post, refreshing, signIn } from '../wire/oauth-app.ts'

// Nodes of one engine are apart in everything but the database; each has its own connections and keys.
onEachDatabase('nodes of one engine', (database) => {
  let nodes: Nodes
  const others: Engine[] = []

  const start = async (count: number): Promise<readonly string[]> => {
    nodes = await startNodes(database, count)
    return nodes.engines.map(addressOf)
  }
  /** One more node, with other master secrets. */
  const startOther = async (...secrets: string[]): Promise<Engine> => {
    const settings = { ...nodes.settings, ...(secrets.length > 0 && { secrets }) }
    const engine = await openEngine(checkConfig(settings), { clock: nodes.clock, log: silentLogger })
    others.push(engine)
    return engine
  }
  afterEach(async () => {
    for (const engine of others.splice(0)) await engine.close()
    await nodes.close()
  })

  const addressOf = ({ port }: Engine) => `http://localhost:${port}/oauth2/default`
  const kidsOf = async (oauth: string) =>
    ((await get(`${oauth}/v1/keys`)).body.keys as { kid: string }[]).map(({ kid }) => kid)
  /** A sign-in of Mary at a node, up to the code. */
  const signInAt = (oauth: string) => {
    const { balancer } = nodes
    const { clientId: id, clientSecret: secret } = balancer
    const target = { ...balancer, issuer: oauth, engineUrl: oauth.replace('/oauth2/default', '') }
    return signIn(target, { client: { id, secret }, user: mary })
  }
  const tokensAt = async (oauth: string) => {
    const { exchange, client } = await signInAt(oauth)
    return { client, ...(await post(`${oauth}/v1/token`, exchange)).body }
  }
  const userinfoAt = async (oauth: string, token: unknown) =>
    (await get(`${oauth}/v1/userinfo`, { authorization: `Bearer ${token}` })).status
  const statuses = (answers: readonly { readonly status: number }[]) =>
    answers.map(({ status }) => status).sort()

  test('that start at once agree on one signing key', async () => {
    const started = await start(4)

    await Promise.all(nodes.engines.map(({ oidc }) => oidc.warmUp()))

    const kids = await Promise.all(started.map(kidsOf))
    expect(new Set(kids.flat()).size).toBe(1)
    const [engine] = nodes.engines
    const rows = await engine?.storage.db.selectFrom('signing_keys').selectAll().execute()
    expect(rows).toHaveLength(1)
    expect(rows?.[0]?.sealed_jwk).not.toContain('"d"')
  })

  // A31
  test('take a proof once, whichever of them gets it, and each other’s nonces', async () => {
    const at = await start(2)
    const key = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(key.publicKey)
    const proofFor = (endpoint: string, claims: object) =>
      new SignJWT({
        ...{ htu: `${publicAddress}/oauth2/default/v1/${endpoint}`, jti: crypto.randomUUID() },
        ...claims,
      })
        .setIssuedAt()
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(key.privateKey)
    const exchanges = []
    for (const oauth of [...at, ...at]) exchanges.push((await signInAt(oauth)).exchange)
    const redeem = (node: number, exchange: object, dpop: string) =>
      post(`${at[node % 2]}/v1/token`, { ...exchange }, { dpop })
    const asked = await redeem(0, exchanges[0] ?? {}, await proofFor('token', { htm: 'POST' }))
    const nonce = asked.headers.get('dpop-nonce')
    const dpop = await proofFor('token', { htm: 'POST', nonce })

    const redeemed = await Promise.all(exchanges.map((exchange, node) => redeem(node + 1, exchange, dpop)))

    expect(statuses(redeemed)).toEqual([200, 400, 400, 400])
    const token = String(redeemed.find(({ status }) => status === 200)?.body.access_token)
    const proof = await proofFor('userinfo', { htm: 'GET', ath: s256(token) })
    const infos = await Promise.all(
      [...at, ...at].map((oauth) =>
        get(`${oauth}/v1/userinfo`, { authorization: `DPoP ${token}`, dpop: proof }),
      ),
    )
    expect(statuses(infos)).toEqual([200, 401, 401, 401])
  })

  test('take each other’s tokens, refresh tokens and interactions', async () => {
    const [first = '', second = ''] = await start(2)
    const { exchange, client } = await signInAt(first)

    const { body, status } = await post(`${second}/v1/token`, exchange)
    expect(status).toBe(200)
    const refreshed = await post(`${first}/v1/token`, refreshing(client, body.refresh_token))

    expect(refreshed.status).toBe(200)
    expect(await userinfoAt(second, refreshed.body.access_token)).toBe(200)
  })

  test('answer eight refreshes at once with one successor, which is used once', async () => {
    const pair = await start(2)
    const [first = '', second = ''] = pair
    const { client, refresh_token } = await tokensAt(first)

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        post(`${pair[index % 2]}/v1/token`, refreshing(client, refresh_token)),
      ),
    )

    expect(statuses(answers)).toEqual(Array.from({ length: 8 }, () => 200))
    const successors = new Set(answers.map(({ body }) => body.refresh_token))
    expect(successors.size).toBe(1)
    const [successor] = successors
    const next = await post(`${first}/v1/token`, refreshing(client, successor))
    expect(next.status).toBe(200)
    // The successor was used: one more retry is another party's.
    const late = await post(`${second}/v1/token`, refreshing(client, refresh_token))
    expect(late.body.error_description).toBe('The refresh token is invalid or expired.')
    expect(await userinfoAt(second, next.body.access_token)).toBe(401)
  })

  test('A31: let one of eight uses of a code at once win, and then its session is over', async () => {
    const pair = await start(2)
    const [first = ''] = pair
    const { exchange } = await signInAt(first)

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => post(`${pair[index % 2]}/v1/token`, exchange)),
    )

    expect(statuses(answers)).toEqual([200, 400, 400, 400, 400, 400, 400, 400])
    const winner = answers.find(({ status }) => status === 200)
    expect(await userinfoAt(first, winner?.body.access_token)).toBe(401)
  })

  test('sign with a new key after it was made, and publish the old one while its tokens live', async () => {
    const [first = '', second = ''] = await start(2)
    const [engine] = nodes.engines
    const before = await tokensAt(first)
    const [oldKid] = await kidsOf(second)

    const newKid = await engine?.oidc.rotateSigningKey()

    // Published a minute before it signs, so that a verifier that has just fetched the keys knows it (jose#349).
    expect(newKid).not.toBe(oldKid)
    expect(await kidsOf(first)).toEqual([newKid, oldKid])
    expect(await kidsOf(second)).toEqual([newKid, oldKid])
    nodes.clock.advance(55_000)
    expect(headerOf((await tokensAt(second)).access_token)).toMatchObject({ kid: oldKid })

    nodes.clock.advance(5_000)
    const after = await tokensAt(first)
    expect(await kidsOf(second)).toEqual([newKid, oldKid])
    expect(headerOf((await tokensAt(second)).access_token)).toMatchObject({ kid: newKid })
    expect(headerOf(after.access_token)).toMatchObject({ kid: newKid })
    expect(await userinfoAt(second, after.access_token)).toBe(200)
    expect(await userinfoAt(second, before.access_token)).toBe(200)

    nodes.clock.advance(2 * 3_600_000)
    expect(await kidsOf(second)).toEqual([newKid])
    // It is held for sign-outs until the last session has ended.
    nodes.clock.advance(31 * 86_400_000)
    await engine?.oidc.purge()
    const stored = await engine?.storage.db.selectFrom('signing_keys').select('kid').execute()
    expect(stored).toEqual([{ kid: newKid }])
  })

  test('rotate without a refused token: a verifier that fetched the keys a moment before knows the next one (jose#349)', async () => {
    const [first = ''] = await start(1)
    const issuer = `${publicAddress}/oauth2/default`
    // Like jose's own defaults, it fetches again after half a minute at the earliest, whatever it does not know.
    const verifier = () => createRemoteJWKSet(new URL(`${first}/v1/keys`))
    const verified = async (keys: ReturnType<typeof verifier>) => {
      const { access_token: token } = await tokensAt(first)
      return (await jwtVerify(String(token), keys, { issuer })).protectedHeader.kid
    }
    const before = verifier()
    const oldKid = await verified(before)
    const newKid = await nodes.engines[0]?.oidc.rotateSigningKey()

    expect(await verified(before)).toBe(oldKid)
    nodes.clock.advance(50_000)
    const meanwhile = verifier()
    expect(await verified(meanwhile)).toBe(oldKid)
    nodes.clock.advance(10_000)
    expect(await verified(meanwhile)).toBe(newKid)
  })

  test('that rotate at once make one new key', async () => {
    const [first = ''] = await start(2)
    await Promise.all(nodes.engines.map(({ oidc }) => oidc.warmUp()))

    const kids = await Promise.all(nodes.engines.map(({ oidc }) => oidc.rotateSigningKey()))

    expect(new Set(kids).size).toBe(1)
    expect(await kidsOf(first)).toHaveLength(2)
  })

  test('sign with a new key at once where that is asked for, also with one that waits', async () => {
    const [first = '', second = ''] = await start(2)
    const [oldKid] = await kidsOf(first)
    const [one, other] = nodes.engines
    const newKid = await one?.oidc.rotateSigningKey({ now: true })
    expect(await kidsOf(second)).toEqual([newKid, oldKid])
    expect(headerOf((await tokensAt(second)).access_token)).toMatchObject({ kid: newKid })

    const waiting = await one?.oidc.rotateSigningKey()
    expect(await other?.oidc.rotateSigningKey({ now: true })).toBe(waiting)
    expect(headerOf((await tokensAt(first)).access_token)).toMatchObject({ kid: waiting })
    expect(await kidsOf(first)).toHaveLength(3)
  })

  test('end a leaked key at once: unpublished, its tokens refused, another one signs, on every node', async () => {
    const pair = await start(2)
    const [first = '', second = ''] = pair
    const before = await tokensAt(first)
    // Both nodes have the keys cached.
    for (const address of pair) expect(await userinfoAt(address, before.access_token)).toBe(200)
    const [leaked = ''] = await kidsOf(first)
    const introspected = async (token: unknown) => {
      const { clientId: client_id, clientSecret: client_secret } = nodes.balancer
      const { body } = await post(`${second}/v1/introspect`, {
        client_id,
        client_secret,
        token: String(token),
      })
      return body.active
    }
    expect([await introspected(before.access_token), await introspected(before.id_token)]).toEqual([
      true,
      true,
    ])

    const signs = await nodes.engines[0]?.oidc.revokeSigningKey(leaked)

    // Before anything makes a node read the keys again: what it has cached decides nothing.
    const hint = await post(`${second}/v1/logout`, { id_token_hint: String(before.id_token) })
    expect(hint.status).toBe(400)
    expect(await introspected(before.id_token)).toBe(false)
    expect(await introspected(before.access_token)).toBe(false)
    expect(await userinfoAt(second, before.access_token)).toBe(401)
    // The session is alive: the app gets tokens of the new key, also from the node that had cached the old one.
    const after = await tokensAt(second)
    expect(headerOf(after.access_token)).toMatchObject({ kid: signs })
    expect(await userinfoAt(first, after.access_token)).toBe(200)
    for (const address of pair) expect(await kidsOf(address)).toEqual([signs])
    const refreshed = await post(`${second}/v1/token`, refreshing(before.client, before.refresh_token))
    expect(headerOf(refreshed.body.access_token)).toMatchObject({ kid: signs })
    const events = await nodes.engines[1]?.events()
    expect(events?.find(({ eventType }) => eventType === 'app.oauth2.as.key.revoke')).toMatchObject({
      severity: 'WARN',
      target: [{ id: leaked, type: 'JWK' }],
    })
    expect(await nodes.engines[0]?.oidc.revokeSigningKey(leaked)).toBeUndefined()
  })

  test('revoke a key that waits, or is retired, and sign on with the current one', async () => {
    const [first = ''] = await start(1)
    const [oidc] = nodes.engines.map((engine) => engine.oidc)
    const [current] = await kidsOf(first)
    const waiting = (await oidc?.rotateSigningKey()) ?? ''
    expect(await oidc?.signingKeys()).toEqual([
      { kid: current, state: 'current', createdAt: expect.any(Number) },
      { kid: waiting, state: 'next', createdAt: expect.any(Number), signsFrom: expect.any(Number) },
    ])
    expect(await oidc?.revokeSigningKey(waiting)).toBe(current)
    nodes.clock.advance(61_000)
    expect(await kidsOf(first)).toEqual([current])

    const newest = await oidc?.rotateSigningKey({ now: true })
    expect(await oidc?.revokeSigningKey(current ?? '')).toBe(newest)
    expect(await kidsOf(first)).toEqual([newest])
    // The next key takes the place of a current one that is revoked: verifiers have had more time to fetch it.
    const next = await oidc?.rotateSigningKey()
    expect(await oidc?.revokeSigningKey(newest ?? '')).toBe(next)
  })

  test.each([{ rotations: 1 }, { rotations: 3 }])(
    'end the session of an ID token whose key was rotated away $rotations times, for as long as sessions live',
    async ({ rotations }) => {
      const [first = '', second = ''] = await start(2)
      const [engine] = nodes.engines
      const [old] = await kidsOf(first)
      const { client, ...tokens } = await tokensAt(first)
      for (let rotation = 0; rotation < rotations; rotation++) {
        await engine?.oidc.rotateSigningKey({ now: true })
        nodes.clock.advance(43_200_000)
      }
      nodes.clock.advance(25 * 86_400_000)
      await engine?.oidc.purge()
      const stored = await engine?.storage.db.selectFrom('signing_keys').selectAll().execute()

      expect(await kidsOf(second)).not.toContain(old)
      expect(stored?.find(({ kid }) => kid === old)?.sealed_jwk).toBe('')
      // For sign-outs alone: nothing else takes what such a key has signed.
      expect(await userinfoAt(second, tokens.access_token)).toBe(401)
      const refreshed = await post(`${first}/v1/token`, refreshing(client, tokens.refresh_token))
      expect(refreshed.status).toBe(200)
      const signedOut = await get(`${second}/v1/logout?id_token_hint=${tokens.id_token}`)
      expect([signedOut.status, signedOut.headers.get('content-type')]).toEqual([
        200,
        'text/html; charset=utf-8',
      ])
      const late = await post(`${first}/v1/token`, refreshing(client, refreshed.body.refresh_token))
      expect(late.body.error).toBe('invalid_grant')

      nodes.clock.advance(10 * 86_400_000)
      await engine?.oidc.purge()
      const left = await engine?.storage.db.selectFrom('signing_keys').select('kid').execute()
      expect(left?.map(({ kid }) => kid)).not.toContain(old)
      expect((await get(`${second}/v1/logout?id_token_hint=${tokens.id_token}`)).status).toBe(400)
    },
  )

  test('take no ID token of a key that was revoked after it had been rotated away', async () => {
    const [first = ''] = await start(1)
    const [oidc] = nodes.engines.map((engine) => engine.oidc)
    const [old = ''] = await kidsOf(first)
    const { client, ...tokens } = await tokensAt(first)
    await oidc?.rotateSigningKey({ now: true })
    nodes.clock.advance(86_400_000)
    await oidc?.revokeSigningKey(old)

    expect((await get(`${first}/v1/logout?id_token_hint=${tokens.id_token}`)).status).toBe(400)
    expect((await post(`${first}/v1/token`, refreshing(client, tokens.refresh_token))).status).toBe(200)
  })

  test('introspect and revoke the tokens of a key that was rotated away, while they are valid', async () => {
    const [first = '', second = ''] = await start(2)
    const [engine] = nodes.engines
    const { client, ...tokens } = await tokensAt(first)
    for (let rotation = 0; rotation < 2; rotation++) await engine?.oidc.rotateSigningKey({ now: true })
    nodes.clock.advance(1_800_000)
    const ask = async (path: string, token: unknown) => {
      const secret = client.secret === undefined ? {} : { client_secret: client.secret }
      return post(`${second}/v1/${path}`, { token: String(token), client_id: client.id, ...secret })
    }
    const active = async (token: unknown) => (await ask('introspect', token)).body.active

    expect([await active(tokens.access_token), await active(tokens.id_token)]).toEqual([true, true])
    expect((await ask('revoke', tokens.access_token)).status).toBe(200)
    expect([await active(tokens.access_token), await active(tokens.refresh_token)]).toEqual([false, true])
  })

  test('keep the key where everything else starts over', async () => {
    const [first = ''] = await start(1)
    const kids = await kidsOf(first)

    await nodes.engines[0]?.reset()

    expect(await kidsOf(first)).toEqual(kids)
    expect(await kidsOf(addressOf(await startOther()))).toEqual(kids)
  })

  test('open a key that an older master secret sealed, and do not start without it', async () => {
    const [first = ''] = await start(1)
    const kids = await kidsOf(first)

    const renewed = await startOther('a newer master secret', ...(nodes.settings.secrets ?? []))

    expect(await kidsOf(addressOf(renewed))).toEqual(kids)
    expect((await tokensAt(addressOf(renewed))).access_token).toBeDefined()
    await expect(startOther('some other master secret')).rejects.toThrow(/REKEY_SECRET is not the secret/)
  })

  test('refuse text that the database would not store with a clear error', async () => {
    const [first = ''] = await start(1)
    const exchange = { grant_type: 'interaction_code', interaction_code: 'x', code_verifier: 'x' }

    const { status, body } = await post(`${first}/v1/token`, {
      ...exchange,
      redirect_uri: '\0',
      client_id: 'no-client',
    })

    expect([status, body.error]).toEqual([400, 'invalid_request'])
    expect(claimsOf((await tokensAt(first)).access_token)).toMatchObject({
      iss: `${publicAddress}/oauth2/default`,
    })
  })
})

const headerOf = (jwt: unknown): unknown =>
  JSON.parse(Buffer.from(String(jwt).split('.')[0] ?? '', 'base64url').toString())
