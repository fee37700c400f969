import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, mary, startEngine } from '../../src/testing/index.ts'
import { fc } from '../support/draws.ts'
import { type HostedBrowser, newHostedBrowser } from '../support/hosted.ts'
import { apiOf } from '../support/management.ts'
import { manyRequests } from '../support/nodes.ts'
import { authorizeUrl } from '../support/redirects.ts'
import { openSignUp } from '../support/sign-up.ts'
import { redirectUri } from '../wire/oauth-app.ts'

// Every way into the engine's own pages, with what no page of it would send: nothing, too much, of another kind, twice at once, late,
// from another browser, in another order.
const newPassword = 'Marmalade-Harbour-31'
const shop = { id: 'shop' }
let idp: Kit

beforeAll(async () => {
  const { settings, ...rest } = openSignUp({ policies: { password: { recovery: { unlock: true } } } })
  idp = await startEngine({
    ...rest,
    settings: { ...settings, limits: { ...manyRequests, mailsPerRecipient: 1_000_000 } },
    clients: [
      {
        ...{ id: shop.id, label: 'Shop', applicationType: 'browser', redirectUris: [redirectUri] },
        grantTypes: ['authorization_code'],
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const authorize = () => authorizeUrl(idp.issuer, shop, { scope: 'openid' })
const typed = () => ({ identifier: idp.person.login, 'credentials.passcode': idp.person.password })
const codeOf = async (to: string) => (await idp.outbox.waitFor({ to })).code ?? ''
const tokenLink = async () => {
  const answer = await apiOf(idp)(
    'POST',
    `/users/${idp.person.login}/lifecycle/reset_password?sendEmail=false`,
  )
  return new URL(String(answer.body.resetPasswordUrl)).pathname
}

async function signedIn(): Promise<HostedBrowser> {
  const browser = newHostedBrowser(idp)
  await browser.opens(authorize())
  await browser.submits('identify', typed())
  expect(browser.arrived?.searchParams.get('code')).toBeTruthy()
  return browser
}

async function provesMailbox(browser: HostedBrowser) {
  const page = await browser.submits('identify-recovery', { identifier: idp.person.login })
  if (page.forms[0] === 'select-authenticator-authenticate') {
    await browser.submits('select-authenticator-authenticate', { choice: '0' })
  }
  const code = await codeOf(idp.person.login)
  return browser.submits('challenge-authenticator', { 'credentials.passcode': code })
}

/** What a request comes to, without what is drawn. */
async function outcome(path: string, init: RequestInit = {}) {
  const answer = await fetch(new URL(path, idp.engineUrl), { redirect: 'manual', ...init })
  const text = (await answer.text())
    .replaceAll(/(oae|req)[\w-]{17,}/g, '<id>')
    .replaceAll(/02\.id\.[\w-]{43}|"[\w-]{43}"/g, '<handle>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
  return { status: answer.status, text, cookies: answer.headers.getSetCookie(), headers: answer.headers }
}

describe('the session of a browser', () => {
  const json = { 'content-type': 'application/json', accept: 'application/json' }
  const doors = (): readonly (readonly [string, RequestInit])[] => [
    ['/api/v1/users', {}],
    ['/api/v1/users/me', {}],
    [
      '/api/v1/users/mary@example.com',
      { method: 'POST', headers: json, body: '{"profile":{"firstName":"x"}}' },
    ],
    ['/api/v1/apps', {}],
    ['/api/v1/logs', {}],
    ['/api/v1/sessions/nonsense', {}],
    ['/idp/myaccount/profile', { headers: { accept: 'application/json; okta-version=1.0.0' } }],
    ['/oauth2/default/v1/userinfo', {}],
    [
      '/oauth2/default/v1/token',
      { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) },
    ],
    ['/admin', {}],
    ['/admin/', {}],
    ['/admin/api/users', {}],
  ]

  test('A81: says nothing to the management API, the account, the tokens and the admin page', async () => {
    const { jar } = await signedIn()
    const session = jar.get('rekey_session') ?? ''
    expect(session.length).toBeGreaterThanOrEqual(43)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    for (const [path, init] of doors()) {
      const plain = await outcome(path, init)
      const more = { ...init, headers: { ...(init.headers as Record<string, string>), cookie } }
      const carried = await outcome(path, more)
      expect([path, carried.status, carried.text, carried.cookies]).toEqual([
        ...[path, plain.status, plain.text, plain.cookies],
      ])
      for (const authorization of [`SSWS ${session}`, `Bearer ${session}`]) {
        const shown = await outcome(path, { ...init, headers: { ...more.headers, authorization } })
        expect([path, shown.status < 200 || shown.status >= 400 || path.startsWith('/admin')]).toEqual([
          path,
          true,
        ])
      }
    }
  })

  test('A81: is neither read nor set by the calls of an embedded sign-in', async () => {
    const { jar } = await signedIn()
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const visitor = idp.visitor({ headers: { cookie } })
    const begun = await visitor.begins()
    expect(begun.remediations[0]).toBe('identify')
    expect(begun.headers.getSetCookie()).toEqual([])
    const credentials = { passcode: idp.person.password }
    const done = await visitor.submits('identify', { identifier: idp.person.login, credentials })
    expect(done.interactionCode).toBeDefined()
    expect(done.headers.getSetCookie().join()).not.toMatch(/rekey_(session|browser|tx)/)
  })

  test('A81: is shown to no origin that is not trusted, and to no other site', async () => {
    const { jar } = await signedIn()
    const cookie = `rekey_session=${jar.get('rekey_session')}`
    const me = '/api/v1/sessions/me'
    expect((await outcome(me, { headers: { cookie } })).status).toBe(200)
    const readable = async (headers: Record<string, string>) => {
      const answer = await outcome(me, { headers: { cookie, ...headers } })
      return answer.headers.get('access-control-allow-origin')
    }
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example']) {
      expect([origin, await readable({ origin, 'sec-fetch-site': 'same-site' })]).toEqual([origin, null])
    }
    const foreign = { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }
    expect((await outcome(me, { headers: { cookie, ...foreign } })).status).toBe(404)
    expect(await readable({ origin: 'https://app.example', 'sec-fetch-site': 'same-site' })).toBe(
      'https://app.example',
    )
  })
})

test('A80: a deep link takes no request over that is of another browser', async () => {
  const victim = newHostedBrowser(idp)
  await victim.opens(authorize())
  const browser = newHostedBrowser(idp)
  await browser.opens('/signin/register')
  browser.jar.set('rekey_tx', victim.jar.get('rekey_tx') ?? '')
  await browser.opens('/signin/forgot-password')
  await provesMailbox(browser)
  const end = await browser.submits('reset-authenticator', { 'credentials.passcode': newPassword })
  expect([browser.arrived, end.title]).toEqual([undefined, 'You are signed in'])
})

test('A17: the link of an administrator’s mail is spent by no visit, and by no form of another site', async () => {
  const link = await tokenLink()
  for (let visit = 0; visit < 5; visit++) await newHostedBrowser(idp).opens(link)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ] as Record<string, string>[]) {
    const foreign = await outcome(link, { method: 'POST', body: new URLSearchParams(), headers })
    expect([foreign.status, foreign.cookies]).toEqual([403, []])
  }
  const browser = newHostedBrowser(idp)
  expect((await browser.sends(link)).title).toBe('Choose a new password')
})

describe('the doors', () => {
  const own = { 'sec-fetch-site': 'same-origin' }
  const letters = 'a'.repeat(43)
  const long = 'x'.repeat(60_000)
  const values = [
    '',
    'x',
    letters,
    `${letters}\u0000`,
    '%',
    '[object Object]',
    '__proto__',
    '-1',
    '1e9',
    long,
  ]
  const doors: readonly (readonly [method: string, path: string, names: readonly string[]])[] = [
    [
      'GET',
      '/oauth2/default/v1/authorize',
      ['client_id', 'redirect_uri', 'request_uri', 'max_age', 'id_token_hint'],
    ],
    ['POST', '/oauth2/default/v1/authorize', ['client_id', 'redirect_uri', 'request_uri', 'state', 'prompt']],
    ['POST', '/oauth2/default/v1/par', ['client_id', 'redirect_uri', 'state', 'login_hint', 'nonce']],
    ['GET', '/login/token/redirect', ['stateToken']],
    ['POST', '/login/token/redirect', ['request', 'page']],
    ['GET', '/login/signout', ['fromURI', 'client_id', 'post_logout_redirect_uri', 'state']],
    ['POST', '/login/signout', ['fromURI', 'page', 'client_id']],
    ['GET', '/oauth2/default/v1/logout', ['id_token_hint', 'client_id', 'post_logout_redirect_uri']],
    ['GET', '/signin', ['stateToken', 'page']],
    ['POST', '/signin', ['form', 'page', 'identifier', 'credentials.passcode', 'choice']],
    ['GET', '/signin/forgot-password', ['stateToken']],
    ['GET', '/signin/register', ['begun']],
    ['GET', '/signin/unlock', ['x']],
    ['GET', '/signin/done', ['begun']],
    ['GET', `/signin/reset-password/${letters}`, ['x']],
    ['POST', `/welcome/${letters}`, ['token', 'page']],
    ['POST', `/tokens/${letters}/verify`, ['token']],
    ['GET', '/email/verify/shop', ['token', 'own', 'stateToken']],
    ['POST', '/email/verify/shop/own', ['token']],
  ]

  /** Nothing of it ends in a failure, in a session or in a code, and nothing leads away. */
  function expectHarmless(what: readonly unknown[], answer: Response) {
    const location = answer.headers.get('location') ?? idp.engineUrl
    const isOwn =
      location.startsWith(idp.engineUrl) ||
      /^[?](state=[^&]*&)?error=/.test(location.replace(redirectUri, ''))
    const isSession = answer.headers.getSetCookie().some((line) => /rekey_session=\w/.test(line))
    expect([...what, answer.status < 500, isOwn, isSession]).toEqual([...what, true, true, false])
    expect(location).not.toMatch(/[?&#]code=/)
  }

  test.each(doors)(
    'A80: %s %s takes nothing absent, huge, of another kind or twice for more than it is',
    async (method, path, names) => {
      const complete: Record<string, string> =
        path.endsWith('/par') || path.endsWith('/authorize')
          ? Object.fromEntries(new URL(authorize()).searchParams)
          : {}
      const send = (body: string, type = 'application/x-www-form-urlencoded', headers = {}) =>
        fetch(new URL(method === 'GET' ? `${path}?${body}` : path, idp.engineUrl), {
          ...{ method, redirect: 'manual' },
          headers: {
            accept: 'text/html',
            ...own,
            ...headers,
            ...(method === 'POST' && { 'content-type': type }),
          },
          ...(method === 'POST' && { body }),
        })
      expectHarmless(['nothing'], await send(''))
      for (const name of names) {
        const { [name]: _, ...without } = complete
        expectHarmless([name, 'absent'], await send(new URLSearchParams(without).toString()))
        for (const value of values) {
          if (method === 'GET' && value.length > 20_000) continue
          const query = new URLSearchParams({ ...complete, [name]: value }).toString()
          expectHarmless([name, value.slice(0, 50)], await send(query))
          const twice = `${query}&${new URLSearchParams({ [name]: 'another' })}`
          expectHarmless([name, value.slice(0, 50), 'twice'], await send(twice))
        }
        expectHarmless([name, 'an array'], await send(`${name}[]=1&${name}[a]=2`))
      }
      if (method === 'POST') {
        for (const [body, type] of [
          ['{"form":{"a":1}}', 'application/json'],
          ['{"client_id":{"a":1}}', 'application/json'],
          ['[]', 'application/json'],
          ['null', 'application/json'],
          ['{', 'application/json'],
          [
            '--x\r\ncontent-disposition: form-data; name="page"\r\n\r\n1\r\n--x--',
            'multipart/form-data; boundary=x',
          ],
          ['x', 'text/plain'],
          ['<a/>', 'application/xml'],
        ] as const) {
          expectHarmless([type, body], await send(body, type))
        }
      }
      for (const cookie of [
        `rekey_tx=${letters}; rekey_browser=${letters}; rekey_session=${letters}; rekey_page=${letters}`,
        `rekey_tx=; rekey_browser=; rekey_session=`,
        `rekey_tx=${long.slice(0, 8000)}`,
        'rekey_tx=%00; rekey_session=__proto__; =; ;;',
      ]) {
        expectHarmless(
          [cookie.slice(0, 60)],
          await send(new URLSearchParams(complete).toString(), undefined, { cookie }),
        )
      }
    },
  )

  test('A80: a link with characters that no token has, or of any length, is a page that says so', async () => {
    const names = ['%00', '..%2f..%2fadmin', '%22%3E%3Cscript%3E', 'a'.repeat(5000), '%F0%9F%98%80', '%ff']
    for (const prefix of ['/signin/reset-password/', '/reset_password/', '/welcome/', '/email/verify/']) {
      for (const name of names) {
        const answer = await fetch(idp.engineUrl + prefix + name, { redirect: 'manual' })
        expectHarmless([prefix, name.slice(0, 40)], answer)
        expect(await answer.text()).not.toContain('<script>')
      }
    }
  })

  test('A72: what is pushed as JSON is held to what a form is held to', async () => {
    const complete = Object.fromEntries(new URL(authorize()).searchParams)
    const push = async (body: string) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await fetch(`${idp.issuer}/v1/par`, { method: 'POST', headers, body })
      return answer.status
    }
    expect(await push(JSON.stringify(complete))).toBe(201)
    for (const changes of [
      { nonce: 'a\u0000b' },
      { state: 'a\nb' },
      { state: '\uFFFD' },
      { unread: 'a\rb' },
      { unread: 'x'.repeat(5000) },
      { scope: 'openid\u0000' },
      { state: ['a', 'b'] },
      { state: null },
      { state: true },
    ]) {
      expect([changes, await push(JSON.stringify({ ...complete, ...changes }))]).toEqual([changes, 400])
    }
    // Of a key that is there twice two readers take different ones (A47).
    expect(await push(JSON.stringify(complete).replace('{', '{"client_id":"other",'))).toBe(400)
  })

  test('A80: late, the forms of each page lead back, and nothing of them is taken', async () => {
    const late = async (browser: HostedBrowser, form: string, fields: Record<string, string> = {}) => {
      const { page } = browser
      await idp.clock.advance('3h')
      const end = await browser.submits(form, fields, page)
      expect([form, browser.arrived, browser.jar.has('rekey_session')]).toEqual([form, undefined, false])
      expect([400, 200]).toContain(end.status)
      expect(end.title).toBe('This sign-in has ended')
    }
    for (const path of ['/signin/forgot-password', '/signin/register', '/signin/unlock', authorize()]) {
      const browser = newHostedBrowser(idp)
      const { forms } = await browser.opens(path)
      await late(browser, forms[0] ?? '', typed())
    }
    const recovering = newHostedBrowser(idp)
    await recovering.opens('/signin/forgot-password')
    await provesMailbox(recovering)
    await late(recovering, 'reset-authenticator', { 'credentials.passcode': newPassword })
    const link = await tokenLink()
    await idp.clock.advance('30d')
    const { title } = await newHostedBrowser(idp).sends(link)
    expect(title).not.toBe('Choose a new password')
  })

  test('A80: a form that is sent ten times at once signs in once', async () => {
    const browser = newHostedBrowser(idp)
    await browser.opens(authorize())
    const [, page = ''] = /name="page" value="([^"]+)"/.exec(browser.page.text) ?? []
    const fields = { form: 'identify', page, ...typed() }
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser.posts(fields)))
    const ends = answers.flatMap((answer) => {
      const location = answer.headers.get('location') ?? ''
      return location.includes('/login/token/redirect') ? [location] : []
    })
    expect(ends.length).toBeGreaterThan(0)
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const back = await Promise.all(ends.map((url) => fetch(url, { headers: { cookie }, redirect: 'manual' })))
    expect(back.filter(({ headers }) => headers.get('location')?.includes('code='))).toHaveLength(1)
    const sessions = await idp.engine.storage.db
      .selectFrom('sessions')
      .select(['id', 'cookie_hash'])
      .execute()
    expect(sessions.filter((one) => one.cookie_hash !== null)).toHaveLength(1)
  })
})

describe('what the pages show', () => {
  test('A73: is the same of a user and of a name that no user has', async () => {
    const shownFor = async (identifier: string) => {
      const seen: string[] = []
      const look = (browser: HostedBrowser) => {
        const { status, text, headers } = browser.page
        const names = [...headers].map(([name]) => name).sort()
        const drawn = text
          .replaceAll(/name="page" value="[^"]+"/g, '')
          .replaceAll(/signin\?t=[\w-]+/g, 'signin')
          .replaceAll(identifier, '<name>')
          .replaceAll(/\w\*\*\*\w?(<wbr>)?@/g, '<masked>@')
        seen.push(JSON.stringify([status, names, drawn]))
      }
      for (const [path, form] of [
        ['/signin/forgot-password', 'identify-recovery'],
        ['/signin/unlock', undefined],
        [authorize(), 'identify'],
      ] as const) {
        const browser = newHostedBrowser(idp)
        await browser.opens(path)
        look(browser)
        const name = form ?? browser.page.forms[0] ?? ''
        await browser.submits(name, { identifier, 'credentials.passcode': 'wrong', choice: '0' })
        look(browser)
      }
      return seen
    }
    const known = await shownFor('mary@example.com')
    expect(await shownFor('nina@example.com')).toEqual(known)
  })
})

// Eve has an account, its password and its mailbox. Of Mary she knows the name.
const eve = { ...mary, login: 'eve@example.com', email: 'eve@example.com', password: 'Marmalade-Harbour-31' }

interface Move {
  readonly kind: 'open' | 'submit' | 'submit an earlier page' | 'post' | 'wait'
  readonly browser: number
  readonly path: number
  readonly form: number
  readonly name: string
  readonly secret: 'password' | 'code' | 'new password' | 'wrong' | 'nothing' | 'long'
  readonly token: 'own' | 'of another page' | 'none'
  readonly times: number
}

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom<Move['kind']>(
    ...(['open', 'submit', 'submit', 'submit', 'submit', 'submit an earlier page', 'post', 'wait'] as const),
  ),
  browser: fc.nat(2),
  path: fc.nat(9),
  form: fc.nat(4),
  name: fc.constantFrom(
    eve.login,
    eve.login,
    'mary@example.com',
    'nina@example.com',
    '"><script>x</script>',
    '',
  ),
  secret: fc.constantFrom<Move['secret']>(
    'password',
    'password',
    'code',
    'code',
    'new password',
    'wrong',
    'nothing',
    'long',
  ),
  token: fc.constantFrom<Move['token']>('own', 'own', 'own', 'own', 'of another page', 'none'),
  times: fc.constantFrom(1, 1, 1, 2, 4),
})

test('A80: no order of pages, forms and browsers signs in without the proofs, leads elsewhere, or fails', async () => {
  let arrivals = 0
  const paths = () => [
    ...[authorize(), authorize(), authorize()],
    authorizeUrl(idp.issuer, shop, { scope: 'openid', prompt: 'login' }),
    authorizeUrl(idp.issuer, shop, { scope: 'openid', prompt: 'none' }),
    ...['/signin', '/signin/forgot-password', '/signin/register', '/signin/unlock', '/signin/done'],
  ]
  const property = fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 20 }), async (moves) => {
    await idp.reset()
    const { id } = await idp.people.add(eve)
    const browsers = [newHostedBrowser(idp), newHostedBrowser(idp), newHostedBrowser(idp)]
    const earlier: HostedBrowser['page'][] = []
    for (const one of browsers) earlier.push(await one.opens(authorize()))

    const act = async (next: Move): Promise<void> => {
      const browser = browsers[next.browser]
      if (browser === undefined) return
      if (next.kind === 'wait') return void (await idp.clock.advance('11m'))
      if (next.kind === 'open') {
        await browser.opens(paths()[next.path])
      } else {
        await idp.engine.delivery.idle()
        const secret = {
          password: eve.password,
          code: idp.outbox.to(eve.login)[0]?.code ?? '000000',
          'new password': 'Lighthouse-Biscuit-77',
          wrong: 'wrong',
          nothing: '',
          long: 'x'.repeat(20_000),
        }[next.secret]
        const page =
          next.kind === 'submit an earlier page'
            ? (earlier[next.path % earlier.length] ?? browser.page)
            : browser.page
        const form = page.forms[next.form % Math.max(1, page.forms.length)]
        const another = earlier[next.form % earlier.length]?.text ?? ''
        const fields = {
          ...{ identifier: next.name, 'credentials.passcode': secret, choice: String(next.form % 2) },
          ...{ 'userProfile.email': next.name, 'userProfile.firstName': 'Eve', 'userProfile.lastName': 'E' },
          ...(next.token === 'none' && { page: '' }),
          ...(next.token === 'of another page' && {
            page: /name="page" value="([^"]+)"/.exec(another)?.[1] ?? '',
          }),
        }
        if (next.kind === 'post') {
          const answer = await browser.posts({ form: form ?? 'identify', ...fields })
          expect(answer.status).toBeLessThan(500)
        } else if (form !== undefined) {
          await browser.submits(form, fields, page)
        }
      }
      expect(browser.page.status).toBeLessThan(500)
      expect(browser.page.text).not.toContain('<script>x')
      earlier.push(browser.page)
    }

    for (const next of moves) {
      await Promise.all(Array.from({ length: next.times }, () => act(next)))
      for (const { arrived, jar, page } of browsers) {
        if (arrived !== undefined) {
          expect(`${arrived.origin}${arrived.pathname}`).toBe(redirectUri)
          expect(arrived.searchParams.get('iss')).toBe(idp.issuer)
          arrivals++
        }
        for (const name of ['rekey_tx', 'rekey_browser', 'rekey_session']) {
          const value = jar.get(name)
          if (value !== undefined && value !== '') expect(page.text).not.toContain(value)
        }
      }
    }
    // Of Mary nothing has changed, whatever was tried under her name; and a browser has one session.
    const sessions = await idp.engine.storage.db
      .selectFrom('sessions')
      .select(['person_id', 'cookie_hash', 'revoked_at'])
      .execute()
    const own = [id]
    const nina = await idp.engine.people.find('nina@example.com')
    expect(nina).toBeUndefined()
    expect(sessions.filter(({ person_id: who }) => !own.includes(who))).toEqual([])
    const live = sessions.filter((one) => one.cookie_hash !== null && one.revoked_at === null)
    expect(live.length).toBeLessThanOrEqual(browsers.length)
    const browser = newHostedBrowser(idp)
    await browser.opens(authorize())
    await browser.submits('identify', typed())
    expect(browser.arrived?.searchParams.get('code')).toBeTruthy()
  })
  const last: Move = {
    ...{
      kind: 'submit',
      browser: 0,
      path: 0,
      form: 0,
      name: eve.login,
      secret: 'password',
      token: 'own',
      times: 2,
    },
  }
  await fc.assert(property, { numRuns: 12, examples: [[[last]]] })
  expect(arrivals).toBeGreaterThan(0)
})

test('A82: the previews of development show known pages alone, as text, and run nothing', async () => {
  const open = (path: string) => fetch(idp.controlUrl + path, { redirect: 'manual' })
  const list = await open('/pages')
  const names = [...(await list.text()).matchAll(/href="(\/pages\/[^"?]+)\?lang=en"/g)].map(
    ([, path = '']) => path,
  )
  expect(names.length).toBeGreaterThan(5)
  const [first = ''] = names
  for (const path of [
    first,
    `${first}?lang=de`,
    `${first}?lang=%22%3E%3Cscript%3E`,
    `${first}?lang=en&lang=de`,
    `${first}?lang[a]=b`,
  ]) {
    const answer = await open(path)
    expect([path, answer.status]).toEqual([path, 200])
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src [^;]+; img-src data:;/,
    )
    expect(await answer.text()).not.toContain('"><script>')
  }
  for (const name of [
    '__proto__',
    'constructor',
    'toString',
    '..%2fcontrol',
    '%00',
    'x'.repeat(3000),
    '%3Cscript%3E',
  ]) {
    const answer = await open(`/pages/${name}`)
    expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true])
    expect(await answer.text()).not.toContain('<script>')
  }
  // The engine itself has none.
  expect((await fetch(`${idp.engineUrl}/pages`)).status).toBe(404)
})

test.each([
  'javascript:alert(1)',
  'data:text/javascript,alert(1)',
  'http://captcha.example/api.js',
  '//captcha.example/api.js',
  "https://captcha.example;script-src 'unsafe-inline'/api.js",
  'https://captcha.example,https://evil.example/api.js',
  'https://captcha.example;sandbox/api.js',
  'https://user:pass@captcha.example/api.js',
  'https://captcha.example/"><script>alert(1)</script>',
])('A82: the script of a captcha is not from %s', async (scriptUrl) => {
  const captcha = { type: 'HCAPTCHA' as const, siteKey: 'a-site-key', secret: 'a-secret', scriptUrl }
  const started = startEngine({ settings: { captcha } }).then(async (own) => {
    const { headers, text } = await newHostedBrowser(own).opens('/signin/forgot-password')
    await own.close()
    const policy = headers.get('content-security-policy') ?? ''
    // What is taken is text in the page and one origin in its policy.
    if (text.includes('><script>alert') || /unsafe|sandbox|,/.test(policy)) return 'taken'
    return 'harmless'
  })
  expect(await started.catch(() => 'refused')).toMatch(/refused|harmless/)
})
