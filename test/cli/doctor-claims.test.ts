import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { visit } from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { builtInRule, sessionRule } from '../support/policy-rules.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { enrollmentPolicy } from '../wire/totp.ts'
import { callCommand } from './terminal.ts'

// Each line of `rekey doctor` that a sound installation meets, and what breaks it: a line that stays met claims more
// than it checks. The rows of src/config/requirements.test.ts do the same with what the system has answered.

let folder: string
let idp: Kit
let api: Api
let env: Record<string, string>
let mails: Awaited<ReturnType<typeof startSmtpServer>>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-claims-'))
  mails = await startSmtpServer()
  const secret = 'only for tests: everybody knows this secret'
  writeFileSync(join(folder, 'secret'), secret, { mode: 0o600 })
  idp = await startEngine({
    database: `sqlite:${join(folder, 'rekey.db')}`,
    policy: { password: { complexity: { minLength: 15 }, recovery: { authenticators: [] } } },
  })
  api = apiOf(idp)
  // A visitor whose address is named, so that there is something to say of sources.
  await visit(idp, { headers: { 'x-forwarded-for': '192.0.2.1' } })
  // The kit's browser client takes any address of this machine.
  await api('POST', `/apps/${idp.publicClientId}/lifecycle/deactivate`)
  env = {
    DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
    REKEY_SECRET_FILE: join(folder, 'secret'),
    REKEY_ISSUER: 'https://id.example.com',
    SMTP_URL: mails.url,
  }
})
afterAll(async () => {
  await idp.close()
  await mails.close()
  rmSync(folder, { recursive: true })
})

type Line = { readonly id: string; readonly standard: string; readonly asks: string; readonly result: string }

async function doctor(more: Readonly<Record<string, string>> = {}): Promise<readonly Line[]> {
  const { stdout } = await callCommand(['doctor', '--json'], { folder, env: { ...env, ...more } })
  return JSON.parse(stdout)
}

/** Adds a password policy, answers what takes it away. */
async function policyOf(password: object): Promise<() => Promise<unknown>> {
  const made = await api('POST', '/policies', {
    ...{ type: 'PASSWORD', name: 'Weak', settings: { password } },
    conditions: { people: { groups: { include: [await everyone()] } } },
  })
  expect(made.status, made.text).toBe(200)
  // Without a rule it has no effect.
  const rule = { type: 'PASSWORD', name: 'All', actions: { selfServicePasswordReset: { access: 'DENY' } } }
  const { status, text } = await api('POST', `/policies/${made.body.id}/rules`, rule)
  expect(status, text).toBe(200)
  return () => api('DELETE', `/policies/${made.body.id}`)
}
const everyone = async () => (await api('GET', '/groups?q=Everyone')).list[0]?.id

async function emailWith(settings: object): Promise<() => Promise<unknown>> {
  const { list } = await api('GET', '/authenticators')
  const { id, key, name } = list.find((one) => one.key === 'okta_email') ?? { id: '' }
  const put = (changed: object) => api('PUT', `/authenticators/${id}`, { key, name, settings: changed })
  const { status, text } = await put(settings)
  expect(status, text).toBe(200)
  return () => put({ allowedFor: 'any', tokenLifetimeInMinutes: 5 })
}

async function questionsActive(): Promise<() => Promise<unknown>> {
  const { list } = await api('GET', '/authenticators')
  const { id } = list.find((one) => one.key === 'security_question') ?? { id: '' }
  const set = (state: string) => api('POST', `/authenticators/${id}/lifecycle/${state}`)
  const { status, text } = await set('activate')
  expect(status, text).toBe(200)
  return () => set('deactivate')
}

/** A sign-up that verifies the address, or does not. */
const registering = (emailVerification: boolean) => ({
  profileEnrollment: {
    ...{ access: 'ALLOW', unknownUserAction: 'REGISTER', activationRequirements: { emailVerification } },
    profileAttributes: [{ name: 'email', label: 'Email', required: true }],
  },
})

/** What each row does, and what undoes it. */
const breaks: Readonly<Record<string, () => Promise<() => unknown> | (() => unknown)>> = {
  'ASVS 5.0 6.1.1': () => policyOf({ lockout: { maxAttempts: 5 }, complexity: { minLength: 15 } }),
  'ASVS 5.0 6.2.1': () => policyOf({ complexity: { minLength: 6 } }),
  'ASVS 5.0 6.2.4': () =>
    policyOf({ complexity: { minLength: 15, dictionary: { common: { exclude: false } } } }),
  'ASVS 5.0 6.2.5': () => policyOf({ complexity: { minLength: 15, minNumber: 1 } }),
  'ASVS 5.0 6.2.10': () => policyOf({ complexity: { minLength: 15 }, age: { maxAgeDays: 90 } }),
  'ASVS 5.0 6.4.2': questionsActive,
  'ASVS 5.0 6.5.5': () => emailWith({ tokenLifetimeInMinutes: 30 }),
  'NIST SP 800-63B-4 3.1.1': () => policyOf({ complexity: { minLength: 14 } }),
  'NIST SP 800-63B-4 3.1.1.2': () => policyOf({ complexity: { minLength: 15 }, age: { maxAgeDays: 90 } }),
  'RFC 9700 4.1.3': async () => {
    await api('POST', `/apps/${idp.publicClientId}/lifecycle/activate`)
    return () => api('POST', `/apps/${idp.publicClientId}/lifecycle/deactivate`)
  },
  'Operation sign-up of a known address': async () => {
    await builtInRule(idp, 'PROFILE_ENROLLMENT', registering(false))
    return () => builtInRule(idp, 'PROFILE_ENROLLMENT', registering(true))
  },
  'Operation files': () => {
    chmodSync(join(folder, 'rekey.db'), 0o644)
    return () => chmodSync(join(folder, 'rekey.db'), 0o600)
  },
  'Operation secret files': () => {
    chmodSync(join(folder, 'secret'), 0o644)
    return () => chmodSync(join(folder, 'secret'), 0o600)
  },
}

/** Lines that a setting of the command itself breaks. */
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ASVS 5.0 6.3.7': { SMTP_URL: 'smtp://127.0.0.1:1' },
  'NIST SP 800-63B-4 4.2.3': { SMTP_URL: 'smtp://127.0.0.1:1' },
  'ASVS 5.0 12.3.1': { SMTP_URL: 'smtp://127.0.0.1:1' },
  'RFC 9700 2.6': { REKEY_ISSUER: 'http://localhost:9000' },
  'Operation classic': { REKEY_CLASSIC: 'true' },
  'Operation schema': { DATABASE_URL: 'memory' },
  'Operation workers': { REKEY_WORKERS: '256' },
  'Operation clock': { DATABASE_URL: 'memory' },
  'Operation REKEY_SECRET': {
    ...{ REKEY_SECRET: 'another secret of tests only: 0123456789', REKEY_SECRET_FILE: '' },
  },
}

/** Lines that other tests break, since it takes another installation. */
const elsewhere: Readonly<Record<string, string>> = {
  // A limit, a policy, the mail of a sign-in.
  'ASVS 5.0 2.4.1': 'src/config/requirements.test.ts',
  'ASVS 5.0 6.2.9': 'src/config/requirements.test.ts',
  'ASVS 5.0 6.3.6': 'src/config/requirements.test.ts',
  'ASVS 5.0 6.3.8': 'src/config/requirements.test.ts',
  'ASVS 5.0 6.4.3': 'src/config/requirements.test.ts',
  'ASVS 5.0 6.6.3': 'src/config/requirements.test.ts',
  'NIST SP 800-63B-4 4.2.1.2': 'src/config/requirements.test.ts',
  'RFC 9700 2.1.2': 'src/config/requirements.test.ts',
  // Both 6.3.1: guesses, and the sources of an app.
  'ASVS 5.0 6.3.1': 'src/config/requirements.test.ts and test/cli/doctor.test.ts',
  'Operation configuration': 'test/contract/configuration.test.ts',
  'Operation node': 'test/cli/files.test.ts',
  'Operation packages': 'src/cli/doctor-packages.test.ts',
}

const named = ({ standard, id }: Line) => `${standard} ${id}`

test('every line that is met has something that breaks it', async () => {
  const met = (await doctor()).filter(({ result }) => result === 'met').map(named)
  for (const name of [...Object.keys(breaks), ...Object.keys(settings)]) expect(met).toContain(name)
  const known = new Set([breaks, settings, elsewhere].flatMap(Object.keys))
  expect(met.filter((name) => !known.has(name))).toEqual([])
})

test.each(Object.entries(breaks))('%s is met no more once it is broken', async (name, broken) => {
  const undo = await broken()
  try {
    const lines = (await doctor()).filter((line) => named(line) === name)
    expect(lines.map(({ result }) => result)).toEqual(['deviates'])
  } finally {
    await undo()
  }
})

test.each(Object.entries(settings))('%s is met no more with %j', async (name, more) => {
  const lines = (await doctor(more)).filter((line) => named(line) === name)
  expect(lines.filter(({ result }) => result === 'met')).toEqual([])
})

test('accounts without a password deviate while the first page asks for one', async () => {
  const line = async () => (await doctor()).find(({ id }) => id === 'accounts without a password')?.result
  expect(await line()).toBe('not applicable')
  await enrollmentPolicy(idp, { okta_email: 'REQUIRED', okta_password: 'OPTIONAL' })
  expect(await line()).toBe('deviates')
  await sessionRule(idp, { access: 'ALLOW', primaryFactor: 'PASSWORD_IDP_ANY_FACTOR' })
  expect(await line()).toBe('met')
})

test('of a database that no node has started on nothing is claimed', async () => {
  const fresh = mkdtempSync(join(folder, 'fresh-'))
  const more = { DATABASE_URL: `sqlite:${join(fresh, 'rekey.db')}` }
  await callCommand(['migrate'], { folder, env: { ...env, ...more } })
  const lines = await doctor(more)
  const of = (id: string, asks: RegExp) => lines.find((line) => line.id === id && asks.test(line.asks))
  expect(of('6.3.1', /distinguished/)).toMatchObject({ result: 'not checked' })
  expect(of('configuration', /alike/)).toMatchObject({ result: 'not checked' })
})

test('what nodes are configured like is not known by another secret', async () => {
  const lines = await doctor(settings['Operation REKEY_SECRET'])
  expect(lines.find(({ id }) => id === 'configuration')).toMatchObject({ result: 'not checked' })
})
