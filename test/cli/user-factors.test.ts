import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
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
  await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
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
    expect.stringMatching(/^factor +name +enrolled +last used +id$/),
    expect.stringMatching(new RegExp(`^Google Authenticator +20\\d\\d-\\S+ \\S+ +never +${body.id}$`)),
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
