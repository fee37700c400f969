import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Kit, KitOptions } from '../../src/testing/index.ts'
import { alone } from '../support/alone.ts'
import { codeAt, enrollmentPolicy, period, twoFactors, wrongCode } from '../wire/totp.ts'
import { newPlainBrowser } from './plain-browser.ts'
import { startWebAppHere, type WebApp } from './web-app.ts'

// The sample app on the engine, where a window is not needed to see it: time, outages, headers, and other tabs.

let web: WebApp
let idp: Kit

beforeAll(async () => {
  web = await startWebAppHere({ trustProxy: 'loopback' })
  idp = web.idp
})
beforeEach(() => idp.reset())
afterEach(() => void vi.useRealTimers())
afterAll(() => web.close())

const newPassword = 'Lighthouse-Biscuit-77'

const newBrowser = (headers?: Record<string, string>) => newPlainBrowser(web.url, headers)
type PlainBrowser = ReturnType<typeof newBrowser>

/** Everything up to the page that takes the code. */
async function goToTheCode(browser: PlainBrowser): Promise<string> {
  await browser.submit('/recover-password', { username: idp.person.login })
  const path = await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
  expect(path).toBe('/challenge-authenticator')
  const { code } = await idp.outbox.waitFor({ to: idp.person.login, template: 'ForgotPassword' })
  return code ?? ''
}

const passSeconds = (seconds: number) => {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + seconds * 1000)
}

test('the engine learns the address and the browser of the person, not of the app', async () => {
  const browser = newBrowser({ 'x-forwarded-for': '203.0.113.7', 'user-agent': 'A browser of her own' })
  await browser.submit('/login', { username: idp.person.login, password: 'wrong' })
  const clients = (await idp.events()).map(({ client }) => client)
  expect(clients).toContainEqual(
    expect.objectContaining({
      ipAddress: '203.0.113.7',
      userAgent: expect.objectContaining({ rawUserAgent: 'A browser of her own' }),
    }),
  )
})

test('another mail goes out after 30 seconds and not before, and ends the first code', async () => {
  const browser = newBrowser()
  const first = await goToTheCode(browser)
  const again = () => browser.submit('/challenge-authenticator', {}, '/challenge-authenticator/resend')

  expect(await again()).toBe('/challenge-authenticator')
  expect((await browser.visit('/challenge-authenticator')).text).toContain('You can request another mail in')
  expect(idp.outbox.to(idp.person.login)).toHaveLength(1)

  passSeconds(31)
  const { id } = (await idp.outbox.waitFor()) ?? {}
  expect(await again()).toBe('/challenge-authenticator')
  expect((await browser.visit('/challenge-authenticator')).text).toContain('A new mail was sent.')
  const { code } = await idp.outbox.waitFor({ to: idp.person.login, after: id })

  expect(await browser.submit('/challenge-authenticator', { verificationCode: first })).toContain(
    'not correct',
  )
  expect(await browser.submit('/challenge-authenticator', { verificationCode: code ?? '' })).toBe(
    '/reset-authenticator',
  )
})

test('a form of a step that is over is not sent to the step that came after', async () => {
  const browser = newBrowser()
  const code = await goToTheCode(browser)
  const csrf = await browser.tokenOn('/challenge-authenticator')
  await browser.post('/challenge-authenticator', { csrf, verificationCode: code })
  const late = await browser.post('/challenge-authenticator', { csrf, verificationCode: code })
  expect(late.headers.get('location')).toBe('/reset-authenticator')

  const early = newBrowser()
  await goToTheCode(early)
  const token = await early.tokenOn('/challenge-authenticator')
  const skipping = await early.post('/reset-authenticator', {
    csrf: token,
    password: newPassword,
    confirmPassword: newPassword,
  })
  expect(skipping.headers.get('location')).toBe('/challenge-authenticator')
})

test('a slow poll beside the form does not bring the old step back', async () => {
  const browser = newBrowser()
  const code = await goToTheCode(browser)
  const csrf = await browser.tokenOn('/challenge-authenticator')
  const poll = () =>
    browser.visit('/challenge-authenticator/poll', { headers: { accept: 'application/json' } })

  // The engine has answered the poll, and the answer is still on its way to the app.
  const onItsWay = Promise.withResolvers<void>()
  const arrives = Promise.withResolvers<void>()
  const network = globalThis.fetch
  const slow = vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    const answer = await network(input, init)
    if (!String(input).endsWith('/idp/idx/challenge/poll')) return answer
    onItsWay.resolve()
    await arrives.promise
    return answer
  })
  const polling = poll()
  await onItsWay.promise
  const submitting = browser.post('/challenge-authenticator', { csrf, verificationCode: code })
  await once(web.server ?? process, 'request')
  for (let turn = 0; turn < 200; turn++) await setImmediate()
  arrives.resolve()
  await Promise.all([polling, submitting])
  slow.mockRestore()

  expect((await browser.visit('/reset-authenticator')).status).toBe(200)
  expect(JSON.parse((await poll()).text)).toEqual({ location: '/reset-authenticator' })
})

test('a poll while nothing has happened leads nowhere', async () => {
  const browser = newBrowser()
  await goToTheCode(browser)
  const { text } = await browser.visit('/challenge-authenticator/poll', {
    headers: { accept: 'application/json' },
  })
  expect(JSON.parse(text)).toEqual({ location: null })
})

const leadsTo = async (browser: PlainBrowser, path: string) =>
  (await browser.visit(path)).headers.get('location')

const lifecycle = async (id: string | undefined, operation: string) => {
  const response = await fetch(`${idp.engineUrl}/api/v1/users/${id}/lifecycle/${operation}?sendEmail=false`, {
    method: 'POST',
    headers: { authorization: `SSWS ${idp.apiToken}` },
  })
  return (await response.json()) as Readonly<Record<string, string>>
}

test('an administrator’s reset mail leads to the page that sets the new password, once (N-M30)', async () => {
  const [user] = await idp.people.list(idp.person.login)
  const { resetPasswordUrl = '' } = await lifecycle(user?.id, 'reset_password')
  const token = resetPasswordUrl.split('/').at(-1) ?? ''
  const browser = newBrowser()
  expect(await leadsTo(browser, `/recover/${token}`)).toBe('/reset-authenticator')
  expect((await browser.visit('/reset-authenticator')).text).toContain(`For ${idp.person.login}`)
  await browser.submit('/reset-authenticator', { password: newPassword, confirmPassword: newPassword })
  expect((await browser.visit('/')).text).toContain('Hello, Mary')

  for (const dead of [token, 'A'.repeat(43), 'x', '%00']) {
    const page = await newBrowser().visit(`/recover/${dead}`)
    expect([page.status, page.text]).toEqual([404, expect.stringContaining('This link does not work')])
    expect(page.text).toContain('href="/recover-password"')
  }
})

test('an activation mail leads to the page that sets the first password (N-M30)', async () => {
  const { id } = await idp.people.add({ login: 'new@example.com', firstName: 'Nia', status: 'STAGED' })
  const { activationToken } = await lifecycle(id, 'activate')
  const browser = newBrowser()
  expect(await leadsTo(browser, `/activate/${activationToken}`)).toBe('/enroll-authenticator')
  await browser.submit('/enroll-authenticator', { password: newPassword, confirmPassword: newPassword })
  expect((await browser.visit('/')).text).toContain('Hello, Nia')
  const page = await newBrowser().visit(`/activate/${activationToken}`)
  expect([page.status, page.text]).toEqual([404, expect.stringContaining('ask the people who sent the link')])
})

test('an activation mail that has expired leads to a page that sends another, by its button alone', async () => {
  const { id } = await idp.people.add({ login: 'late@example.com', firstName: 'Lea', status: 'STAGED' })
  await fetch(`${idp.engineUrl}/api/v1/users/${id}/lifecycle/activate`, {
    method: 'POST',
    headers: { authorization: `SSWS ${idp.apiToken}` },
  })
  const mailed = async () =>
    /(?:welcome|activate)\/(\w{43})/.exec(
      (await idp.outbox.waitFor({ to: 'late@example.com' })).html ?? '',
    )?.[1] ?? ''
  const late = await mailed()
  idp.outbox.clear()
  idp.clock.advance('8d')
  const browser = newBrowser()
  const page = await browser.visit(`/activate/${late}`)
  expect([page.status, page.text]).toEqual([410, expect.stringContaining('This link has expired')])
  expect(await idp.outbox.latest({ to: 'late@example.com' })).toBeUndefined()
  expect(await browser.submit(`/activate/${late}`, {})).toBe('/stopped')
  expect((await browser.visit('/stopped')).text).toContain('New activation link requested')
  const next = await mailed()
  expect(await leadsTo(newBrowser(), `/activate/${next}`)).toBe('/enroll-authenticator')
})

test('the refusal of a new password says which rule it was: the same password, a part of the username (N-M31)', async () => {
  const browser = newBrowser()
  await browser.submit('/challenge-authenticator', { verificationCode: await goToTheCode(browser) })
  const errorOf = async (password: string) => {
    const page = await browser.submit('/reset-authenticator', { password, confirmPassword: password })
    return /id="password-error">([^<]*)</.exec(page)?.[1]
  }
  expect(await errorOf('short')).toBe('Not met: At least 12 characters')
  expect(await errorOf('the-mary-password-1')).toBe('Not met: No parts of your username')
  expect(await errorOf(idp.person.password)).toBe(
    'Choose another password: it is your current password, or it contains your last name, or it contains your first name.',
  )
})

test('after five wrong codes a new attempt begins at once, and the page says so (N-m34)', async () => {
  const browser = newBrowser()
  const code = await goToTheCode(browser)
  for (let guess = 0; guess < 5; guess++) {
    await browser.submit('/challenge-authenticator', {
      verificationCode: code === '000000' ? '000001' : '000000',
    })
  }
  const { text } = await browser.visit('/stopped')
  expect(text).toContain('Too many wrong answers: this attempt is closed. You can start again at once.')
  expect(text).toContain('href="/recover-password">Start again')
  const [old] = idp.outbox.all()
  await browser.submit('/recover-password', { username: idp.person.login })
  await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
  const next = await idp.outbox.waitFor({ to: idp.person.login, ...(old && { after: old.id }) })
  expect(await browser.submit('/challenge-authenticator', { verificationCode: next.code ?? '' })).toBe(
    '/reset-authenticator',
  )
})

test('an expired code is said to be perhaps too old, and the page says how long codes work (N-M32)', async () => {
  const browser = newBrowser()
  const code = await goToTheCode(browser)
  expect((await browser.visit('/challenge-authenticator')).text).toContain('works for a few minutes')
  await idp.clock.advance('6m')
  const page = await browser.submit('/challenge-authenticator', { verificationCode: code })
  expect(page).toContain('if it is too old, send a new one')
})

test('the sign-in page says that the browser is signed in already, and offers to stay so (N-p39)', async () => {
  const browser = newBrowser()
  expect((await browser.visit('/login')).text).not.toContain('signed in already')
  await browser.submit('/login', { username: idp.person.login, password: idp.person.password })
  expect((await browser.visit('/login')).text).toMatch(
    /You are signed in already\. .*<a href="\/">Stay signed in/,
  )
  expect((await browser.visit('/')).text).toMatch(/<dt>Last changed<\/dt><dd>\d+ \w+ \d{4}, .* UTC/)
})

test('a server that asks for a pause is asked again later, and the code still works', async () => {
  const browser = newBrowser()
  const code = await goToTheCode(browser)

  idp.faults.next('/idp/idx/challenge/poll', { status: 429 })
  const poll = await browser.visit('/challenge-authenticator/poll', {
    headers: { accept: 'application/json' },
  })
  expect(poll.status).toBe(503)

  idp.faults.next('/idp/idx/challenge/answer', { status: 429 })
  expect(await browser.submit('/challenge-authenticator', { verificationCode: code })).toBe('/stopped')
  const { text } = await browser.visit('/stopped')
  expect(text).toContain('Too many attempts.')
  expect(text).toContain('href="/challenge-authenticator"')

  expect(await browser.submit('/challenge-authenticator', { verificationCode: code })).toBe(
    '/reset-authenticator',
  )
})

test.each([500, 503])('an answer of %i loses nothing: the same form works afterwards', async (status) => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const browser = newBrowser()
  const code = await goToTheCode(browser)
  idp.faults.next('/idp/idx/challenge/answer', { status })
  await browser.submit('/challenge-authenticator', { verificationCode: code })
  expect(await browser.submit('/challenge-authenticator', { verificationCode: code })).toBe(
    '/reset-authenticator',
  )
  log.mockRestore()
})

test('neither a token nor a password nor a code reaches the browser', async () => {
  const browser = newBrowser()
  const seen: string[] = []
  const look = async (path: string) => {
    const { text, headers } = await browser.visit(path)
    seen.push(text, ...[...headers].flat())
  }
  const code = await goToTheCode(browser)
  await look('/challenge-authenticator')
  seen.push(await browser.submit('/challenge-authenticator', { verificationCode: code }))
  await look('/reset-authenticator')
  const fields = { password: newPassword, confirmPassword: newPassword }
  expect(await browser.submit('/reset-authenticator', fields)).toBe('/')
  await look('/')
  expect(seen.join('\n')).toContain('Hello, Mary')
  expect(seen.join('\n')).not.toMatch(alone(code))
  expect(seen.join('\n')).not.toMatch(new RegExp(`eyJ[\\w-]+\\.eyJ|${newPassword}|${idp.clientSecret}`))
})

test('sign-out ends the tokens at the engine and leads through its logout back to the app', async () => {
  const browser = newBrowser()
  await browser.submit('/login', { username: idp.person.login, password: idp.person.password })
  const session = browser.jar.get('session') ?? ''
  const location = await browser.submit('/', {}, '/logout')
  expect(location).toMatch(new RegExp(`^${idp.issuer}/v1/logout\\?id_token_hint=`))
  const back = await fetch(location, { redirect: 'manual' })
  expect(back.headers.get('location')).toBe(web.url)

  browser.jar.set('session', session)
  expect((await browser.visit('/')).text).toContain('You are signed out.')
})

describe('an authenticator app', () => {
  const path = '/enroll-authenticator'
  const credentials = () => ({ username: idp.person.login, password: idp.person.password })
  const choice = { authenticator: 'google_otp' }
  const codeOf = (secret: string) => codeAt(secret, idp.clock.now())

  const keyIn = (text: string) =>
    (/<p class="key"><code>(.*)<\/code>/.exec(text)?.[1] ?? '').replace(/<[^>]*>/g, '')

  /** Everything up to the page that shows the key. Answers with the key. */
  async function goToTheKey(browser: PlainBrowser): Promise<string> {
    expect(await browser.submit('/login', credentials())).toBe('/select-authenticator-enroll')
    expect(await browser.submit('/select-authenticator-enroll', choice)).toBe(path)
    const { text } = await browser.visit(path)
    expect(text).toContain('<h1>Set up Google Authenticator</h1>')
    expect(text).toMatch(/<img class="qr" src="data:image\/png;base64,[^"]+"/)
    return keyIn(text)
  }

  test('that the policy requires is enrolled on the way in, and asked for at the next sign-in', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const browser = newBrowser()
    const secret = await goToTheKey(browser)
    expect((await browser.visit(path)).text).not.toContain('Not now')

    const verificationCode = wrongCode(secret, idp.clock.now())
    const refused = await browser.submit(path, { verificationCode })
    expect(refused).toContain('id="verificationCode-error">This code is not correct.')
    expect(keyIn(refused)).toBe(secret)
    expect(await browser.submit(path, { verificationCode: codeOf(secret) })).toBe('/')
    expect((await browser.visit('/')).text).toContain('Hello, Mary')

    await twoFactors(idp)
    idp.clock.advance(10 * period)
    const again = newBrowser()
    expect(await again.submit('/login', credentials())).toBe('/select-authenticator-authenticate')
    expect((await again.visit('/select-authenticator-authenticate')).text).toContain(
      'Enter the code from your app',
    )
    await again.submit('/select-authenticator-authenticate', choice)
    const { text } = await again.visit('/challenge-authenticator')
    expect(text).toContain('<h1>Enter the code from your app</h1>')
    expect(text).toContain('Open Google Authenticator and')
    expect(text.replace(/value="[^"]*"/g, '')).not.toMatch(/mail|link was sent/)
    expect(await again.submit('/challenge-authenticator', { verificationCode: codeOf(secret) })).toBe('/')
  })

  test('that the policy offers is declined before the choice, and after it', async () => {
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const skip = { skip: 'yes' }
    const atOnce = newBrowser()
    await atOnce.submit('/login', credentials())
    expect((await atOnce.visit('/select-authenticator-enroll')).text).toContain('Not now')
    expect(await atOnce.submit('/select-authenticator-enroll', skip)).toBe('/')

    // It is offered at the first sign-in alone.
    await idp.reset()
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
    const later = newBrowser()
    await goToTheKey(later)
    expect(await later.submit(path, skip)).toBe('/')
    expect((await later.visit('/')).text).toContain('Hello, Mary')
  })

  test('is asked for in a recovery, in words of its own', async () => {
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
    const first = newBrowser()
    const secret = await goToTheKey(first)
    await first.submit(path, { verificationCode: codeOf(secret) })
    idp.clock.advance(10 * period)

    const browser = newBrowser()
    const verificationCode = await goToTheCode(browser)
    expect(await browser.submit('/challenge-authenticator', { verificationCode })).toBe(
      '/select-authenticator-authenticate',
    )
    await browser.submit('/select-authenticator-authenticate', choice)
    const { text } = await browser.visit('/challenge-authenticator')
    expect(text).toContain('<h1>Enter the code from your app</h1>')
    expect(await browser.submit('/challenge-authenticator', { verificationCode: codeOf(secret) })).toBe(
      '/reset-authenticator',
    )
  })
})

describe('with other settings of the engine', () => {
  let other: WebApp | undefined
  afterEach(async () => {
    await other?.close()
    other = undefined
  })

  async function start(settings: NonNullable<KitOptions['settings']>) {
    other = await startWebAppHere({ settings })
    const { idp, url } = other
    return { idp, browser: newPlainBrowser(url), ...idp.person }
  }

  async function codeOf(idp: Kit, login: string): Promise<string> {
    return (await idp.outbox.waitFor({ to: login })).code ?? ''
  }

  const passwords = { password: newPassword, confirmPassword: newPassword }

  test('a server that asks for the username first takes both at once all the same', async () => {
    const { browser, login, password } = await start({ signOn: { start: 'identifier' } })
    expect(await browser.submit('/login', { username: login, password: 'wrong' })).toBe(
      '/challenge-authenticator',
    )
    const { text } = await browser.visit('/challenge-authenticator')
    expect(text).toContain('<h1>Enter your password</h1>')
    expect(text).toContain('Unable to sign in.')
    expect(await browser.submit('/challenge-authenticator', { password })).toBe('/')
    expect((await browser.visit('/')).text).toContain('Hello, Mary')
    expect(await browser.submit('/login', { username: login, password })).toBe('/')
  })

  test('recovery works where the username is asked for first', async () => {
    const { browser, idp, login } = await start({ signOn: { start: 'identifier' } })
    expect(await browser.submit('/recover-password', { username: login })).toBe(
      '/select-authenticator-authenticate',
    )
    await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
    const verificationCode = await codeOf(idp, login)
    expect(await browser.submit('/challenge-authenticator', { verificationCode })).toBe(
      '/reset-authenticator',
    )
    expect(await browser.submit('/reset-authenticator', passwords)).toBe('/')
  })

  test('a password and a code from the mail are asked for one after the other', async () => {
    const { browser, idp, login, password } = await start({ signOn: { factors: '2FA' } })
    expect(await browser.submit('/login', { username: login, password })).toBe(
      '/select-authenticator-authenticate',
    )
    await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
    expect((await browser.visit('/')).text).toContain('You are signed out.')
    expect(
      await browser.submit('/challenge-authenticator', { verificationCode: await codeOf(idp, login) }),
    ).toBe('/')
    expect((await browser.visit('/')).text).toContain('Hello, Mary')
  })

  test('an expired password is replaced on the way in', async () => {
    const { browser, idp, login, password } = await start({
      policies: { password: { age: { maxAgeDays: 1 } } },
    })
    idp.clock.advance('48h')
    expect(await browser.submit('/login', { username: login, password })).toBe('/reenroll-authenticator')
    const short = await browser.submit('/reenroll-authenticator', { newPassword: 'x', confirmPassword: 'x' })
    expect(short).toContain('id="newPassword-error"')
    const fields = { newPassword, confirmPassword: newPassword }
    expect(await browser.submit('/reenroll-authenticator', fields)).toBe('/')
  })

  test('a server that tells of unknown people has its message shown', async () => {
    const { browser } = await start({ recovery: { revealUnknown: true } })
    const page = await browser.submit('/recover-password', { username: 'nobody@example.com' })
    expect(page).toContain('There is no account with the Username nobody@example.com.')
    expect(page).toContain('value="nobody@example.com"')
  })

  test.each([
    ['goes on', {}, 'Hello, Mary'],
    ['ends', { revokeSessions: 'yes' }, 'Your session has ended.'],
  ])('where the server offers the choice, another session %s with %j', async (_what, choice, seen) => {
    const { browser, idp, login, password } = await start({ recovery: { offerRevokeSessions: true } })
    const elsewhere = newPlainBrowser(other?.url ?? '')
    await elsewhere.submit('/login', { username: login, password })
    await browser.submit('/recover-password', { username: login })
    await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
    await browser.submit('/challenge-authenticator', { verificationCode: await codeOf(idp, login) })
    expect(await browser.submit('/reset-authenticator', { ...passwords, ...choice })).toBe('/')
    expect((await elsewhere.visit('/')).text).toContain(seen)
  })

  test('a recovery that does not sign in ends at a page that leads to the sign-in', async () => {
    const { browser, idp, login } = await start({ recovery: { signIn: false } })
    await browser.submit('/recover-password', { username: login })
    await browser.submit('/select-authenticator-authenticate', { authenticator: 'okta_email' })
    await browser.submit('/challenge-authenticator', { verificationCode: await codeOf(idp, login) })
    expect(await browser.submit('/reset-authenticator', passwords)).toBe('/stopped')
    const { text } = await browser.visit('/stopped')
    expect(text).toContain('<h1>Done</h1>')
    expect(text).toContain('href="/login">Sign in')
    expect((await browser.visit('/')).text).toContain('You are signed out.')
    expect(await browser.submit('/login', { username: login, password: newPassword })).toBe('/')
  })

  test('where nobody may recover a password, the page says so', async () => {
    const { browser, login } = await start({ policies: { password: { recovery: { authenticators: [] } } } })
    const page = await browser.submit('/recover-password', { username: login })
    expect(page).toContain('Passwords cannot be reset here.')
    expect(page).toContain('<h1>Reset password</h1>')
  })
})
