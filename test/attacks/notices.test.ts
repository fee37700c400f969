import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countLostNotices } from '../../src/delivery/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { type Called, callCommand } from '../cli/terminal.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  newPassword,
  startTarget,
  visit,
} from '../support/attacks.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { codeAt, enrollmentPolicy, secretIn } from '../wire/totp.ts'

const oldPassword = 'Tangerine-Kettle-42'
const secret = 'only for tests: everybody knows this secret'

interface User {
  readonly id: string
  readonly login: string
}

/** Everything that a path may need to change a user. */
interface World {
  readonly idp: Kit
  readonly api: Api
  /** The command line, on the database of the engine that runs. */
  readonly command: (words: readonly string[], answers?: readonly string[]) => Promise<Called>
  readonly folder: string
}

type Change = (world: World, user: User) => Promise<unknown>

const ok = async (answer: Promise<{ readonly status: number; readonly text: string }>): Promise<void> => {
  const { status, text } = await answer
  expect(status, text).toBeLessThan(300)
}

const question = { question: 'Which kettle?', answer: 'the copper one' }
const old = { value: oldPassword }

/** Replaces a line of an export by what `edit` makes of it, with `rekey import --replace`. */
const imports =
  (edit: (line: Record<string, unknown>, user: User) => object | undefined): Change =>
  async ({ command, folder, idp }, user) => {
    const file = join(folder, `${user.id}.jsonl`)
    expect(await command(['export', file])).toMatchObject({ code: 0 })
    const lines = (await readFile(file, 'utf8')).trim().split('\n')
    const [head = '', ...others] = lines
    const edited = others.flatMap((text) => {
      const line = edit(JSON.parse(text), user)
      return line === undefined ? [] : [JSON.stringify(line)]
    })
    expect(edited).not.toEqual([])
    await writeFile(file, `${[head, ...edited].join('\n')}\n`)
    const ran = await command(['import', file, '--replace'])
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    idp.engine.delivery.wake()
  }

const isEnrollment = (line: Record<string, unknown>, { id }: User): boolean =>
  line.kind === 'enrollment' && line.person_id === id

/** An enrollment of an authenticator app as a line of a file. */
const appLine = ({ id }: User) => ({
  ...{ kind: 'enrollment', id: `uft${id.slice(3)}`, person_id: id, authenticator: 'google_otp', slot: '' },
  ...{ method: 'otp', name: null, status: 'ACTIVE', data: { sealedSecret: 'of another user' }, counter: 0 },
  ...{ version: 1, created_at: 1, updated_at: 1, last_used_at: null },
})

/** Each path by which something changes that a user signs in with, and the notices of it: to the former address, and to the new one. */
const paths: readonly (readonly [string, Change, readonly string[]])[] = [
  [
    'a recovery of the user',
    async ({ idp }, { login }) => (await atTheReset(idp, login)).answers(newPassword),
    ['PasswordChanged'],
  ],
  [
    'an expired password that the user replaces at sign-in',
    async ({ idp }, { id, login }) => {
      await idp.people.update(id, { status: 'PASSWORD_EXPIRED' })
      const visitor = await visit(idp)
      await visitor.signsIn(login, oldPassword)
      await visitor.answers(newPassword)
    },
    ['PasswordChanged'],
  ],
  [
    'a factor that an administrator enrols over the API',
    ({ api }, { id }) =>
      ok(
        api('POST', `/users/${id}/factors?activate=true`, {
          factorType: 'token:software:totp',
          provider: 'GOOGLE',
        }),
      ),
    ['AuthenticatorEnrolled'],
  ],
  [
    'rekey user factors reset',
    async ({ api, command }, { id, login }) => {
      const body = { factorType: 'token:software:totp', provider: 'GOOGLE' }
      await ok(api('POST', `/users/${id}/factors?activate=true`, body))
      expect(await command(['user', 'factors', 'reset', login, '--yes'])).toMatchObject({ code: 0 })
    },
    ['AuthenticatorEnrolled', 'AuthenticatorReset'],
  ],
  [
    'change_password',
    ({ api }, { id }) =>
      ok(
        api('POST', `/users/${id}/credentials/change_password`, {
          oldPassword: old,
          newPassword: { value: newPassword },
        }),
      ),
    ['PasswordChanged'],
  ],
  [
    'a password of an administrator, by POST',
    ({ api }, { id }) =>
      ok(api('POST', `/users/${id}`, { credentials: { password: { value: newPassword } } })),
    ['PasswordChanged'],
  ],
  [
    'a password of an administrator, by PUT',
    ({ api }, { id, login }) =>
      ok(
        api('PUT', `/users/${id}`, {
          profile: { login, email: login },
          credentials: { password: { value: newPassword } },
        }),
      ),
    ['PasswordChanged'],
  ],
  [
    'a hash of another system',
    ({ api }, { id }) =>
      ok(
        api('POST', `/users/${id}`, {
          credentials: {
            password: {
              hash: {
                algorithm: 'BCRYPT',
                workFactor: 10,
                salt: 'abcdefghijklmnopqrstuu',
                value: 'abcdefghijklmnopqrstuvwxyz01234',
              },
            },
          },
        }),
      ),
    ['PasswordChanged'],
  ],
  [
    'expire_password',
    ({ api }, { id }) => ok(api('POST', `/users/${id}/lifecycle/expire_password`)),
    ['PasswordExpired'],
  ],
  [
    'expire_password_with_temp_password',
    ({ api }, { id }) => ok(api('POST', `/users/${id}/lifecycle/expire_password_with_temp_password`)),
    ['PasswordChanged'],
  ],
  [
    'reset_password with a link that the administrator gets',
    ({ api }, { id }) => ok(api('POST', `/users/${id}/lifecycle/reset_password?sendEmail=false`)),
    ['PasswordExpired'],
  ],
  [
    'reset_password with a mail',
    ({ api }, { id }) => ok(api('POST', `/users/${id}/lifecycle/reset_password`)),
    ['PasswordResetByAdmin'],
  ],
  [
    'rekey user set-password',
    async ({ command }, { login }) =>
      expect(await command(['user', 'set-password', login], [newPassword, newPassword])).toMatchObject({
        code: 0,
      }),
    ['PasswordChanged'],
  ],
  [
    'an import that replaces the password',
    imports((line, user) => {
      if (!isEnrollment(line, user)) return undefined
      return {
        ...line,
        data: {
          ...(line.data as object),
          hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
        },
      }
    }),
    ['PasswordChanged'],
  ],
  [
    'an email, by POST',
    ({ api }, { id, login }) => ok(api('POST', `/users/${id}`, { profile: { email: `new.${login}` } })),
    ['EmailChanged', 'new EmailChanged'],
  ],
  [
    'an email, by PUT',
    ({ api }, { id, login }) => ok(api('PUT', `/users/${id}`, { profile: { login, email: `new.${login}` } })),
    ['EmailChanged', 'new EmailChanged'],
  ],
  [
    'an email by rekey apply',
    async ({ command, folder, idp }, { login }) => {
      const file = join(folder, 'resources.json')
      await writeFile(
        file,
        JSON.stringify({ resources: { people: [{ profile: { login, email: `new.${login}` } }] } }),
      )
      const ran = await command(['apply', file, '--yes', '--url', idp.engineUrl])
      expect(ran, ran.stderr).toMatchObject({ code: 0 })
    },
    ['EmailChanged', 'new EmailChanged'],
  ],
  [
    'an import that replaces the email',
    imports((line, { id, login }) =>
      line.kind === 'person' && line.id === id
        ? { ...line, profile: { ...(line.profile as object), email: `new.${login}` } }
        : undefined,
    ),
    ['EmailChanged', 'new EmailChanged'],
  ],
  [
    'an import that replaces email and password',
    imports((line, user) => {
      if (line.kind === 'person' && line.id === user.id)
        return { ...line, profile: { ...(line.profile as object), email: `new.${user.login}` } }
      if (!isEnrollment(line, user)) return undefined
      return {
        ...line,
        data: {
          ...(line.data as object),
          hash: '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
        },
      }
    }),
    ['EmailChanged', 'new EmailChanged', 'PasswordChanged', 'new PasswordChanged'],
  ],
  [
    'an email and a password in one call',
    ({ api }, { id, login }) =>
      ok(
        api('POST', `/users/${id}`, {
          profile: { email: `new.${login}` },
          credentials: { password: { value: newPassword } },
        }),
      ),
    ['PasswordChanged', 'EmailChanged', 'new PasswordChanged', 'new EmailChanged'],
  ],
  [
    'login and email together',
    ({ api }, { id, login }) =>
      ok(api('POST', `/users/${id}`, { profile: { login: `new.${login}`, email: `new.${login}` } })),
    ['EmailChanged', 'new EmailChanged'],
  ],
  [
    'the login alone',
    ({ api }, { id, login }) => ok(api('POST', `/users/${id}`, { profile: { login: `new.${login}` } })),
    ['LoginChanged'],
  ],
  [
    'an authenticator app at sign-in',
    async ({ idp }, { login }) => {
      const visitor = await visit(idp)
      await visitor.signsIn(login, oldPassword)
      const shown = secretIn(await visitor.enrolls('google_otp'))
      expect((await visitor.answers(codeAt(shown, idp.engine.clock.now()))).status).toBe(200)
    },
    ['AuthenticatorEnrolled'],
  ],
  [
    'a recovery question, by its operation',
    ({ api }, { id }) =>
      ok(
        api('POST', `/users/${id}/credentials/change_recovery_question`, {
          password: old,
          recovery_question: question,
        }),
      ),
    ['AuthenticatorEnrolled'],
  ],
  [
    'a recovery question of an administrator',
    ({ api }, { id }) => ok(api('POST', `/users/${id}`, { credentials: { recovery_question: question } })),
    ['AuthenticatorEnrolled'],
  ],
  [
    'an import that adds an authenticator app',
    async (world, user) => {
      let isFirst = true
      const sealed = imports((line) => {
        if (!isEnrollment(line, user) || !isFirst) return undefined
        isFirst = false
        return appLine(user)
      })
      await sealed(world, user)
    },
    ['AuthenticatorEnrolled'],
  ],
]

onEachDatabase('a change of what a user signs in with', (database) => {
  let world: World
  let drop: () => Promise<void>
  let users = 0

  beforeAll(async () => {
    const created = await database.create()
    drop = created.drop
    const folder = await mkdtemp(join(tmpdir(), 'rekey-notices-'))
    const idp = await startTarget({ database: created.url, settings: { limits: manyMails } })
    const env = { DATABASE_URL: created.url, REKEY_SECRET: secret, REKEY_API_TOKEN: idp.apiToken }
    const command = async (words: readonly string[], answers?: readonly string[]) => {
      const ran = await callCommand(words, { folder, env, ...(answers && { answers }) })
      // What the command has queued is due by its clock, while that of the engine stands still.
      await idp.clock.set(new Date(Date.now() + 1000).toISOString())
      return ran
    }
    world = { idp, api: apiOf(idp), folder, command }
    await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
  })
  afterAll(async () => {
    await world.idp.close()
    await rm(world.folder, { recursive: true })
    await drop()
  })

  async function newUser(): Promise<User> {
    const login = `user${++users}@example.com`
    const profile = { login, email: login, firstName: 'User', lastName: String(users) }
    const { body, text } = await world.api('POST', '/users', { profile, credentials: { password: old } })
    expect(body.id, text).toMatch(/^00u/)
    return { id: body.id, login }
  }

  /** The mails to the two addresses of a user that are no codes, once everything is delivered. */
  async function noticesTo({ login }: User): Promise<readonly string[]> {
    const { engine, outbox } = world.idp
    engine.delivery.wake()
    await engine.delivery.idle()
    const templates = (address: string, mark: string) =>
      outbox.to(address).map(({ template }) => `${mark}${template}`)
    const all = [...templates(login, ''), ...templates(`new.${login}`, 'new ')]
    return all.filter((template) => !/(ForgotPassword|EmailChallenge)$/.test(template)).toSorted()
  }

  test.each(paths)('A59: %s is reported by mail, to the former address', async (_, change, expected) => {
    const user = await newUser()
    expect(await noticesTo(user)).toEqual([])
    await change(world, user)
    expect(await noticesTo(user)).toEqual(expected.toSorted())
  })

  test('A59: a mail to the former address masks the new one, and names the account as its reader knows it', async () => {
    const { id, login } = await newUser()
    await ok(world.api('POST', `/users/${id}`, { profile: { login: `new.${login}`, email: `new.${login}` } }))
    const former = await mailTo(world.idp, login)
    const present = await mailTo(world.idp, `new.${login}`)

    expect(former.text).not.toContain(`new.${login}`)
    expect(former.text).toMatch(/n\*\*\*\d@example\.com/)
    expect(former.text).toContain(`Account: ${login}`)
    expect(present.text).toContain(`new.${login}`)
    expect([former.link, former.code, present.link, present.code]).toEqual([null, null, null, null])
  })

  test('A59: a mail to the former address masks a login that is no address, too', async () => {
    const { id, login } = await newUser()
    await ok(
      world.api('POST', `/users/${id}`, { profile: { login: `newlogin${users}`, email: `new.${login}` } }),
    )
    const former = await mailTo(world.idp, login)
    expect(former.text).not.toContain(`newlogin${users}`)
    expect(former.text).toContain(`n***${String(users).slice(-1)}`)
    expect((await mailTo(world.idp, `new.${login}`)).text).toContain(`newlogin${users}`)
  })

  test('A59: who makes a change does not choose the language of its notice', async () => {
    const english = 'Your password was changed'
    const one = await newUser()
    const visitor = await atTheCode(world.idp, one.login, { headers: { 'accept-language': 'ja' } })
    await visitor.answers((await mailTo(world.idp, one.login)).code)
    await visitor.answers(newPassword)
    const notice = await mailTo(world.idp, one.login)
    expect([notice.template, notice.subject]).toEqual(['PasswordChanged', english])
    expect(notice.text).not.toMatch(/[\u3040-\u30ff]/)

    const other = await newUser()
    await ok(
      world.api('POST', `/users/${other.id}`, { profile: { email: `new.${other.login}`, locale: 'ja' } }),
    )
    expect((await mailTo(world.idp, other.login)).text).not.toMatch(/[\u3040-\u30ff]/)
  })

  test('A59: of many changes of one user few are sent, the first to the former address', async () => {
    const { id, login } = await newUser()
    const sent = (template: string, to: string) =>
      world.idp.outbox.all().filter((mail) => mail.template === template && mail.to === to).length
    const changes = async (from: number, to: number) => {
      for (let n = from; n <= to; n++) {
        await ok(
          world.api('POST', `/users/${id}`, { credentials: { password: { value: `Kettle-${n}-Harbour` } } }),
        )
      }
      await world.idp.engine.delivery.idle()
    }
    await changes(1, 12)
    expect(sent('PasswordChanged', login)).toBe(10)

    const foreign = (n: number) => `foreign${n}.${login}`
    for (let n = 1; n <= 12; n++)
      await ok(world.api('POST', `/users/${id}`, { profile: { email: foreign(n) } }))
    await world.idp.engine.delivery.idle()
    expect(sent('EmailChanged', login)).toBe(1)
    expect([1, 9, 10, 11, 12].map((n) => sent('EmailChanged', foreign(n)))).toEqual([2, 2, 1, 0, 0])
    const skipped = (await world.idp.events()).filter(({ outcome }) => outcome.reason === 'RATE_LIMIT')
    expect(skipped.map(({ eventType }) => eventType).toSorted()).toEqual([
      ...Array(2).fill('system.email.email_changed.sent_message'),
      ...Array(2).fill('system.email.password_changed.sent_message'),
    ])

    world.idp.clock.advance('1h')
    await ok(world.api('POST', `/users/${id}`, { profile: { email: foreign(13) } }))
    await world.idp.engine.delivery.idle()
    expect([12, 13].map((n) => sent('EmailChanged', foreign(n)))).toEqual([1, 1])
  })

  test('A59: where the change is refused nothing is sent, and nothing for a new user or the same values', async () => {
    const user = await newUser()
    const other = await newUser()
    const { api } = world
    const taken = await api('POST', `/users/${user.id}`, { profile: { email: other.login } })
    expect(taken.status).toBe(400)
    const short = await api('POST', `/users/${user.id}`, { credentials: { password: { value: 'short' } } })
    expect(short.status).toBe(400)
    await ok(api('POST', `/users/${user.id}`, { profile: { email: user.login, lastName: 'Other' } }))
    expect(await noticesTo(user)).toEqual([])
    expect(await noticesTo(other)).toEqual([])
  })

  describe('what an administrator changes counts at once, also for recovery', () => {
    const moves = (user: User) =>
      world.api('POST', `/users/${user.id}`, { profile: { email: `new.${user.login}` } })

    test('A59: a code and a link that went to the former address are good for nothing', async () => {
      const user = await newUser()
      const visitor = await atTheCode(world.idp, user.login)
      const { code, link } = await mailTo(world.idp, user.login)
      await ok(moves(user))

      expect((await fetch(link ?? '', { redirect: 'manual' })).headers.get('location') ?? '').not.toContain(
        code,
      )
      expect((await visitor.answers(code)).interactionCode).toBeUndefined()
      expect(visitor.remediations).not.toContain('reset-authenticator')
    })

    test('A59: a recovery that begins after it goes to the new address', async () => {
      const user = await newUser()
      await ok(moves(user))
      await atTheCode(world.idp, user.login)
      const { template } = await mailTo(world.idp, `new.${user.login}`)
      expect(template).toBe('ForgotPassword')
      expect(world.idp.outbox.to(user.login).map((mail) => mail.template)).toEqual(['EmailChanged'])
    })

    test('A59: a reset after the code was accepted, with the email changed between, sets no password', async () => {
      const user = await newUser()
      const visitor = await atTheReset(world.idp, user.login)
      await ok(moves(user))
      expect((await visitor.answers(newPassword)).interactionCode).toBeUndefined()
      expect(await world.idp.engine.people.hasPassword(user.id, newPassword)).toBe(false)
    })

    test('A59: of a change and the code at the same moment either the code came first, or it is worth nothing', async () => {
      for (let round = 0; round < 6; round++) {
        const user = await newUser()
        const visitor = await atTheCode(world.idp, user.login)
        const { code } = await mailTo(world.idp, user.login)
        await Promise.all([visitor.answers(code), moves(user)])
        expect((await visitor.answers(newPassword)).interactionCode).toBeUndefined()
        expect(await world.idp.engine.people.hasPassword(user.id, newPassword)).toBe(false)
      }
    })
  })
})

onEachDatabase('codes that wait in the outbox', (database) => {
  test('A59: they do not leave for an address that the user has no more; the notice does', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({
      database: url,
      settings: { limits: manyMails, mail: { deliver: false } },
    })
    try {
      const api = apiOf(idp)
      const { id } = (await api('GET', `/users/${idp.person.login}`)).body
      await (await visit(idp)).recovers(idp.person.login)
      await atTheCode(idp, idp.person.login)
      await ok(api('POST', `/users/${id}/credentials/forgot_password`))
      await ok(api('POST', `/users/${id}`, { profile: { email: 'moved@example.com' } }))
      const rows = await idp.engine.storage.db
        .selectFrom('outbox')
        .selectAll()
        .orderBy('created_at')
        .execute()
      const shown = rows.map(({ template, recipient, status, sealed }) => [
        template,
        recipient,
        status,
        sealed === null,
      ])
      const { db } = idp.engine.storage
      const now = idp.engine.clock.now()
      const notices = db.updateTable('outbox').where('template', '=', 'EmailChanged')
      await notices.set({ status: 'dead', done_at: now }).execute()
      // `rekey doctor` names them; codes that came too late are none of them.
      expect(await countLostNotices(db, now - 1)).toBe(2)
      expect(await countLostNotices(db, now + 1)).toBe(0)
      expect(shown.toSorted()).toEqual(
        [
          ['EmailChanged', 'mary@example.com', 'queued', false],
          ['EmailChanged', 'moved@example.com', 'queued', false],
          ['ForgotPassword', 'mary@example.com', 'expired', true],
          ['ForgotPassword', 'mary@example.com', 'expired', true],
        ].toSorted(),
      )
    } finally {
      await idp.close()
      await drop()
    }
  })
})

test('A59: what users sign in with is written where the notices are queued, and nowhere else', () => {
  const root = join(import.meta.dirname, '../../src')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.startsWith('directory'),
  )
  const writers = (call: RegExp) =>
    files.filter((file) => call.test(readFileSync(join(root, file), 'utf8'))).toSorted()
  expect(writers(/\bputEnrollment\(/)).toEqual([
    // Within `people.change`, which compares the enrollments before and after it.
    join('account', 'own-factors.ts'),
    // What a test arranges must not be the mail that it waits for.
    join('devtools', 'environment', 'factors.ts'),
    join('flow', 'commit', 'effects.ts'),
    join('management', 'factors', 'enroll.ts'),
    join('management', 'factors', 'remove.ts'),
    join('management', 'users', 'question.ts'),
    join('people', 'people.ts'),
  ])
  expect(writers(/\bremoveEnrollments\(/)).toEqual([])
  expect(writers(/\bupdatePerson\(/)).toEqual([
    join('account', 'own-factors.ts'),
    join('devtools', 'environment', 'factors.ts'),
    join('flow', 'commit', 'effects.ts'),
    join('flow', 'commit', 'factor-effects.ts'),
    join('management', 'factors', 'enroll.ts'),
    join('management', 'factors', 'remove.ts'),
    join('management', 'users', 'question.ts'),
    // Within `people.change`, too.
    join('people', 'account-changes.ts'),
    join('people', 'people.ts'),
  ])
})
