import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { answerFrom, type Kit, type Visitor } from '../../src/testing/index.ts'
import { atTheReset, manyMails, newPassword, scale, startTarget, visit } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'

const victim = 'mary@example.com'
const redirectUri = 'https://app.example/login/callback'
const loopback = { id: 'loop', label: 'Loop', applicationType: 'native' as const, postLogoutRedirectUris: [] }
let idp: Kit
beforeAll(async () => {
  idp = await startTarget({
    redirectUri,
    tokens: 'virtual',
    settings: { limits: manyMails },
    clients: [
      { ...loopback, redirectUris: ['com.app:/callback', redirectUri] },
      {
        id: 'other-web',
        secret: 'the secret of another app',
        label: 'Other',
        applicationType: 'web',
        redirectUris: [redirectUri],
        postLogoutRedirectUris: [],
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const post = async (path: string, form: Readonly<Record<string, string>>) => {
  const body = new URLSearchParams(form)
  const response = await fetch(`${idp.issuer}/v1/${path}`, { method: 'POST', body, redirect: 'manual' })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}
const app = () => ({ client_id: idp.clientId, client_secret: idp.clientSecret })
const challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url')
const interaction = () => ({
  ...app(),
  scope: 'openid',
  redirect_uri: redirectUri,
  code_challenge: challenge,
  code_challenge_method: 'S256',
  state: 'a state',
})

/** Signs a user in up to the interaction code. */
async function granted(): Promise<{ readonly visitor: Visitor; readonly code: string }> {
  const visitor = await visit(idp)
  const done = await visitor.submits('identify', {
    identifier: victim,
    credentials: { passcode: idp.person.password },
  })
  return { visitor, code: done.interactionCode ?? '' }
}
const redeem = (code: string, visitor: Visitor, changes: Readonly<Record<string, string>> = {}) =>
  post('token', {
    grant_type: 'interaction_code',
    interaction_code: code,
    code_verifier: visitor.verifier,
    redirect_uri: redirectUri,
    ...app(),
    ...changes,
  })
const isActive = async (token: string) =>
  (await post('introspect', { ...app(), token })).body.active as boolean

describe('a redirect that leads elsewhere', () => {
  const payloads: readonly string[] = [
    'https://evil.example/login/callback',
    'https://app.example.evil.example/login/callback',
    'https://app.example@evil.example/login/callback',
    'https://app.example:443@evil.example/login/callback',
    'https://evil.example#@app.example/login/callback',
    'https://evil.example?@app.example/login/callback',
    'https://evil.example\\@app.example/login/callback',
    'https://app.example\\@evil.example/login/callback',
    'https:\\\\app.example\\login\\callback',
    'https:/app.example/login/callback',
    'https:app.example/login/callback',
    '//app.example/login/callback',
    '//evil.example/login/callback',
    '///evil.example/login/callback',
    '/login/callback',
    'http://app.example/login/callback',
    'HTTPS://app.example/login/callback',
    'https://APP.example/login/callback',
    'https://app.example./login/callback',
    'https://app.example:443/login/callback',
    'https://app.example:8443/login/callback',
    'https://user:pass@app.example/login/callback',
    'https://app.example/login/callback/',
    'https://app.example/login/callback?x=1',
    'https://app.example/login/callback#x',
    'https://app.example/login/callback%0a',
    'https://app.example/login/callback\n',
    'https://app.example/login/callback\u0000',
    ' https://app.example/login/callback',
    'https://app.example/login/callback ',
    'https://app.example/login/../login/callback',
    'https://app.example/login/%2e%2e/login/callback',
    'https://app.example//login/callback',
    'https://app.example/Login/callback',
    'https://app.example/login%2fcallback',
    'https://\uff41pp.example/login/callback',
    'https://app\u3002example/login/callback',
    'https://xn--app-.example/login/callback',
    'javascript://app.example/login/callback',
    'data:text/html,https://app.example/login/callback',
    'http://localhost:80@evil.example/',
    'http://localhost:8080.evil.example/',
    '',
  ]

  test.each(payloads)('A30: %j begins nothing', async (uri) => {
    const refused = await post('interact', { ...interaction(), redirect_uri: uri })
    expect([refused.status, refused.headers.get('location')]).toEqual([400, null])
    expect(refused.body.interaction_handle).toBeUndefined()
    const loose = await post('interact', {
      ...interaction(),
      client_id: idp.publicClientId,
      client_secret: '',
      redirect_uri: uri,
    })
    expect(loose.status).toBe(400)
  })

  test('A30: only the very text that is registered is taken, and sign-out is as strict', async () => {
    expect((await post('interact', interaction())).status).toBe(200)
    const { visitor, code } = await granted()
    const { id_token: idToken } = (await redeem(code, visitor)).body
    for (const uri of payloads.filter((payload) => payload !== '')) {
      const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: uri })
      const response = await fetch(`${idp.issuer}/v1/logout?${query}`, { redirect: 'manual' })
      expect([uri, response.headers.get('location')]).toEqual([uri, null])
    }
  })
})

describe('an interaction code in the wrong hands', () => {
  test('A31: a second use gets nothing and ends the tokens of the first', async () => {
    const { visitor, code } = await granted()
    const first = await redeem(code, visitor)
    expect(await isActive(first.body.access_token)).toBe(true)

    const second = await redeem(code, visitor)
    expect([second.status, second.body.error]).toEqual([400, 'invalid_grant'])
    expect(await isActive(first.body.access_token)).toBe(false)
    expect(await isActive(first.body.refresh_token)).toBe(false)
    const refreshed = await post('token', {
      ...app(),
      grant_type: 'refresh_token',
      refresh_token: first.body.refresh_token,
    })
    expect(refreshed.status).toBe(400)
    const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${first.body.access_token}` },
    })
    expect(userinfo.status).toBe(401)
  })

  test.each([
    ['without a verifier', { code_verifier: '' }],
    ['with a wrong verifier', { code_verifier: 'w'.repeat(43) }],
    ['with the challenge as its verifier', { code_verifier: challenge }],
    ['of another client', { client_id: 'other-web', client_secret: 'the secret of another app' }],
    ['of a client without a secret', { client_id: 'loop', client_secret: '' }],
    ['without the client secret', { client_secret: '' }],
    ['with a wrong client secret', { client_secret: 'not the secret of the app' }],
    ['for another redirect URI', { redirect_uri: 'https://app.example/' }],
    ['as an authorization code', { grant_type: 'authorization_code', code: 'CODE' }],
  ])('A31: a code %s is worth nothing, and not spent', async (_, changes) => {
    const { visitor, code } = await granted()
    const filled = Object.fromEntries(
      Object.entries(changes).map(([name, value]) => [name, value === 'CODE' ? code : String(value)]),
    )
    const refused = await redeem(code, visitor, filled)
    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect(refused.body.access_token).toBeUndefined()
    expect((await redeem(code, visitor)).status).toBe(200)
  })

  test('A31: a code of the other authorization server is worth nothing', async () => {
    const { visitor, code } = await granted()
    const response = await fetch(`${idp.orgIssuer}/oauth2/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'interaction_code',
        interaction_code: code,
        code_verifier: visitor.verifier,
        ...app(),
      }),
    })
    expect(response.status).toBe(400)
    expect((await redeem(code, visitor)).status).toBe(200)
  })

  test.each([
    ['plain', { code_challenge_method: 'plain', code_challenge: 'v'.repeat(43) }],
    ['no method', { code_challenge_method: '' }],
    ['no challenge', { code_challenge: '' }],
    ['a short challenge', { code_challenge: 'short' }],
  ])('A31: an interaction with %s does not begin', async (_, changes) => {
    const refused = await post('interact', { ...interaction(), ...changes })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request'])
  })
})

describe('handles', () => {
  test('A32: interaction handles, state handles and codes are of 128 bits and more, and never twice', async () => {
    const seen = { interaction: new Set<string>(), state: new Set<string>(), code: new Set<string>() }
    const rounds = scale(50, 1000)
    for (let round = 0; round < rounds; round++) {
      const { visitor, code } = await granted()
      seen.interaction.add(visitor.interactionHandle)
      seen.state.add(visitor.stateHandle.replace(/^02\.id\./, ''))
      seen.code.add(code)
    }
    for (const handles of Object.values(seen)) {
      expect(handles.size).toBe(rounds)
      for (const handle of handles) {
        expect(handle).toMatch(/^[\w-]{43}$/)
        // 43 letters that hardly repeat: far from a counter or a time.
        expect(new Set(handle).size).toBeGreaterThan(18)
      }
    }
    const near = [...seen.state].map((handle) => `02.id.${handle.slice(0, -1)}A`)
    for (const stateHandle of near.slice(0, 20)) {
      const guessed = await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ stateHandle }),
      })
      expect(guessed.status).toBe(401)
    }
  })

  test('A32: after success neither handle opens anything, and only the client of the code may redeem it', async () => {
    const { visitor, code } = await granted()
    expect((await idp.engine.transactions(1)).map(({ closed }) => closed)).toEqual(['completed'])
    const look = async (body: object) => {
      const response = await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      return [response.status, ...(await answerFrom(response)).messages]
    }
    expect(await look({ interactionHandle: visitor.interactionHandle })).toEqual([401, 'idx.session.expired'])
    expect(await look({ stateHandle: visitor.stateHandle })).toEqual([401, 'idx.session.expired'])
    expect(await look({ stateToken: visitor.stateHandle })).toEqual([401, 'idx.session.expired'])
    for (const path of ['identify', 'recover', 'challenge', 'challenge/answer', 'cancel']) {
      expect((await visitor.submits(path, { identifier: victim })).status).toBe(401)
    }
    expect((await visitor.redeems(visitor.interactionHandle)).status).toBe(400)
    expect((await visitor.redeems(visitor.stateHandle)).status).toBe(400)
    expect((await visitor.redeems(code)).status).toBe(200)
  })
})

describe('a refresh token that two parties hold', () => {
  test('A31: its second use ends its family, whatever else the request asks for', async () => {
    const { visitor, code } = await granted()
    const { body: first } = await redeem(code, visitor)
    const refresh = (token: string, changes: Readonly<Record<string, string>> = {}) =>
      post('token', { ...app(), grant_type: 'refresh_token', refresh_token: token, ...changes })
    const { body: second } = await refresh(first.refresh_token)
    idp.clock.advance('40s')

    const stolen = await refresh(first.refresh_token, { scope: 'openid phone' })
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant'])
    const owner = await refresh(second.refresh_token)
    expect([owner.status, owner.body.error]).toEqual([400, 'invalid_grant'])
    expect(await isActive(second.access_token)).toBe(false)
  })
})

describe('what was signed in before a reset', () => {
  test('A33: tokens of before fail at refresh, introspection and userinfo; those of the reset work', async () => {
    const before = []
    for (let session = 0; session < 2; session++) {
      const { visitor, code } = await granted()
      before.push((await redeem(code, visitor)).body)
    }
    expect(await Promise.all(before.map((tokens) => isActive(tokens.access_token)))).toEqual([true, true])

    const owner = await atTheReset(idp, victim)
    const done = await owner.answers(newPassword)
    for (const tokens of before) {
      const refreshed = await post('token', {
        ...app(),
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
      })
      expect([refreshed.status, refreshed.body.error]).toEqual([400, 'invalid_grant'])
      for (const token of [tokens.access_token, tokens.refresh_token, tokens.id_token]) {
        expect(await isActive(token)).toBe(false)
      }
      const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      })
      expect(userinfo.status).toBe(401)
    }
    const own = await redeem(done.interactionCode ?? '', owner)
    expect([own.status, await isActive(own.body.access_token)]).toEqual([200, true])
  })
})

describe('signing in by a reset', () => {
  test('A35: only the transaction that proved the mailbox gets a code, and it is of its client and verifier', async () => {
    const bystander = await visit(idp)
    const waiting = await atTheReset(idp, victim)
    const owner = await atTheReset(idp, victim)
    const done = await owner.answers(newPassword)

    expect(done.interactionCode).toBeDefined()
    for (const other of [bystander, waiting]) {
      const polled = await other.submits('challenge/poll')
      const asked = await other.submits('introspect')
      for (const reply of [polled, asked]) expect(reply.interactionCode).toBeUndefined()
      expect((await redeem(done.interactionCode ?? '', other)).status).toBe(400)
    }
    // Answered once: asking again answers nothing.
    expect((await owner.submits('challenge/poll')).interactionCode).toBeUndefined()
    expect((await redeem(done.interactionCode ?? '', owner)).status).toBe(200)
  })

  test('A35: where recovery does not sign in, it ends in a message, without a code or a session', async () => {
    const own = await startTarget({ settings: { recovery: { signIn: false } } })
    const owner = await atTheReset(own, victim)
    const done = await owner.answers(newPassword)

    expect([done.status, ...done.messages]).toEqual([200, 'idx.recovery.completed'])
    expect([done.interactionCode, done.body.remediation, done.remediations]).toEqual([
      undefined,
      undefined,
      [],
    ])
    expect(await own.engine.storage.db.selectFrom('sessions').select('id').execute()).toEqual([])
    expect((await owner.submits('introspect')).status).toBe(401)
    const next = await visit(own)
    const signedIn = await next.submits('identify', {
      identifier: victim,
      credentials: { passcode: newPassword },
    })
    expect(signedIn.interactionCode).toBeDefined()
    await own.close()
  })
})

describe('a user who is renamed', () => {
  const signedIn = async () => {
    const { visitor, code } = await granted()
    const { access_token: access, id_token: id } = (await redeem(code, visitor)).body
    return { access: String(access), id: String(id) }
  }
  const introspected = async (token: string) => (await post('introspect', { ...app(), token })).body
  const userinfo = async (token: string) => {
    const response = await fetch(`${idp.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${token}` },
    })
    return { status: response.status, body: await response.json() }
  }
  const rename = async (profile: object) => {
    const answered = await apiOf(idp)('POST', `/users/${victim}`, { profile })
    expect(answered.status).toBe(200)
    return answered.body.id
  }

  test('A85: the access token of the former login is refused, before and after another user has that login', async () => {
    const { access } = await signedIn()
    expect(await introspected(access)).toMatchObject({ active: true, sub: victim })
    const id = await rename({ login: 'renamed@example.com', email: 'renamed@example.com' })
    for (const name of ['before', 'after']) {
      if (name === 'after') await idp.people.add({ login: victim, password: newPassword })
      expect(await introspected(access), name).toEqual({ active: false })
      expect((await userinfo(access)).status, name).toBe(401)
    }
    // Signed in anew, the user has tokens of the new login.
    const visitor = await visit(idp)
    const credentials = { passcode: idp.person.password }
    const done = await visitor.submits('identify', { identifier: 'renamed@example.com', credentials })
    const tokens = (await redeem(done.interactionCode ?? '', visitor)).body
    expect(await introspected(tokens.access_token)).toMatchObject({
      active: true,
      sub: 'renamed@example.com',
    })
    expect((await userinfo(tokens.access_token)).body).toMatchObject({ sub: id })
  })

  test('A85: tokens of users who were not renamed are what they were', async () => {
    const { access, id } = await signedIn()
    const before = [await introspected(access), await introspected(id), await userinfo(access)]
    const other = await idp.people.add({ login: 'other@example.com' })
    expect((await apiOf(idp)('POST', `/users/${other.id}`, { profile: { login: 'another' } })).status).toBe(
      200,
    )
    expect([await introspected(access), await introspected(id), await userinfo(access)]).toEqual(before)
    // Neither another attribute nor another spelling of the login is another login.
    await rename({ firstName: 'Maria', login: 'Mary@Example.com' })
    expect(await introspected(access)).toMatchObject({ active: true, sub: victim })
    expect((await userinfo(access)).status).toBe(200)
  })
})
