import { afterEach, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { mailTo, newPassword, scale, startTarget, visit } from '../support/attacks.ts'
import { onThisMachine } from '../support/machine.ts'
import { apiOf } from '../support/management.ts'
import { builtInRule } from '../support/policy-rules.ts'
import { codeAt, enrollmentPolicy, secretIn, twoFactors, wrongCode } from '../wire/totp.ts'

const ada = { login: 'ada', email: 'ada@example.com', password: 'Marmalade-Harbour-31' }
const home = '198.51.100.1'

let idp: Kit
afterEach(() => idp.close())

async function start(): Promise<void> {
  idp = await startTarget()
  await idp.people.add(ada)
}

const from = (address: string, headers: Readonly<Record<string, string>> = {}): Promise<Visitor> =>
  visit(idp, { headers: { 'x-forwarded-for': address, ...headers } })

async function signIn(address: string, identifier: string, passcode: string, headers = {}) {
  const visitor = await from(address, headers)
  return visitor.submits('identify', { identifier, credentials: { passcode } })
}

const isSignedIn = async (...sent: Parameters<typeof signIn>): Promise<boolean> =>
  (await signIn(...sent)).interactionCode !== undefined

async function askForMail(address: string, identifier: string) {
  const visitor = await from(address)
  await visitor.submits('recover')
  await visitor.submits('identify', { identifier })
  return { visitor, last: await visitor.selects('okta_email') }
}

/** What strangers do with a name for an hour, from several addresses: passwords, mails and codes. */
async function siege(names: readonly string[], sources: number, requests: number): Promise<void> {
  for (let sent = 0; sent < requests; ) {
    const address = `203.0.113.${sent % sources}`
    const name = names[sent % names.length] ?? ''
    const { status } = await signIn(address, name, 'Summer2026!!')
    expect(status).toBe(401)
    const { visitor } = await askForMail(address, name)
    await visitor.answers('111111')
    sent += 8
    idp.clock.advance(`${Math.ceil(3600 / (requests / 8))}s`)
  }
}

test('A56: the owner signs in and recovers within a minute while a thousand requests an hour are aimed at that user’s name', async () => {
  await start()
  expect(await isSignedIn(home, 'ada', ada.password)).toBe(true)
  await siege(['ada', 'ada@example.com'], 7, scale(480, 1000))

  const begun = performance.now()
  expect(await isSignedIn(home, 'ada', ada.password)).toBe(true)
  const { visitor, last } = await askForMail(home, 'ada@example.com')
  expect(last.status).toBe(200)
  const proven = await visitor.answers((await mailTo(idp, ada.email)).code)
  expect(proven.remediations).toEqual(['reset-authenticator'])
  expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()
  expect(performance.now() - begun).toBeLessThan(onThisMachine(60_000))
})

test('A56: a user’s browser is known by what the app says of it, at any address', async () => {
  await start()
  const browser = { 'x-device-token': 'a'.repeat(32) }
  expect(await isSignedIn(home, 'ada', ada.password, browser)).toBe(true)
  for (let index = 0; index < 30; index++) await signIn(`203.0.113.${index % 7}`, 'ada', 'Summer2026!!')
  expect(await isSignedIn('192.0.2.200', 'ada', ada.password, browser)).toBe(true)
  // Another browser at another place has to wait, or to recover.
  expect(await isSignedIn('192.0.2.201', 'ada', ada.password, { 'x-device-token': 'b'.repeat(32) })).toBe(
    false,
  )
})

test('A56: one source spends ten of the twenty passwords of a name, by whatever names, and two of its five mails', async () => {
  await start()
  const used = async (like: string) => {
    const rows = await idp.engine.storage.db.selectFrom('budgets').selectAll().execute()
    return rows.filter(({ key }) => key.startsWith(like)).map((row) => row.used)
  }
  for (let index = 0; index < 30; index++) {
    await signIn('203.0.113.7', index % 2 === 0 ? 'ada' : 'ada@example.com', 'Summer2026!!')
  }
  expect(await used('passwords-per-hour:person')).toEqual([10])
  // From elsewhere the right password is still right.
  expect(await isSignedIn('192.0.2.200', 'ada', ada.password)).toBe(true)

  for (let index = 0; index < 6; index++) {
    await askForMail('203.0.113.7', index % 2 === 0 ? 'ada' : 'ada@example.com')
  }
  await idp.engine.delivery.idle()
  expect(idp.outbox.to(ada.email)).toHaveLength(2)
  // Strangers together leave the reserve.
  for (let index = 0; index < 12; index++) await askForMail(`203.0.113.${index % 6}`, 'ada')
  await idp.engine.delivery.idle()
  expect(idp.outbox.to(ada.email)).toHaveLength(3)
})

test('A56: neither the shares nor the reserve reveal whether a name is known, not even next to its user', async () => {
  await start()
  expect(await isSignedIn(home, 'ada', ada.password)).toBe(true)
  const told = async (name: string) => {
    const lines: unknown[] = []
    const mails = async (address: string) => {
      for (let index = 0; index < 4; index++) {
        const { last } = await askForMail(address, name)
        lines.push([address, last.status, last.headers.get('retry-after'), ...last.messages])
      }
    }
    const passwords = async (address: string) => {
      for (let index = 0; index < 12; index++) {
        const reply = await signIn(address, name, 'Summer2026!!')
        lines.push([address, reply.status, ...reply.messages])
      }
    }
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3', home]) {
      await mails(address)
      await passwords(address)
    }
    return lines
  }
  const known = await told('ada')
  expect(await told('nora')).toEqual(known)
  expect(JSON.stringify(known)).toContain('429')
})

test('A56: a new password forgets where the old one was used', async () => {
  await start()
  const thief = '203.0.113.66'
  expect(await isSignedIn(thief, 'ada', ada.password)).toBe(true)
  const { visitor } = await askForMail(home, 'ada')
  await visitor.answers((await mailTo(idp, ada.email)).code)
  expect((await visitor.answers(newPassword)).interactionCode).toBeDefined()

  for (let index = 0; index < 30; index++) await signIn(`203.0.113.${index % 7}`, 'ada', 'Summer2026!!')
  expect(await isSignedIn(thief, 'ada', newPassword)).toBe(false)
  expect(await isSignedIn(home, 'ada', newPassword)).toBe(true)
})

test('A56: two hundred users behind one address get in, with a typing error in twenty', async () => {
  await start()
  const users = scale(60, 200)
  for (let index = 0; index < users; index++) {
    const login = `user${index}@example.com`
    await idp.people.add({ login, email: login, password: 'Marmalade-Harbour-31' })
  }
  const outcomes: boolean[] = []
  for (let index = 0; index < users; index++) {
    const login = `user${index}@example.com`
    if (index % 20 === 0) await signIn('192.0.2.1', login, 'Marmalade-Harbour-13')
    outcomes.push(await isSignedIn('192.0.2.1', login, 'Marmalade-Harbour-31'))
  }
  expect(outcomes.filter((isIn) => !isIn)).toEqual([])
})

test('A56: an app that vouches for no address is one source with the budgets of an app, and the log says so', async () => {
  const lines: string[] = []
  idp = await startTarget({
    settings: { limits: { sprayPerAddressMinute: 3, appFactor: 4 } },
    log: {
      debug() {},
      info() {},
      warn: (...line: unknown[]) => void lines.push(JSON.stringify(line)),
      error() {},
    } as never,
  })
  const statuses = []
  for (let index = 0; index < 14; index++) {
    const visitor = await visit(idp)
    const wrong = { identifier: `person${index}@example.com`, credentials: { passcode: 'Summer2026!!' } }
    statuses.push((await visitor.submits('identify', wrong)).status)
  }
  expect(statuses).toEqual([...Array(12).fill(401), 429, 429])
  expect(lines.filter((line) => line.includes('X-Forwarded-For'))).toHaveLength(1)
  // Another app's users, and an address that is vouched for, have budgets of their own.
  const visitor = await from('192.0.2.1')
  const wrong = { identifier: 'nina@example.com', credentials: { passcode: 'Summer2026!!' } }
  expect((await visitor.submits('identify', wrong)).status).toBe(401)
})

test('A56: through an app that vouches for no address, strangers use up nothing of what the user has elsewhere', async () => {
  await start()
  for (let index = 0; index < 25; index++) {
    const visitor = await visit(idp)
    await visitor.submits('identify', { identifier: ada.login, credentials: { passcode: 'Summer2026!!' } })
    if (index < 8) {
      await visitor.begins()
      await visitor.submits('recover')
      await visitor.submits('identify', { identifier: ada.login })
      await visitor.selects('okta_email')
    }
  }
  await idp.engine.delivery.idle()
  const mails = idp.outbox.to(ada.email).length
  expect(await isSignedIn('192.0.2.200', 'ada', ada.password)).toBe(true)
  await askForMail('192.0.2.200', 'ada')
  await idp.engine.delivery.idle()
  expect([mails, idp.outbox.to(ada.email).length]).toEqual([5, 6])
})

test('A56: a password that an administrator sets forgets where the old one was used', async () => {
  await start()
  const thief = '203.0.113.66'
  expect(await isSignedIn(thief, 'ada', ada.password)).toBe(true)
  const user = await apiOf(idp)('GET', `/users/${ada.login}`)
  await idp.people.update(user.body.id, { password: newPassword })
  expect(await isSignedIn(home, 'ada', newPassword)).toBe(true)

  for (let index = 0; index < 30; index++) await signIn(`203.0.113.${index % 7}`, 'ada', 'Summer2026!!')
  expect(await isSignedIn(thief, 'ada', newPassword)).toBe(false)
  expect(await isSignedIn(home, 'ada', newPassword)).toBe(true)
})

test('A56: wrong codes of strangers who know the password keep no owner of an authenticator app out', async () => {
  await start()
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const owner = await from(home)
  await owner.signsIn(ada.login, ada.password)
  const secret = secretIn(await owner.enrolls('google_otp'))
  expect((await owner.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
  await twoFactors(idp)

  const guesses = async (address: string, times: number) => {
    for (let sent = 0; sent < times; sent += 4) {
      const visitor = await from(address)
      await visitor.signsIn(ada.login, ada.password)
      await visitor.selects('google_otp')
      for (let guess = 0; guess < 4; guess++) await visitor.answers(wrongCode(secret, idp.clock.now()))
    }
  }
  const getsIn = async (address: string): Promise<boolean> => {
    idp.clock.advance('10m')
    const visitor = await from(address)
    await visitor.signsIn(ada.login, ada.password)
    await visitor.selects('google_otp')
    return (await visitor.answers(codeAt(secret, idp.clock.now()))).interactionCode !== undefined
  }
  // One source takes its share, and is kept out alone.
  await guesses('203.0.113.1', 12)
  expect([await getsIn('203.0.113.1'), await getsIn('192.0.2.1')]).toEqual([false, true])
  for (const address of ['203.0.113.2', '203.0.113.3']) await guesses(address, 12)
  expect([await getsIn('192.0.2.2'), await getsIn(home)]).toEqual([false, true])

  const { body } = await apiOf(idp)('GET', `/users/${ada.login}`)
  expect((await apiOf(idp)('POST', `/users/${body.id}/lifecycle/unlock`)).status).toBe(200)
  expect(await getsIn('192.0.2.3')).toBe(true)
})

test('A56: strangers who guess at the code that begins a recovery leave guesses for who has the password', async () => {
  await start()
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const owner = await from(home)
  await owner.signsIn(ada.login, ada.password)
  const secret = secretIn(await owner.enrolls('google_otp'))
  expect((await owner.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
  await twoFactors(idp)
  await builtInRule(idp, 'PASSWORD', {
    selfServicePasswordReset: {
      access: 'ALLOW',
      requirement: { primary: { methods: ['email', 'otp'] }, stepUp: { required: false } },
    },
  })

  for (let stranger = 1; stranger <= 12; stranger++) {
    const visitor = await from(`203.0.113.${stranger}`)
    await visitor.recovers(ada.login)
    await visitor.selects('google_otp')
    for (let guess = 0; guess < 4; guess++) await visitor.answers(wrongCode(secret, idp.clock.now()))
  }
  idp.clock.advance('10m')
  const elsewhere = await from('192.0.2.7')
  await elsewhere.signsIn(ada.login, ada.password)
  await elsewhere.selects('google_otp')
  expect((await elsewhere.answers(codeAt(secret, idp.clock.now()))).interactionCode).toBeDefined()
})

test('A07: wrong codes of an authenticator app are counted until the next success, over any number of days', async () => {
  idp = await startTarget({ settings: { limits: { codesPerDay: 1_000_000, codesUntilSuccess: 40 } } })
  await idp.people.add(ada)
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  const owner = await from(home)
  await owner.signsIn(ada.login, ada.password)
  const secret = secretIn(await owner.enrolls('google_otp'))
  await owner.answers(codeAt(secret, idp.clock.now()))
  await twoFactors(idp)

  const atTheCode = async (address: string) => {
    const visitor = await from(address)
    await visitor.signsIn(ada.login, ada.password)
    await visitor.selects('google_otp')
    return visitor
  }
  for (let day = 0; day < 8; day++) {
    idp.clock.advance('25h')
    const visitor = await atTheCode(`203.0.113.${day}`)
    for (let guess = 0; guess < 4; guess++) await visitor.answers(wrongCode(secret, idp.clock.now()))
  }
  const isRight = async (address: string) =>
    (await (await atTheCode(address)).answers(codeAt(secret, idp.clock.now()))).interactionCode !== undefined
  // Strangers leave a quarter; the success from a known place begins the count anew.
  expect([await isRight('203.0.113.9'), await isRight(home)]).toEqual([false, true])
  idp.clock.advance('10m')
  expect(await isRight('203.0.113.10')).toBe(true)
})
