import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkConfig } from '../../src/config/index.ts'
import { budgetsFrom } from '../../src/limits/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

// What the documents say in numbers and tables is what the engine does.

const root = join(import.meta.dirname, '../..')
const page = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')

describe('numbers', () => {
  const config = checkConfig({ secrets: ['a secret for this test only, long'] })
  const { limits, lifetimes, events, management, password } = config
  const budgets = budgetsFrom(limits)
  const { passwords, mails, otpPerDay, otpUntilSuccess, spray } = budgets
  const english = (count: number) => count.toLocaleString('en-US')
  const from = (pool: { limit: number; reserve: number }) => pool.limit - pool.reserve
  const minutes = (ms: number) => ms / 60_000

  test.each([
    // The table of budgets.
    [
      'security.md',
      `| wrong six-digit codes | account and name as typed | ${limits.codesPerDay} in 24 hours |`,
    ],
    [
      'security.md',
      `| wrong six-digit codes | account | ${limits.codesUntilSuccess} until the next success |`,
    ],
    [
      'security.md',
      `| wrong passwords | account | ${passwords.limit} in an hour, ${from(passwords)} of them by sources that`,
    ],
    ['security.md', `| wrong passwords | account and source | ${passwords.share} in an hour |`],
    [
      'security.md',
      `| wrong answers about any name | source | ${spray.perMinute.limit} in a minute, ${spray.perHour.limit} in an hour |`,
    ],
    [
      'security.md',
      `| wrong answers about any name | the installation | ${english(spray.everywhere.limit)} in an hour, or ${spray.perHundredSignIns} for each hundred users`,
    ],
    ['security.md', `all mails carry long codes; ${spray.underAttack.limit} wrong answers a source and hour`],
    [
      'security.md',
      `| account | ${otpPerDay.limit} in a day, ${from(otpPerDay)} of them by sources that the user never signed in from; ${otpUntilSuccess.limit} until the next success, ${from(otpUntilSuccess)} of them`,
    ],
    [
      'security.md',
      `| mails | account | ${mails.limit} in ${minutes(mails.windowMs)} minutes, ${from(mails)} of them by sources that`,
    ],
    ['security.md', `account and source | ${mails.share} in ${minutes(mails.windowMs)} minutes |`],
    // What is said of them.
    [
      'security.md',
      `one source takes ${passwords.share} of the ${passwords.limit} passwords and ${mails.share} of the ${mails.limit} mails`,
    ],
    ['security.md', `leave a reserve of ${passwords.reserve} passwords and ${mails.reserve} mails`],
    ['security.md', `It has ten times the budgets of an address\n  (\`limits.appFactor\`)`],
    ['security.md', `| up to 4,000 | ${english(spray.everywhere.limit)} |`],
    ['security.md', `| 100,000 | ${english((100_000 / 100) * spray.perHundredSignIns)} |`],
    ['security.md', `12 characters and a blocklist`],
    ['security.md', `${lifetimes.code.replace('m', '')} minutes. \`lifetimes.code\` allows more`],
    ['security.md', `events after ${events.retention.replace('d', '')}\ndays`],
    ['security.md', `What has waited for two\nseconds (\`password.waitMs\`)`],
    ['management.md', `\`management.scannedUsers\` of them (${english(management.scannedUsers)}:`],
    ['recovery.md', `| \`lifetimes.code\` | \`${lifetimes.code}\` |`],
    ['faq.md', `| ${lifetimes.transaction.replace('m', '')} minutes passed`],
  ])('%s: %s', (name, sentence) => {
    expect(page(name)).toContain(sentence)
  })

  test('that stand as words are the defaults', () => {
    expect([limits.appFactor, password.waitMs, events.unknownRetention]).toEqual([10, 2000, '1d'])
    expect([lifetimes.code, lifetimes.transaction]).toEqual(['5m', '30m'])
  })
})

describe('what an administrator’s change ends', () => {
  let idp: Kit
  let api: Api
  beforeAll(async () => {
    idp = await startEngine()
    api = apiOf(idp)
  })
  afterAll(() => idp.close())

  const post = (path: string) => (id: string) => api('POST', `/users/${id}${path}`)
  const changes: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    'set a password': (id) =>
      api('POST', `/users/${id}`, { credentials: { password: { value: 'Another-Kettle-77' } } }),
    'reset the password (`reset_password`)': post('/lifecycle/reset_password?sendEmail=false'),
    'expire the password (`expire_password`)': post('/lifecycle/expire_password'),
    'change the email': (id) =>
      api('POST', `/users/${id}`, { profile: { email: `${id}@elsewhere.example` } }),
    'change the login alone': (id) =>
      api('POST', `/users/${id}`, { profile: { login: `${id}@login.example` } }),
    'suspend the user': post('/lifecycle/suspend'),
    'deactivate the user': post('/lifecycle/deactivate'),
    'delete the user': async (id) => {
      await api('DELETE', `/users/${id}`)
      return api('DELETE', `/users/${id}`)
    },
    'end the sessions (`DELETE …/sessions`)': (id) => api('DELETE', `/users/${id}/sessions`),
  }
  const rows = (page('security.md').split('<!-- changes -->')[1]?.split('\n\n')[0] ?? '')
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

  test('is in the table, each change once', () => {
    expect(rows.map(([change]) => change).toSorted()).toEqual(Object.keys(changes).toSorted())
  })

  test.each(rows)(
    '%s: transactions %s, sessions %s, notice %s',
    async (change = '', open, sessions, notice = '') => {
      const login = `user-${rows.findIndex(([name]) => name === change)}@example.com`
      const { id } = await idp.people.add({ login, password: 'Tangerine-Kettle-42' })
      const { refreshToken } = await idp.signInAs(login, { client: idp.publicClientId })
      const visitor = await idp.visitor({ client: idp.publicClientId }).atTheCode(login)
      const { id: last, code } = await visitor.mail(login)

      await changes[change]?.(id)

      const form = {
        grant_type: 'refresh_token',
        refresh_token: refreshToken ?? '',
        client_id: idp.publicClientId,
      }
      const refreshed = await fetch(`${idp.issuer}/v1/token`, {
        method: 'POST',
        body: new URLSearchParams(form),
      })
      expect(refreshed.ok ? 'stay' : 'end').toBe(sessions)
      await visitor.answers(code)
      expect(visitor.remediations.includes('reset-authenticator') ? 'stay' : 'end').toBe(open)
      const template = /`(\w+)`[^`]*$/.exec(notice)?.[1]
      if (template !== undefined) {
        const sent = template === 'EmailChanged' ? [login, `${id}@elsewhere.example`] : [login]
        await expect
          .poll(() =>
            idp.outbox
              .all()
              .filter((mail) => mail.template === template && sent.includes(mail.to))
              .map(({ to }) => to)
              .toSorted(),
          )
          .toEqual(sent.toSorted())
        const notices = idp.outbox.all().filter((mail) => mail.template === template)
        expect(notices.every((mail) => mail.code === null)).toBe(true)
      } else {
        await idp.engine.delivery.idle()
        expect(idp.outbox.to(login).filter((mail) => mail.id !== last)).toEqual([])
      }
    },
  )
})

test('stored profiles are not validated again', async () => {
  await using idp = await startEngine()
  const api = apiOf(idp)
  const { id } = await idp.people.add({ login: 'ada@example.com', password: 'Tangerine-Kettle-42' })
  const definitions = (badge: object) => ({
    definitions: { custom: { id: '#custom', type: 'object', properties: { badge } } },
  })
  const schema = '/meta/schemas/user/default'
  const text = { title: 'Badge', type: 'string' }
  expect((await api('POST', schema, definitions(text))).status).toBe(200)
  await api('POST', `/users/${id}`, { profile: { badge: 'far too long' } })
  expect((await api('POST', schema, definitions({ ...text, maxLength: 3 }))).status).toBe(200)
  const read = await api('GET', `/users/${id}`)
  expect(read.body.profile).toMatchObject({ badge: 'far too long' })
  const { interactionCode } = await idp.visitor().signsIn('ada@example.com', 'Tangerine-Kettle-42')
  expect(interactionCode).toBeTruthy()
  expect((await api('POST', `/users/${id}`, { profile: { badge: 'long' } })).status).toBe(400)
})

test('a theft within the leeway has no alarm until the two drift apart, and a reset ends it at once', async () => {
  await using idp = await startEngine()
  const client_id = idp.publicClientId
  const refresh = async (refresh_token: string | undefined) => {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refresh_token ?? '',
      client_id,
    })
    const response = await fetch(`${idp.issuer}/v1/token`, { method: 'POST', body })
    return ((await response.json()) as { refresh_token?: string }).refresh_token
  }
  const { refreshToken } = await idp.signInAs(idp.person.login, { client: client_id })
  const owner = await refresh(refreshToken)
  idp.clock.advance('29s')
  expect([owner, await refresh(refreshToken)]).toEqual([expect.any(String), owner])
  // Again within 30 seconds of each other.
  idp.clock.advance('1h')
  const next = await refresh(owner)
  idp.clock.advance('29s')
  expect(await refresh(owner)).toBe(next)
  // Not within them: the second use ends both.
  idp.clock.advance('1h')
  const last = await refresh(next)
  idp.clock.advance('31s')
  expect([await refresh(next), await refresh(last)]).toEqual([undefined, undefined])

  const { refreshToken: other } = await idp.signInAs(idp.person.login, { client: client_id })
  const successor = await refresh(other)
  const { id } = (await apiOf(idp)('GET', `/users/${idp.person.login}`)).body
  await idp.people.update(id, { password: 'Another-Kettle-77' })
  expect([await refresh(other), await refresh(successor)]).toEqual([undefined, undefined])
})

test.each([
  ['the email', { profile: { email: 'new@example.com' } }, undefined],
  ['the password', { credentials: { password: { value: 'Another-Kettle-77' } } }, undefined],
  ['the status', undefined, ['suspend', 'unsuspend']],
  ['nothing', undefined, undefined],
])('an administrator’s recovery token and a change of %s', async (what, body, lifecycle) => {
  await using idp = await startEngine()
  const api = apiOf(idp)
  const { id } = (await api('GET', `/users/${idp.person.login}`)).body
  const sent = await api('POST', `/users/${id}/credentials/forgot_password?sendEmail=false`)
  const token = String(sent.body.resetPasswordUrl).split('/').at(-1) ?? ''
  if (body !== undefined) expect((await api('POST', `/users/${id}`, body)).status).toBe(200)
  for (const step of lifecycle ?? []) await api('POST', `/users/${id}/lifecycle/${step}`)
  const visitor = idp.visitor({ parameters: { recovery_token: token } })
  await visitor.interacts()
  await visitor.introspects()
  expect(visitor.remediations.includes('reset-authenticator')).toBe(what === 'nothing')
})
