import { afterEach, expect, test } from 'vitest'
import type { Kit, Visitor } from '../../src/testing/index.ts'
import { mailTo, newPassword, scale, startTarget, visit } from '../support/attacks.ts'

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
  expect(performance.now() - begun).toBeLessThan(60_000)
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
