import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  createLogger,
  type Random,
  randomDigits,
  randomLegible,
  randomToken,
  s256,
  systemRandom,
} from '../../src/base/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { newVisitor, sampleWebClient, type Visitor, type VisitorOptions } from '../../src/testing/index.ts'
import { newPassword } from '../support/attacks.ts'
import { sessionTokenOf } from '../support/classic.ts'
import { apiOf } from '../support/management.ts'
import { type Node, startNode } from '../support/nodes.ts'
import { type DatabaseKind, onEachDatabase } from '../support/postgres.ts'
import { answerIn, authorizeUrl, newBrowser, signsIn, stateTokenAt, verifier } from '../support/redirects.ts'
import { post } from '../wire/oauth-app.ts'
import { dumpOf, findSecrets } from './canary-search.ts'

// Every journey on an engine whose randomness is recorded; then each secret that was drawn, typed or issued is searched
// in everything that the engine leaves behind: its log at level debug, its events, timelines, refusals and metrics, every value of every table.

const mary = 'mary@example.com'
const apiToken = 'rekey-api-token-for-tests-only-known-to-all'
const bobsPassword = 'Marmalade-Harbour-31'

/** What a draw of so many bytes makes: twice as many bytes are drawn as a secret has letters. */
const drawnFrom: Readonly<Record<number, (random: Random) => string>> = {
  86: randomToken,
  20: (random) => randomLegible(random, 10),
  12: (random) => randomDigits(random, 6),
}

/** The system's randomness, and the secrets that were made of it. */
function recordingRandom(): { readonly random: Random; readonly secrets: readonly string[] } {
  const secrets: string[] = []
  return {
    secrets,
    random: {
      bytes(length) {
        const bytes = systemRandom.bytes(length)
        const make = drawnFrom[length]
        // A draw in which too many bytes were thrown away goes on with the next bytes: its first letters will do.
        if (make !== undefined) secrets.push(make({ bytes: once(bytes) }))
        return bytes
      },
    },
  }
}

function once(bytes: Buffer): Random['bytes'] {
  let isFirst = true
  return (length) => {
    const drawn = isFirst ? bytes : Buffer.alloc(length)
    isFirst = false
    return drawn
  }
}

interface Watched {
  readonly node: Node
  readonly api: ReturnType<typeof apiOf>
  /** Answers that hold no secret, whatever was sent. */
  readonly refusals: string[]
  visitor(options?: VisitorOptions): Visitor
  /** The places in which a secret stands that was drawn so far, or is given. */
  leaks(...more: readonly string[]): Promise<readonly string[]>
  readonly secrets: readonly string[]
}

async function startWatched(database: DatabaseKind): Promise<Watched> {
  const lines: string[] = []
  const refusals: string[] = []
  const { random, secrets } = recordingRandom()
  const { url, drop } = await database.create()
  const node = await startNode({
    settings: {
      database: { url },
      management: { apiToken },
      limits: { codesPerDay: 3 },
      classic: { enabled: true },
      oauth: { implicit: true },
      clients: [
        {
          ...sampleWebClient('http://localhost:8080/login/callback', 'rekey-web-secret-for-tests-only'),
          grantTypes: ['interaction_code', 'authorization_code', 'refresh_token', 'implicit'],
        },
      ],
      people: [
        { login: mary, password: 'Tangerine-Kettle-42' },
        { login: 'bob@example.com', password: bobsPassword },
        { login: 'eve@example.com', password: 'Tangerine-Kettle-42' },
        { login: 'sam@example.com' },
      ],
    },
    ports: {
      random,
      log: createLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } }),
      hasher: createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 100 }),
    },
  })
  onTestFinished(async () => {
    await node.close()
    await drop()
  })
  return {
    node,
    secrets,
    api: apiOf({ engineUrl: node.engineUrl, apiToken }),
    refusals,
    visitor: (options) => newVisitor(node, options),
    async leaks(...more) {
      await node.engine.delivery.idle()
      const metrics = await (await fetch(`${node.engineUrl}/metrics`)).text()
      const events = JSON.stringify(await node.engine.events({ limit: 1000 }))
      const timelines = JSON.stringify(
        await Promise.all((await node.engine.transactions()).map(({ id }) => node.engine.timeline(id))),
      )
      const left = { log: lines.join(''), metrics, events, timelines, refusals: refusals.join('\n') }
      const places = { ...left, ...(await dumpOf(node.engine.storage)) }
      return findSecrets([...new Set([...secrets, ...more, apiToken, node.clientSecret])], places)
    },
  }
}

/** A request with a form to an endpoint of the authorization server. */
const oauth = async (node: Node, endpoint: string, form: Readonly<Record<string, string>>) => {
  const client = { client_id: node.clientId, client_secret: node.clientSecret }
  const body = new URLSearchParams({ ...client, ...form })
  const response = await fetch(`${node.issuer}/v1/${endpoint}`, { method: 'POST', body })
  return { status: response.status, text: await response.text() }
}

/** Each journey once, by what it is about. A journey resolves with the secrets that only its visitor knows. */
const journeys: Readonly<Record<string, (watched: Watched) => Promise<readonly unknown[]>>> = {
  async 'a recovery with wrong answers and another mail'({ visitor }) {
    const walker = await visitor().atTheCode(mary)
    const first = await walker.mail()
    await walker.answers('000000')
    await walker.resends()
    const second = await walker.mail()
    await walker.polls()
    await walker.answers(second.code)
    await walker.answers('short')
    const done = await walker.answers(newPassword)
    const { body } = await walker.redeems()
    expect(body.access_token).toBeDefined()
    return [first.code, second.code, walker.stateHandle, walker.interactionHandle, done.interactionCode, body]
  },
  async 'the link of a mail, opened twice'({ visitor }) {
    const walker = await visitor().atTheCode('bob@example.com')
    const { link, code } = await walker.mail()
    for (const _ of [1, 2]) expect((await fetch(link ?? '', { redirect: 'manual' })).status).toBeLessThan(400)
    await walker.cancels()
    return [code, new URL(link ?? '').searchParams.get('token'), walker.stateHandle]
  },
  async 'a sign-in whose tokens are used, refreshed, introspected and revoked'({ node, refusals, visitor }) {
    const walker = visitor()
    await walker.signsIn('bob@example.com', 'a wrong password')
    await walker.signsIn('bob@example.com', bobsPassword)
    const { body } = await walker.redeems()
    // A second redemption revokes what the first one issued: the worst of the answers is logged as well.
    const other = visitor()
    await other.signsIn('bob@example.com', bobsPassword)
    const code = other.response.interactionCode
    const issued = await other.redeems(code)
    refusals.push((await other.redeems(code)).text)
    await fetch(`${node.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    })
    await oauth(node, 'introspect', { token: String(body.access_token) })
    const renewed = await oauth(node, 'token', {
      grant_type: 'refresh_token',
      refresh_token: String(body.refresh_token),
    })
    expect(renewed.status).toBe(200)
    await oauth(node, 'revoke', { token: String(JSON.parse(renewed.text).refresh_token) })
    return [body, issued.body, JSON.parse(renewed.text), code]
  },
  async 'a redirect: pushed, with a proof of a key, silent, and by a session token'({ node, refusals }) {
    const { issuer, engineUrl, clientId: id, clientSecret: secret, redirectUri } = node
    const client = { id, secret }
    const key = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(key.publicKey)
    const proofFor = (endpoint: string, claims: object) =>
      new SignJWT({ htm: 'POST', htu: `${issuer}/v1/${endpoint}`, jti: crypto.randomUUID(), ...claims })
        .setIssuedAt()
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(key.privateKey)
    const browser = newBrowser()
    const asked = { redirect_uri: redirectUri }
    const form = Object.fromEntries(new URL(authorizeUrl(issuer, client, asked)).searchParams)
    const pushed = await oauth(node, 'par', form)
    const name = String(JSON.parse(pushed.text).request_uri)
    const page = await browser.goes(
      `${issuer}/v1/authorize?${new URLSearchParams({ client_id: id, request_uri: name })}`,
    )
    refusals.push(
      await (
        await browser.goes(
          `${issuer}/v1/authorize?${new URLSearchParams({ client_id: id, request_uri: name })}`,
        )
      ).text(),
    )
    const bob = { login: 'bob@example.com', password: bobsPassword }
    const end = await signsIn(engineUrl, await stateTokenAt(page), bob)
    const { code = '' } = answerIn(await browser.goes(String(end.success?.href)))
    const exchange = {
      ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
      ...{ client_id: id, client_secret: secret },
    }
    const nonce = await post(`${issuer}/v1/token`, exchange, { dpop: await proofFor('token', {}) })
    const dpop = await proofFor('token', { nonce: nonce.headers.get('dpop-nonce') })
    const { body } = await post(`${issuer}/v1/token`, exchange, { dpop })
    expect(body.token_type).toBe('DPoP')
    const token = String(body.access_token)
    const proof = await proofFor('userinfo', { ath: s256(token) })
    for (const _ of [1, 2])
      await post(`${issuer}/v1/userinfo`, {}, { authorization: `DPoP ${token}`, dpop: proof })
    const silent = await browser.goes(authorizeUrl(issuer, client, { ...asked, prompt: 'none' }))
    const tokens = await browser.goes(
      authorizeUrl(issuer, client, { ...asked, response_type: 'code id_token', prompt: 'none' }),
    )
    const { id_token } = answerIn(tokens)
    const sessionToken = await sessionTokenOf(node, bob)
    for (const _ of [1, 2]) {
      await newBrowser().goes(authorizeUrl(issuer, client, { ...asked, prompt: 'none', sessionToken }))
    }
    const cookies = [...browser.cookies.values()].filter((value) => value.length > 40)
    expect(cookies.length).toBeGreaterThan(1)
    await browser.goes(`${issuer}/v1/logout?${new URLSearchParams({ id_token_hint: String(body.id_token) })}`)
    return [
      ...[name, code, answerIn(silent).code, id_token, sessionToken, dpop, proof, body],
      ...cookies.flatMap((value) => value.split('.').at(-1) ?? []),
    ]
  },
  async 'a recovery by a token that an administrator handed out'({ api, visitor }) {
    const { id } = (await api('GET', '/users/eve@example.com')).body
    const { body } = await api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)
    const recoveryToken = String(body.resetPasswordUrl).split('/').at(-1) ?? ''
    const walker = visitor()
    await walker.begins({ recovery_token: recoveryToken })
    expect(walker.remediations).toContain('reset-authenticator')
    await walker.answers(newPassword)
    return [recoveryToken, walker.response.interactionCode]
  },
  async 'a temporary password that has expired'({ api, visitor }) {
    const { id } = (await api('GET', '/users/eve@example.com')).body
    const { body } = await api('POST', `/users/${id}/lifecycle/expire_password_with_temp_password`)
    const walker = visitor()
    await walker.signsIn('eve@example.com', String(body.tempPassword))
    expect(walker.remediations).toContain('reenroll-authenticator')
    await walker.answers('Lantern-Orchard-58')
    return [body.tempPassword, 'Lantern-Orchard-58', walker.response.interactionCode]
  },
  async 'a long code, after too many wrong ones'({ visitor }) {
    const walker = await visitor().atTheCode('sam@example.com')
    await walker.mail()
    for (const _ of [1, 2, 3]) await walker.answers('000000')
    const again = await visitor().atTheCode('sam@example.com')
    const { code } = await again.mail()
    expect(code).toMatch(/^\w{10}$/)
    await again.answers(code)
    return [code]
  },
  async 'an unknown user, wrong secrets and garbage'({ node, refusals, visitor }) {
    const walker = await visitor().atTheCode('nobody@example.com')
    const broken = await fetch(`${node.engineUrl}/idp/idx/identify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"stateHandle":"${walker.stateHandle}","credentials":{"passcode":"Broken-Within-65"`,
    })
    refusals.push(await broken.text())
    const refused = await oauth(node, 'revoke', { client_secret: 'Another-Secret-64', token: 'none' })
    expect(refused.status).toBe(401)
    refusals.push(refused.text)
    await walker.answers('123456')
    await walker.submits('challenge/answer', { credentials: { passcode: { nested: 'Garbage-Within-66' } } })
    const garbage = {
      grant_type: 'interaction_code',
      interaction_code: 'Garbage-Code-67',
      code_verifier: 'v',
    }
    refusals.push((await oauth(node, 'token', garbage)).text)
    return [
      'Broken-Within-65',
      'Another-Secret-64',
      'Garbage-Within-66',
      'Garbage-Code-67',
      walker.stateHandle,
    ]
  },
  async 'a client and a user of the management API'({ api }) {
    const app = await api('POST', '/apps', {
      name: 'oidc_client',
      label: 'Shop',
      signOnMode: 'OPENID_CONNECT',
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_basic' } },
      settings: {
        oauthClient: {
          application_type: 'web',
          redirect_uris: ['https://shop.example/in'],
          grant_types: ['interaction_code'],
          response_types: ['code'],
        },
      },
    })
    const credentials = app.body.credentials as { oauthClient?: { client_secret?: string } }
    expect(credentials.oauthClient?.client_secret).toBeDefined()
    const profile = { login: 'zoe@example.com', email: 'zoe@example.com', firstName: 'Zoe', lastName: 'Z' }
    await api('POST', '/users', { profile, credentials: { password: { value: 'Pebble-Umbrella-19' } } })
    return [credentials.oauthClient?.client_secret, 'Pebble-Umbrella-19']
  },
}

/** The texts within what a journey knows: tokens stand in bodies. Ids and other short texts are no secrets. */
const secretsIn = (known: readonly unknown[]): readonly string[] =>
  known.flatMap((value) => {
    if (typeof value === 'string') return [value]
    if (typeof value !== 'object' || value === null) return []
    const { access_token, id_token, refresh_token } = value as Readonly<Record<string, unknown>>
    return [access_token, id_token, refresh_token].filter((token) => typeof token === 'string')
  })

onEachDatabase('what an engine leaves behind', (database) => {
  test('A42: no secret of any journey stands in the log, events, refusals, metrics or the database', async () => {
    const watched = await startWatched(database)
    const known: string[] = []
    for (const walk of Object.values(journeys)) known.push(...secretsIn(await walk(watched)))
    expect(known.filter((secret) => secret.length < 5)).toEqual([])

    // What is searched holds what was drawn: the codes and link tokens of the mails are among the recorded secrets.
    const mailed = watched.node.outbox
      .all()
      .flatMap(({ code, link }) => [code, link && new URL(link).searchParams.get('token')])
      .filter((secret) => secret !== null)
    const isRecorded = (secret: string) => watched.secrets.some((drawn) => secret.endsWith(drawn))
    expect(mailed.length).toBeGreaterThan(8)
    expect(mailed.filter((secret) => !isRecorded(secret))).toEqual([])
    expect(await watched.leaks(...known)).toEqual([])
  })

  describe('is searched for real', () => {
    test('A42: a code, the token of a link, a password, a state handle or a token that is left in the database is found', async () => {
      const watched = await startWatched(database)
      const { db } = watched.node.engine.storage
      const walker = await watched.visitor().atTheCode(mary)
      const { code, link } = await walker.mail()
      const signedIn = watched.visitor()
      await signedIn.signsIn('bob@example.com', bobsPassword)
      const { body } = await signedIn.redeems()
      const secrets = [
        code,
        new URL(link ?? '').searchParams.get('token'),
        bobsPassword,
        walker.stateHandle,
        body.access_token,
        body.refresh_token,
      ]
      expect(await watched.leaks()).toEqual([])
      for (const secret of secrets) {
        await db
          .insertInto('settings')
          .values({ key: 'a leak', value: `left here: ${secret}` })
          .execute()
        expect(await watched.leaks(String(body.refresh_token))).toEqual([
          expect.stringMatching(/^table settings: /),
        ])
        await db.deleteFrom('settings').where('key', '=', 'a leak').execute()
      }
    })
  })
})
