// Makes the databases and exports of the corpus with the present code: node test/corpus/make-databases.ts
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { callCommand } from '../cli/terminal.ts'
import { clusterIn, removeCluster } from '../support/postgres-cluster.ts'
import {
  type Answer,
  chosen,
  codeOf,
  type Facts,
  files,
  type Installation,
  type Kind,
  leadsTo,
  openInstallation,
  packed,
  passcode,
  password,
  plainDump,
  redirectUri,
  secret,
  settleSqlite,
  web,
} from './installation.ts'
import { render, start } from './mask.ts'

const statuses = [
  'STAGED',
  'PROVISIONED',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
  'SUSPENDED',
  'DEPROVISIONED',
] as const
/** Users who are ACTIVE, each for one purpose, so that what one test does disturbs no other. */
const active = [
  'ada',
  'identify',
  'select',
  'verify',
  'locked',
  'reset',
  'second',
  'queued',
  'session',
  'refreshed',
  'coded',
  'handed',
  'token',
  'mailed',
] as const

/** Stops where a step led elsewhere than it must: a database that is not what it says proves nothing. */
function must(answer: Answer, status: number, to?: string): Answer {
  if (answer.status !== status || (to !== undefined && !leadsTo(answer).startsWith(to))) {
    throw new Error(`${status} ${to ?? ''} was due, not ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  return answer
}

async function fill(url: string): Promise<Facts> {
  const first = await openInstallation(url)
  const users: Record<string, Facts['users'][string]> = {}
  const add = (name: string, id: string, text = password) => {
    users[name] = { id, login: loginOf(name), password: text }
  }
  const profileOf = (name: string) => ({
    login: loginOf(name),
    email: loginOf(name),
    firstName: name,
    lastName: 'of the corpus',
  })
  for (const name of active) {
    const { id } = await first.engine.people.add({ profile: profileOf(name), password })
    add(name, id)
  }
  for (const status of statuses) {
    const { id } = await first.engine.people.add({ profile: profileOf(status), password, status })
    add(status, id)
  }
  // What bcrypt makes of `U*U`.
  const bcrypt = {
    algorithm: 'BCRYPT',
    workFactor: 5,
    salt: 'CCCCCCCCCCCCCCCCCCCCC.',
    value: 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  }
  const imported = { profile: profileOf('bcrypt'), credentials: { password: { hash: bcrypt } } }
  add('bcrypt', must(await first.api('POST', '/users', imported), 200).body.id, 'U*U')

  const group = must(await first.api('POST', '/groups', { profile: { name: 'Staff' } }), 200).body.id
  must(await first.api('PUT', `/groups/${group}/users/${users.ada?.id}`), 204)
  const policies = await addPolicies(first, group)
  const app = await addApp(first, group, policies.access)
  must(await first.api('PUT', `/groups/${group}/users/${users.second?.id}`), 204)
  const shop = { name: 'Shop', origin: 'https://shop.example.com', scopes: [{ type: 'CORS' }] }
  must(await first.api('POST', '/trustedOrigins', shop), 200)
  const shoeSize = { title: 'Shoe size', type: 'integer' }
  const schema = { definitions: { custom: { properties: { shoeSize } } } }
  must(await first.api('POST', '/meta/schemas/user/default', schema), 200)
  must(await first.api('POST', `/users/${users.ada?.id}`, { profile: { shoeSize: 38 } }), 200)

  const tokensOf = async (name: string) => must(await first.redeem(await signIn(first, name)), 200).body
  const session = await tokensOf('session')
  const spent = (await tokensOf('refreshed')).refresh_token
  const refreshed = must(await first.refresh(spent), 200).body
  const handed = await handOut(first, users.handed?.id)

  const identify = await first.begin(loginOf('identify'))
  const { choice: _, ...select } = await toTheChoice(first, 'select')
  const verify = await toTheCode(first, 'verify')
  const verifyMail = await first.mail(loginOf('verify'))
  const almostLocked = await toTheCode(first, 'locked')
  const { code: lockedCode } = await first.mail(loginOf('locked'))
  const wrong = passcode(lockedCode === '000000' ? '111111' : '000000')
  for (let guess = 1; guess <= 4; guess++) must(await first.idx(almostLocked, 'challenge/answer', wrong), 401)
  const reset = await toTheCode(first, 'reset')
  const { code: resetCode } = await first.mail(loginOf('reset'))
  must(await first.idx(reset, 'challenge/answer', passcode(resetCode)), 200, 'reset-authenticator')
  const expired = loginOf('PASSWORD_EXPIRED')
  const reenroll = await first.begin(expired)
  const right = passcode(password)
  must(
    await first.idx(reenroll, 'identify', { identifier: expired, ...right }),
    200,
    'reenroll-authenticator',
  )
  const secondFactor = await first.begin(loginOf('second'), app)
  const asked = await first.idx(secondFactor, 'identify', { identifier: loginOf('second'), ...right })
  must(asked, 200, 'select-authenticator-authenticate')
  must(
    await first.idx(secondFactor, 'challenge', chosen(asked, 'okta_email')),
    200,
    'challenge-authenticator',
  )
  const { code: secondCode } = await first.mail(loginOf('second'))
  const unknown = await toTheCode(first, 'unknown')
  must(await first.idx(unknown, 'challenge/answer', passcode('000000')), 401, 'challenge-authenticator')
  const over = await first.begin(loginOf('ada'))
  must(await first.idx(over, 'identify', { identifier: over.login, ...right }), 200, 'interaction_code')
  const token = await handOut(first, users.token?.id)
  const byToken = await first.begin(loginOf('token'), web, { recovery_token: token })
  await first.close()

  // A node that delivers nothing: its mails stay in the outbox.
  const silent = await openInstallation(url, { delivers: false })
  const queued = await toTheCode(silent, 'queued')
  must(await silent.api('POST', `/users/${users.mailed?.id}/lifecycle/reset_password?sendEmail=true`), 200)
  const interactionCode = await signIn(silent, 'coded')
  await silent.close()

  return {
    at: Date.parse(start),
    users,
    group: { id: group, name: 'Staff' },
    app,
    policies,
    open: {
      identify,
      select,
      verify: { ...verify, code: verifyMail.code, link: verifyMail.link },
      almostLocked: { ...almostLocked, code: lockedCode },
      reset,
      reenroll,
      secondFactor: { ...secondFactor, code: secondCode },
      queued,
      unknown,
      byToken,
      over,
    },
    session: {
      login: loginOf('session'),
      accessToken: session.access_token,
      refreshToken: session.refresh_token,
      idToken: session.id_token,
    },
    refreshed: { login: loginOf('refreshed'), spent, refreshToken: refreshed.refresh_token },
    interactionCode: { login: loginOf('coded'), code: interactionCode },
    recoveryToken: { login: loginOf('handed'), token: handed },
    queuedByAdmin: { login: loginOf('mailed') },
  }
}

const loginOf = (name: string) => `${name.toLowerCase()}@example.com`

async function signIn(on: Installation, name: string): Promise<string> {
  const open = await on.begin(loginOf(name))
  const answer = await on.idx(open, 'identify', { identifier: open.login, ...passcode(password) })
  return codeOf(must(answer, 200, 'interaction_code').body)
}

/** A token in place of a mail. */
async function handOut(on: Installation, id: string | undefined): Promise<string> {
  const path = `/users/${id}/lifecycle/reset_password?sendEmail=false`
  const { body } = must(await on.api('POST', path), 200)
  return String(body.resetPasswordUrl).split('/').at(-1) ?? ''
}

async function toTheChoice(on: Installation, name: string) {
  const open = await on.begin(loginOf(name))
  must(await on.idx(open, 'recover'), 200, 'identify-recovery')
  const named = await on.idx(open, 'identify', { identifier: open.login })
  must(named, 200, 'select-authenticator-authenticate')
  return { ...open, choice: chosen(named, 'okta_email') }
}

async function toTheCode(on: Installation, name: string) {
  const { choice, ...open } = await toTheChoice(on, name)
  must(await on.idx(open, 'challenge', choice), 200, 'challenge-authenticator')
  return open
}

async function addPolicies(on: Installation, group: string): Promise<Facts['policies']> {
  const people = { groups: { include: [group] } }
  const staff = {
    type: 'PASSWORD',
    name: 'Staff',
    conditions: { people },
    settings: { password: { complexity: { minLength: 20 } } },
  }
  const { id } = must(await on.api('POST', '/policies', staff), 200).body
  const selfServicePasswordReset = {
    access: 'ALLOW',
    requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
  }
  const rule = { type: 'PASSWORD', name: 'By mail', actions: { selfServicePasswordReset } }
  must(await on.api('POST', `/policies/${id}/rules`, rule), 200)
  const shop = { type: 'ACCESS_POLICY', name: 'Shop' }
  const access = must(await on.api('POST', '/policies', shop), 200).body.id
  const verificationMethod = { type: 'ASSURANCE', factorMode: '2FA' }
  const two = {
    type: 'ACCESS_POLICY',
    name: 'Two factors',
    actions: { appSignOn: { access: 'ALLOW', verificationMethod } },
  }
  must(await on.api('POST', `/policies/${access}/rules`, two), 200)
  return { password: id, access }
}

async function addApp(on: Installation, group: string, access: string): Promise<Facts['app']> {
  const { body } = must(
    await on.api('POST', '/apps', {
      name: 'oidc_client',
      label: 'Shop',
      signOnMode: 'OPENID_CONNECT',
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_post' } },
      settings: {
        oauthClient: {
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code', 'interaction_code', 'refresh_token'],
          application_type: 'web',
        },
      },
    }),
    200,
  )
  must(await on.api('PUT', `/apps/${body.id}/groups/${group}`), 200)
  must(await on.api('PUT', `/apps/${body.id}/policies/${access}`), 204)
  return { id: body.id, secret: body.credentials.oauthClient.client_secret }
}

async function make(kind: Kind, url: string, folder: string, database: () => Buffer): Promise<void> {
  const facts = await fill(url)
  const exported = join(folder, 'export.jsonl')
  const env = { DATABASE_URL: url, REKEY_SECRET: secret }
  const { code, stderr } = await callCommand(['export', exported, '--force'], { folder, env })
  if (code !== 0) throw new Error(stderr)
  const to = files(kind)
  writeFileSync(to.exported, readFileSync(exported))
  writeFileSync(to.database, packed(database()))
  writeFileSync(to.facts, `${render(facts)}\n`)
  console.log(`${kind}: ${stderr.trim()}`)
}

const folder = mkdtempSync(join(tmpdir(), 'rekey-corpus-'))
const cluster = mkdtempSync(join(tmpdir(), 'rekey-corpus-pg-'))
try {
  const path = join(folder, 'rekey.db')
  await make('sqlite', `sqlite:${path}`, folder, () => {
    settleSqlite(path)
    return readFileSync(path)
  })
  const server = await clusterIn(cluster)
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query('create database corpus')
  await client.end()
  const url = new URL(server)
  url.pathname = '/corpus'
  await make('postgres', url.href, folder, () => {
    const args = ['--inserts', '--no-owner', '--no-privileges', url.href]
    return Buffer.from(plainDump(execFileSync('pg_dump', args, { encoding: 'utf8' })))
  })
} finally {
  removeCluster(cluster)
  rmSync(folder, { recursive: true, force: true })
}
