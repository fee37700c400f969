import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { hasInvisible } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { fc } from '../support/draws.ts'
import { apiOf, tokenOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const secret = '0123456789abcdef0123456789abcdef'
const staff = { profile: { name: 'Staff', description: 'All who work here' } }
const strict = {
  type: 'PASSWORD',
  name: 'Strict',
  conditions: { people: { groups: { include: ['Staff'] } } },
  settings: { password: { complexity: { minLength: 14 } } },
  rules: [
    { name: 'Reset', actions: { selfServicePasswordReset: { access: 'ALLOW' } } },
    { name: 'No reset', actions: { selfServicePasswordReset: { access: 'DENY' } } },
  ],
}
const portal = {
  label: 'Portal',
  settings: { oauthClient: { application_type: 'web', redirect_uris: ['https://portal.example.com/cb'] } },
  groups: ['Everyone', 'Staff'],
}
const origin = { name: 'Portal', origin: 'https://portal.example.com', scopes: [{ type: 'CORS' }] }
const ada = { profile: { login: 'ada', email: 'ada@example.com' }, status: 'STAGED', groups: ['Staff'] }
const all = { groups: [staff], policies: [strict], apps: [portal], trustedOrigins: [origin], people: [ada] }

const badge = { name: 'badge', type: 'string', title: 'Badge', maxLength: 12, required: false }
const email = { key: 'okta_email', settings: { tokenLifetimeInMinutes: 10 } }

interface Plan {
  readonly changes: readonly {
    readonly action: string
    readonly kind: string
    readonly name: string
    readonly members: readonly {
      readonly path: string
      readonly before?: unknown
      readonly after?: unknown
    }[]
  }[]
  readonly left: readonly unknown[]
  readonly applied: boolean
  readonly secrets?: Readonly<Record<string, string>>
}

/** A folder with files, and the commands on a database. */
function desk(env: () => Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-declared-'))
  const call = (words: readonly string[], answers?: Parameters<typeof callCommand>[1]['answers']) =>
    callCommand(words, { folder, env: env(), ...(answers && { answers }) })
  const write = (resources: object, name = 'resources.yaml') =>
    writeFileSync(join(folder, name), stringify({ resources }))
  return {
    folder,
    call,
    write,
    async apply(resources: object, ...flags: readonly string[]): Promise<Plan> {
      write(resources)
      const called = await call(['apply', 'resources.yaml', '--yes', '--json', ...flags])
      expect(called, called.stderr).toMatchObject({ code: 0 })
      return JSON.parse(called.stdout)
    },
    async pull(...flags: readonly string[]) {
      const { stdout } = await call(['pull', ...flags])
      return parse(stdout).resources as Record<string, readonly Record<string, unknown>[]>
    },
    read: (name: string) => readFileSync(join(folder, name), 'utf8'),
    leave: () => rmSync(folder, { recursive: true }),
  }
}

const told = ({ changes }: Plan) => changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`)

onEachDatabase('a file', (kind) => {
  let database: TestDatabase
  const at = desk(() => ({ DATABASE_URL: database.url, REKEY_SECRET: secret }))
  beforeAll(async () => {
    database = await kind.create()
    expect(await at.call(['migrate'])).toMatchObject({ code: 0 })
  })
  afterAll(async () => {
    at.leave()
    await database.drop()
  })

  test('brings a system to its state, and then finds nothing to do', async () => {
    const first = await at.apply(all)
    expect(told(first)).toEqual([
      'create group Staff',
      'create policy Strict',
      'create rule Strict / Reset',
      'create rule Strict / No reset',
      'create app Portal',
      'create trusted origin https://portal.example.com',
      'create person ada',
    ])
    expect(Object.values(first.secrets ?? {})).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
    expect(await at.apply(all)).toMatchObject({ changes: [], applied: false })
    expect(await at.call(['apply', 'resources.yaml', '--check'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('all 7 resources are as in resources.yaml; nothing to change'),
    })
  })

  test('names what differs, member by member, and changes only that', async () => {
    const longer = { ...strict, settings: { password: { complexity: { minLength: 20 } } } }
    at.write({ ...all, policies: [longer] })
    const checked = await at.call(['apply', 'resources.yaml', '--check'])
    expect(checked.code).toBe(2)
    expect(checked.stdout).toMatch(/~ policy Strict\n {4}settings.password.complexity.minLength: 14 → 20\n\n/)
    expect((await at.apply(all)).changes).toEqual([])

    expect(told(await at.apply({ ...all, policies: [longer] }))).toEqual(['change policy Strict'])
    expect(told(await at.apply(all))).toEqual(['change policy Strict'])
  })

  test('has an order, which is that of priorities', async () => {
    const second = { ...strict, name: 'Second', rules: [] }
    await at.apply({ ...all, policies: [second, strict] })
    const names = async () =>
      (await at.pull()).policies?.flatMap(({ type, name }) => (type === 'PASSWORD' ? [name] : []))
    expect(await names()).toEqual(['Second', 'Strict', 'Default Policy'])

    const turned = { ...strict, rules: [...strict.rules].reverse() }
    const plan = await at.apply({ ...all, policies: [turned, second] })
    expect(told(plan)).toEqual([
      'change order of the rules of Strict',
      'change order of the PASSWORD policies',
    ])
    expect(await names()).toEqual(['Strict', 'Second', 'Default Policy'])
    expect((await at.apply({ ...all, policies: [turned, second] })).changes).toEqual([])
    const rulesOf = (names: string) => [...names].map((name) => ({ name }))
    const inOrder = (names: string) =>
      at.apply({ policies: [{ ...strict, rules: rulesOf(names) }] }, '--prune')
    const rules = async () => (await at.pull()).policies?.find(({ name }) => name === 'Strict')?.rules
    for (const names of ['ABCD', 'DBAC', 'CNAMB', 'MABX']) {
      await inOrder(names)
      expect(await rules(), names).toMatchObject(rulesOf(names))
    }
    await at.apply(all, '--prune')
  })

  test('may be the one of the documentation', async () => {
    const [, text = ''] =
      /```yaml\n(.*?)```/s.exec(readFileSync('docs/configuration-as-code.md', 'utf8')) ?? []
    writeFileSync(join(at.folder, 'documented.yaml'), text)
    expect(await at.call(['apply', 'documented.yaml', '--yes'])).toMatchObject({ code: 0 })
    expect(await at.call(['apply', 'documented.yaml', '--check'])).toMatchObject({ code: 0 })
    await at.apply({ ...all, apps: [] }, '--prune')
    await at.apply(all)
  })

  test('removes with --prune alone, from its own lists alone, and nobody', async () => {
    await at.apply({ groups: [{ profile: { name: 'Old' } }], apps: [{ ...portal, label: 'Old app' }] })
    const kept = await at.apply({ groups: [staff], people: [] })
    expect(kept).toMatchObject({ changes: [], left: [{ name: 'Old' }, { name: 'ada' }] })

    expect(told(await at.apply({ groups: [staff], people: [] }, '--prune'))).toEqual(['remove group Old'])
    expect(told(await at.apply(all, '--prune'))).toEqual(['remove app Old app'])
    const left = await at.pull('--people')
    expect(left.people).toMatchObject([{ profile: { login: 'ada' } }])
    expect(left.groups).toEqual([staff])
  })

  test('sets up attributes, authenticators and the scopes of services', async () => {
    const { publicKey } = await generateKeyPair('RS256')
    const service = {
      label: 'Provisioning',
      settings: {
        oauthClient: {
          application_type: 'service',
          grant_types: ['client_credentials'],
          jwks: { keys: [await exportJWK(publicKey)] },
        },
      },
      grants: ['okta.users.manage', 'okta.groups.read'],
    }
    const person = { profile: { ...ada.profile, badge: 'B-1' } }
    const more = { userAttributes: [badge], authenticators: [email], apps: [service], people: [person] }
    expect(told(await at.apply(more))).toEqual([
      'create attribute badge',
      'change authenticator okta_email',
      'create app Provisioning',
      'change person ada',
    ])
    expect(await at.apply(more)).toMatchObject({ changes: [] })
    expect(await at.pull('--people')).toMatchObject({
      userAttributes: [badge],
      authenticators: expect.arrayContaining([
        expect.objectContaining({ key: 'okta_email', settings: expect.objectContaining(email.settings) }),
      ]),
      apps: expect.arrayContaining([
        expect.objectContaining({ label: 'Provisioning', grants: ['okta.groups.read', 'okta.users.manage'] }),
      ]),
      people: [person],
    })

    const fewer = { ...more, apps: [{ ...service, grants: ['okta.groups.read'] }] }
    expect(told(await at.apply(fewer))).toEqual(['change app Provisioning'])
    expect(await at.apply(fewer)).toMatchObject({ changes: [] })
    await at.call(['pull', 'pulled.yaml', '--people'])
    const again = await at.call(['apply', 'pulled.yaml', '--check', '--prune'])
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })
    expect(told(await at.apply({ ...all, userAttributes: [] }, '--prune'))).toEqual([
      'remove attribute badge',
      'remove app Provisioning',
    ])
    expect((await at.pull('--people')).people).toMatchObject([{ profile: ada.profile }])
    expect(await at.apply({ authenticators: [email] })).toMatchObject({ changes: [], left: [] })
    at.write({ authenticators: [{ key: 'carrier_pigeon' }], userAttributes: [{ name: '1', type: 'x' }] })
    const refused = await at.call(['apply', 'resources.yaml', '--yes'])
    expect(refused.stderr).toMatch(/unknown authenticator carrier_pigeon/)
    expect(refused.stderr).toMatch(/userAttributes\[0\]: 1.type: must be one of/)
  })

  test('sets and pulls all that an app is registered with, its grants and both of its policies', async () => {
    const oauthClient = {
      ...portal.settings.oauthClient,
      grant_types: ['implicit', 'authorization_code', 'interaction_code', 'refresh_token'],
      response_types: ['token', 'code'],
      consent_method: 'REQUIRED',
      logo_uri: 'https://portal.example.com/logo.png',
      refresh_token: { rotation_type: 'STATIC', leeway: 60 },
    }
    const whole = {
      ...portal,
      profile: { team: 'x', owner: 'y' },
      visibility: { hide: { web: false } },
      credentials: { oauthClient: { token_endpoint_auth_method: 'client_secret_post' } },
      settings: { oauthClient, notes: { admin: 'Ask Ada' } },
      grants: ['okta.myAccount.email.read', 'okta.myAccount.profile.read'],
      accessPolicy: 'Portals',
      profileEnrollmentPolicy: 'Portals',
    }
    const policies = ['ACCESS_POLICY', 'PROFILE_ENROLLMENT'].map((type) => ({ type, name: 'Portals' }))
    await at.apply({ ...all, policies: [strict, ...policies], apps: [whole] })
    expect(await at.apply({ apps: [whole] })).toMatchObject({ changes: [] })
    expect((await at.pull()).apps).toMatchObject([whole])
    const { settings: pulled } = ((await at.pull()).apps ?? [])[0] as typeof whole
    expect(pulled.oauthClient).not.toHaveProperty('issuer_mode')
    await at.call(['pull', 'pulled.yaml'])
    const again = await at.call(['apply', 'pulled.yaml', '--check', '--prune'])
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })

    // A default is a value like others: it replaces what is there, and null removes it.
    const usual = { consent_method: 'TRUSTED', logo_uri: null, response_types: ['code'] }
    const settings = { oauthClient: { ...oauthClient, ...usual } }
    const plan = await at.apply({ apps: [{ ...whole, settings, profile: { owner: null } }] })
    expect(plan.changes.flatMap(({ members }) => members.map(({ path }) => path)).toSorted()).toEqual([
      'profile.owner',
      'settings.oauthClient.consent_method',
      'settings.oauthClient.logo_uri',
      'settings.oauthClient.response_types',
    ])
    const bound = { oauthClient: { ...oauthClient, subject_type: 'pairwise' } }
    at.write({ apps: [{ ...portal, settings: bound, profileEnrollmentPolicy: 'None' }] })
    const refused = await at.call(['apply', 'resources.yaml', '--yes'])
    expect(refused.stderr).toMatch(/apps\[0\]: subject_type: must be public/)
    at.write({ apps: [{ ...portal, profileEnrollmentPolicy: 'None' }] })
    const missing = await at.call(['apply', 'resources.yaml', '--yes'])
    expect(missing.stderr).toMatch(/apps\[0\]: there is no profile enrollment policy "None"/)
    await at.apply({ apps: [] }, '--prune')
    await at.apply(all, '--prune')
  })

  test('leaves alone what it does not say of an app, and takes back what it says is null', async () => {
    const link = 'https://portal.example.com/link'
    const withLink = (uri: string | null | undefined) => {
      const oauthClient = { ...portal.settings.oauthClient, email_magic_link_redirect_uri: uri }
      return { apps: [{ ...portal, settings: { oauthClient } }] }
    }
    const linkOf = async () =>
      (await at.pull()).apps?.map(({ settings }) => (settings as typeof portal.settings).oauthClient)
    await at.apply(withLink(link))
    expect(await at.apply({ apps: [portal] })).toMatchObject({ changes: [] })
    expect(await linkOf()).toMatchObject([{ email_magic_link_redirect_uri: link }])
    expect((await at.apply(withLink(null))).changes).toMatchObject([
      { members: [{ path: 'settings.oauthClient.email_magic_link_redirect_uri', before: link }] },
    ])
    expect(await linkOf()).not.toMatchObject([{ email_magic_link_redirect_uri: link }])
    expect(await at.apply(withLink(null))).toMatchObject({ changes: [] })
  })

  test('comes back from pull also where a policy names a group that is gone', async () => {
    const gone = { profile: { name: 'Gone' } }
    const groups = { groups: { include: ['Gone', 'Staff'] } }
    await at.apply({ groups: [gone, staff], policies: [{ ...strict, conditions: { people: groups } }] })
    await at.apply({ groups: [staff] }, '--prune')
    const pulled = await at.pull()
    expect(pulled.policies?.[0]).toMatchObject({
      conditions: { people: { groups: { include: [expect.stringMatching(/^00g\w{17}$/), 'Staff'] } } },
    })
    expect(await at.apply(pulled)).toMatchObject({ changes: [] })
    await at.apply(all, '--prune')
  })

  test('is applied as a whole or not at all', async () => {
    const before = await at.pull()
    // Only the database can know that the address is hers already.
    const taken = { profile: { login: 'eve', email: 'ada@example.com' } }
    at.write({ ...all, groups: [...all.groups, { profile: { name: 'New' } }], people: [taken] })
    expect(await at.call(['apply', 'resources.yaml', '--yes'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('email'),
    })
    expect(await at.pull()).toEqual(before)
  })

  test('comes back from pull as it is, whatever it holds', async () => {
    // A space at the end of a name is no part of it to people; names differ in more than that, and all of it is seen.
    const text = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((s) => /\p{L}/u.test(s) && !hasInvisible(s))
    const names = fc.uniqueArray(text, { selector: (s) => s.normalize('NFKC').toLowerCase(), maxLength: 4 })
    const anything = fc.dictionary(
      fc
        .stringMatching(/^[a-z]{1,6}$/)
        .filter((name) => !['rules', 'system', 'status', 'name', 'type'].includes(name)),
      fc.jsonValue({ maxDepth: 2, noUnicodeString: false }),
      { maxKeys: 3 },
    )
    const rule = fc.record({ name: text, more: anything })
    const policy = fc.record({
      type: fc.constantFrom('PASSWORD', 'ACCESS_POLICY', 'MFA_ENROLL', 'PROFILE_ENROLLMENT'),
      name: text,
      status: fc.constantFrom('ACTIVE', 'INACTIVE'),
      rules: fc.array(rule, { maxLength: 3 }),
      more: anything,
    })
    const isKept = (name: string) => !/^(id|conditions|settings|actions|priority|created|_)/.test(name)
    const own = (more: object) => Object.fromEntries(Object.entries(more).filter(([name]) => isKept(name)))
    await fc.assert(
      fc.asyncProperty(names, fc.array(policy, { maxLength: 4 }), names, async (groups, policies, labels) => {
        const resources = {
          groups: groups.map((name) => ({ profile: { name } })),
          policies: policies.map(({ more, rules, ...rest }) => ({
            ...own(more),
            ...rest,
            conditions: { people: { groups: { include: groups.slice(0, 2), exclude: groups.slice(2) } } },
            rules: rules.map(({ name, more: members }) => ({ ...own(members), name })),
          })),
          apps: labels.map((label) => ({ ...portal, label, groups })),
        }
        await at.apply(resources, '--prune')
        expect((await at.apply(resources, '--prune')).changes).toEqual([])
        await at.call(['pull', 'pulled.yaml', '--people'])
        const again = await at.call(['apply', 'pulled.yaml', '--check', '--prune'])
        expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })
      }),
      { numRuns: 12 },
    )
  })
})

describe('a file that is wrong', () => {
  let database: string
  const at = desk(() => ({ DATABASE_URL: `sqlite:${database}`, REKEY_SECRET: secret }))
  beforeAll(async () => {
    database = join(at.folder, 'rekey.db')
    await at.call(['migrate'])
  })
  afterAll(at.leave)

  test('is told of in full, each problem with its line and place, and nothing is done', async () => {
    writeFileSync(
      join(at.folder, 'wrong.yaml'),
      `resources:
  groups:
    - profile: { name: Staff }
    - profile: { name: staff }
    - profile:
        nam: X
  apps:
    - label: Portal
      settings:
        oauthClient:
          redirectUris: [https://a.example.com]
          redirect_uris: ['javascript:alert(1)']
      groups: [Nobody]
  policies:
    - type: PASSWORD
      name: Strict
      settings: { password: { complexity: { minLength: -1 } } }
      rules:
        - conditions: { people: { users: { include: [eve] } } }
          name: One
  gruops: []
clients: {}
`,
    )
    const { code, stdout, stderr } = await at.call(['apply', 'wrong.yaml', '--yes'])
    expect([code, stdout]).toEqual([1, ''])
    const lines = stderr.split('\n').map((line) => line.replace(/^(rekey: )?[\s-]*/, ''))
    for (const start of [
      'wrong.yaml:4: groups[1]: group staff is listed twice',
      'wrong.yaml:6: groups[2]: profile.nam: unknown member; did you mean name?',
      'wrong.yaml:11: apps[0]: settings.oauthClient.redirectUris: unknown member',
      'wrong.yaml:12: apps[0]: redirect_uris: ',
      'wrong.yaml:13: apps[0]: there is no group "Nobody"',
      'wrong.yaml:17: policies[0]: settings.password.complexity.minLength: ',
      'wrong.yaml:19: policies[0].rules[0]: there is no user with the login "eve"',
      'wrong.yaml:21: gruops: unknown list',
    ]) {
      expect(
        lines.some((line) => line.includes(start)),
        `${start}\n${stderr}`,
      ).toBe(true)
    }
    expect((await at.pull()).groups).toEqual([])
  })

  test.each([
    ['absent', undefined, /no such file/],
    ['empty', '', /resources: this file has none/],
    ['a list', '[]', /must hold an object/],
    ['no YAML', 'a: [', /cannot be read/],
    ['a list too high', 'groups: []', /groups belongs below resources/],
    ['a bomb', `${'a: &a [x]\n'}b: &b [${'*a,'.repeat(200)}]\nresources: { groups: [*b,*b,*b] }`, /./],
  ])('%s is refused', async (_, text, words) => {
    if (text !== undefined) writeFileSync(join(at.folder, 'bad.yaml'), text)
    const called = await at.call(['apply', text === undefined ? 'absent.yaml' : 'bad.yaml', '--yes'])
    expect(called).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(words) })
  })

  test('is not applied where no question can be asked, or where the answer is no', async () => {
    at.write({ groups: [staff] })
    expect(await at.call(['apply', 'resources.yaml'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--yes'),
    })
    expect(await at.call(['apply', 'resources.yaml'], ['n'])).toMatchObject({ code: 1 })
    expect((await at.pull()).groups).toEqual([])
    expect(await at.call(['apply', 'resources.yaml'], ['y'])).toMatchObject({ code: 0 })
    expect((await at.pull()).groups).toEqual([staff])
  })

  test('does nothing that it has not shown: what changed before the yes stops it', async () => {
    at.write({ groups: [{ profile: { name: 'Staff', description: 'Changed' } }] })
    const meanwhile = async () => {
      writeFileSync(
        join(at.folder, 'other.yaml'),
        stringify({ resources: { groups: [{ profile: { name: 'Staff' } }] } }),
      )
      expect(await at.call(['apply', 'other.yaml', '--yes'])).toMatchObject({ code: 0 })
      return 'y'
    }
    expect(await at.call(['apply', 'resources.yaml'], [meanwhile])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the system changed in the meantime'),
    })
    expect((await at.pull()).groups).toEqual([{ profile: { name: 'Staff' } }])
  })

  test('shows no secret in its plan, and no control character of a name', async () => {
    const credentials = { oauthClient: { client_id: 'my-portal', client_secret: 'very-secret-text-1' } }
    at.write({ apps: [{ ...portal, credentials, label: 'Evil \u001b[2J\u202e app' }] })
    const refused = await at.call(['apply', 'resources.yaml', '--yes'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('label: contains an invisible character')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about.
    expect(refused.stderr).not.toMatch(/[\u001b\u202e]/)
    at.write({ apps: [{ ...portal, credentials }] })
    const { code, stdout } = await at.call(['apply', 'resources.yaml', '--yes'])
    expect(code).toBe(0)
    expect(stdout).toContain('[hidden]')
    expect(stdout).not.toContain('very-secret')
    expect(await at.call(['pull'])).not.toMatchObject({ stdout: expect.stringContaining('very-secret') })
  })
})

describe('over HTTP', () => {
  let idp: Kit
  let token: string
  const at = desk(() => ({ REKEY_API_TOKEN: token }))
  beforeAll(async () => {
    idp = await startEngine()
    token = idp.apiToken
  })
  afterAll(async () => {
    at.leave()
    await idp.close()
  })

  test('a file is applied and pulled as on the database', async () => {
    const url = ['--url', idp.engineUrl]
    expect(told(await at.apply(all, ...url))).toHaveLength(7)
    expect(await at.apply(all, ...url)).toMatchObject({ changes: [] })
    expect(await at.pull(...url)).toMatchObject({ groups: [staff], trustedOrigins: [origin] })
    expect((await apiOf(idp)('GET', '/groups?q=Staff')).list).toMatchObject([{ profile: staff.profile }])
  })

  test('a budget that is spent is waited for', async () => {
    let count = 0
    const gate = createServer(async ({ url, method, headers }, response) => {
      count += 1
      if (count % 2 === 1) return response.writeHead(429, { 'retry-after': '0' }).end('{}')
      const answer = await fetch(idp.engineUrl + url, {
        method: method ?? 'GET',
        headers: { authorization: headers.authorization ?? '' },
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
    await new Promise<void>((done) => gate.listen(0, '127.0.0.1', done))
    onTestFinished(() => void gate.close())
    const { port } = gate.address() as AddressInfo
    const pulled = await at.call(['pull', '--url', `http://127.0.0.1:${port}`])
    expect(pulled).toMatchObject({ code: 0, stderr: expect.stringContaining('the request limit') })
    expect(parse(pulled.stdout).resources.groups).toEqual([staff])
  })

  test('a token that may not is told so', async () => {
    token = await tokenOf(idp, 'read')
    at.write({ groups: [{ profile: { name: 'Another' } }] })
    const call = () => at.call(['apply', 'resources.yaml', '--yes', '--url', idp.engineUrl])
    expect(await call()).toMatchObject({ code: 1, stderr: expect.stringContaining('permission') })
    token = 'wrong'
    expect(await call()).toMatchObject({ code: 1, stderr: expect.stringContaining('Invalid token') })
  })
})

describe('the configuration', () => {
  test('seeds a database with its resources once, and again when they have changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-seed-'))
    const database = `sqlite:${join(folder, 'rekey.db')}`
    const started = (resources: object) => startEngine({ database, settings: { resources } })

    const first = await started({ groups: [staff], policies: [strict] })
    const api = apiOf(first)
    const [{ id = '' } = {}] = (await api('GET', '/groups?q=Staff')).list
    await api('PUT', `/groups/${id}`, { profile: { name: 'Staff', description: 'by hand' } })
    await first.close()

    const second = await started({ groups: [staff], policies: [strict] })
    const kept = (await apiOf(second)('GET', `/groups/${id}`)).body
    await second.close()
    const third = await started({ groups: [{ profile: { ...staff.profile, description: 'new' } }] })
    const changed = (await apiOf(third)('GET', `/groups/${id}`)).body
    await third.reset()
    const afresh = (await apiOf(third)('GET', '/groups?q=Staff')).list
    await third.close()
    rmSync(folder, { recursive: true })

    expect(kept).toMatchObject({ profile: { description: 'by hand' } })
    expect(changed).toMatchObject({ profile: { description: 'new' } })
    expect(afresh).toMatchObject([{ profile: { description: 'new' } }])
  })

  test('is refused with everything that is wrong in it', async () => {
    const resources = { groups: [{}], policies: [{ type: 'X', name: 'Y' }] }
    await expect(startEngine({ settings: { resources } })).rejects.toThrow(
      /resources\.groups\.0: .*\n.*resources\.policies\.0: type/s,
    )
  })
})
