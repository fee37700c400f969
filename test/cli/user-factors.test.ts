import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { apiOf } from '../support/management.ts'
import { enrollmentPolicy } from '../wire/totp.ts'
import { callCommand } from './terminal.ts'

const secret = 'only for tests: everybody knows this secret'
const totp = { factorType: 'token:software:totp', provider: 'GOOGLE' }

let idp: Kit
let folder: string
let login: string
let id: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekey-factors-'))
  idp = await startEngine({ database: `sqlite:${join(folder, 'rekey.db')}` })
  login = idp.person.login
})
beforeEach(async () => {
  await idp.reset()
  id = (await idp.people.list(login))[0]?.id ?? ''
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
})
afterAll(async () => {
  await idp.close()
  await rm(folder, { recursive: true })
})

const enrol = () => apiOf(idp)('POST', `/users/${id}/factors?activate=true`, totp)
const run = (line: string, answers?: readonly string[]) =>
  callCommand(`user factors ${line}`.split(' '), {
    folder,
    env: {
      DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
      REKEY_SECRET: secret,
      REKEY_API_TOKEN: idp.apiToken,
    },
    ...(answers && { answers }),
  })

test('factors are listed, as a table and as JSON', async () => {
  expect(await run(`list ${login}`)).toEqual({
    code: 0,
    stdout: '',
    stderr: `${login} has no factors besides the password\n`,
  })
  const { body } = await enrol()
  const table = await run(`list ${login}`)
  expect(table.stdout.trim().split('\n')).toEqual([
    expect.stringMatching(/^factor +name +enrolled +last used +waits +id$/),
    expect.stringMatching(new RegExp(`^Google Authenticator +20\\d\\d-\\S+ \\S+ +never +- +${body.id}$`)),
  ])
  expect(JSON.parse((await run(`list ${id} --json`)).stdout)).toEqual([
    expect.objectContaining({ id: body.id, key: 'google_otp', type: 'app', method: 'otp', lastUsed: null }),
  ])
})

test('one is removed by its id or its authenticator, once it was confirmed', async () => {
  await enrol()
  expect(await run(`remove ${login} google_otp`)).toMatchObject({
    code: 1,
    stderr: 'rekey: cannot ask for confirmation here: add --yes\n',
  })
  expect(await run(`remove ${login} google_otp`, ['n'])).toMatchObject({
    code: 1,
    stderr: 'rekey: no factor was removed\n',
  })
  const removed = await run(`remove ${login} google_otp`, ['y'])
  expect(removed.stdout).toBe(`removed Google Authenticator (uft${id.slice(3)}) of ${login}\n`)
  expect(await run(`remove ${login} google_otp --yes`)).toMatchObject({
    code: 1,
    stderr: `rekey: ${login} has no factor "google_otp"; see: rekey user factors list ${login}\n`,
  })
  const { body } = await enrol()
  expect((await run(`remove ${login} ${body.id} --yes`)).code).toBe(0)
  expect(await run(`remove ${login} okta_password --yes`)).toMatchObject({ code: 1 })
  expect(await run(`remove ${login}`)).toMatchObject({ code: 2 })
  expect(await run('remove ghost@example.com x --yes')).toMatchObject({
    code: 1,
    stderr: 'rekey: there is no user "ghost@example.com"; see: rekey user list\n',
  })
})

test('all are reset, with what is pending; the user is notified, and the log has it', async () => {
  await apiOf(idp)('POST', `/users/${id}/factors`, totp)
  expect((await run(`reset ${login} --yes`)).stdout).toBe(`removed nothing of ${login}\n`)
  expect((await apiOf(idp)('GET', `/users/${id}/factors/uft${id.slice(3)}`)).status).toBe(404)
  await enrol()
  expect((await run(`reset ${login} --yes`)).stdout).toBe(`removed Google Authenticator of ${login}\n`)
  const events = await idp.events()
  expect(events.filter(({ eventType }) => eventType === 'user.mfa.factor.reset_all')).toHaveLength(2)
  expect(events.filter(({ eventType }) => eventType === 'user.mfa.factor.deactivate')).toHaveLength(1)
  expect(events).toContainEqual(
    expect.objectContaining({ eventType: 'system.email.mfa_reset_notification.sent_message' }),
  )
  expect(await run(`reset ${login}`, ['no'])).toMatchObject({ code: 1 })
})

test('what waits is listed, a removal is stopped, and what does not count yet counts at once', async () => {
  await grantAccount(idp)
  const visitor = accountVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(login, idp.person.password)
  if (visitor.remediations.includes('skip')) await visitor.submits('skip')
  const own = accountApi(idp, await tokenIn(visitor))
  const added = await own('POST', '/phones', { profile: { phoneNumber: '+12024561111' }, method: 'SMS' })
  const { verify } = added.body._links as Record<string, { href: string }>
  const { code } = await idp.outbox.waitFor({ to: '+12024561111', channel: 'sms' })
  await own('POST', verify?.href ?? '', { verificationCode: code })
  const listed = async () => JSON.parse((await run(`list ${login} --json`)).stdout)[0]
  expect((await run(`list ${login}`)).stdout).toMatch(/recovers from 20\d\d-\d\d-\d\d \d\d:\d\d/)
  expect(Date.parse((await listed()).settlesAt)).toBeGreaterThan(Date.now() + 80_000_000)
  expect(await run(`settle ${login} phone_number`, ['n'])).toMatchObject({ code: 1 })
  const settled = await run(`settle ${login} phone_number --yes`)
  expect(settled.stdout).toMatch(/^counts at once: Phone \(\w+\) of /)
  expect((await listed()).settlesAt).toBeUndefined()
  expect(await run(`settle ${login} phone_number --yes`)).toMatchObject({ code: 1 })

  expect(await run(`keep ${login} phone_number`)).toMatchObject({ code: 1 })
  expect((await own('DELETE', `/phones/${added.body.id}?wait=true`)).status).toBe(202)
  expect((await run(`list ${login}`)).stdout).toMatch(/removed at 20\d\d-/)
  expect((await run(`keep ${login} phone_number`)).stdout).toMatch(/^its removal was stopped: Phone/)
  expect((await listed()).waitingUntil).toBeUndefined()
  const events = await idp.events()
  expect(events).toContainEqual(
    expect.objectContaining({
      eventType: 'user.account.change',
      actor: expect.objectContaining({ id: 'cli' }),
      outcome: expect.objectContaining({ reason: 'STOPPED' }),
    }),
  )
})
