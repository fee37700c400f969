import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { giveConsent } from '../../src/clients/index.ts'
import { operations } from '../../src/management/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Answered, type Api, apiOf } from '../support/management.ts'

let idp: Kit
let api: Api
/** A value for each path parameter: a resource with several items in each of its lists. */
const ids: Record<string, string> = {}

beforeAll(async () => {
  idp = await startEngine()
  api = apiOf(idp)
  await makeSeveral()
})
afterAll(() => idp.close())

const idOf = async (method: string, path: string, body: object) => {
  const made = await api(method, path, body)
  expect([200, 201], `${method} ${path}: ${made.text}`).toContain(made.status)
  return made.body.id
}

async function makeSeveral(): Promise<void> {
  const person = (await api('GET', `/users/${idp.person.login}`)).body.id
  const oauthClient = { redirect_uris: ['https://shop.example.com/callback'], application_type: 'web' }
  for (const name of ['one', 'two', 'three']) {
    const email = `${name}@example.com`
    const profile = { login: email, email }
    const credentials = {
      password: { value: 'Lighthouse-Biscuit-77' },
      recovery_question: { question: 'Where?', answer: 'Somewhere' },
    }
    const other = await idOf('POST', '/users', { profile, credentials })
    const group = await idOf('POST', '/groups', { profile: { name } })
    const app = await idOf('POST', '/apps', {
      label: name,
      signOnMode: 'OPENID_CONNECT',
      settings: { oauthClient },
    })
    for (const member of [person, other]) {
      await api('PUT', `/groups/${group}/users/${member}`)
      await api('POST', `/apps/${app}/users`, { id: member })
    }
    await api('PUT', `/apps/${app}/groups/${group}`)
    await idp.signInAs(idp.person.login)
    await api('POST', `/apps/${app}/credentials/secrets`, {})
    const origin = { name, origin: `https://${name}.example.com`, scopes: [{ type: 'CORS' }] }
    const policy = await idOf('POST', '/policies', { type: 'ACCESS_POLICY', name })
    const rule = await idOf('POST', `/policies/${policy}/rules`, { name })
    await api('PUT', `/apps/${app}/policies/${policy}`)
    const consent = { personId: person, clientId: app, scopes: ['profile', 'email', 'phone'] }
    await giveConsent(idp.engine.storage.db, consent, { random: systemRandom, now: idp.clock.now() })
    Object.assign(ids, {
      clientId: app,
      userId: person,
      groupId: group,
      appId: app,
      policyId: policy,
      ruleId: rule,
    })
    ids.trustedOriginId = await idOf('POST', '/trustedOrigins', origin)
  }
  ids.secretId = (await api('GET', `/apps/${ids.appId}/credentials/secrets`)).list[0]?.id ?? ''
  ids.mappingId = (await api('GET', `/policies/${ids.policyId}/mappings`)).list[0]?.id ?? ''
  ids.authenticatorId = (await api('GET', '/authenticators')).list[0]?.id ?? ''
  ids.brandId = (await api('GET', '/brands')).list[0]?.id ?? ''
  ids.themeId = (await api('GET', `/brands/${ids.brandId}/themes`)).list[0]?.id ?? ''
  Object.assign(ids, { schemaId: 'default', typeId: 'otyDefault', authServerId: 'default' })
}

const reads = operations.filter(({ method }) => method === 'GET').map(({ path }) => path)
/** Policies of the authorization server, and what a user has enrolled, are other resources with their own tests. */
const readable = reads.filter(
  (path) =>
    !/authServerId\/.*:|grantId|:scopeId|:claimId|:factorId|:enrollmentId|:methodType|:sessionId/.test(path),
)
/** As in Okta: they are short, and have no pages. */
const whole = [
  '/users/:userId/factors',
  '/users/:userId/factors/catalog',
  '/users/:userId/factors/questions',
  '/users/:userId/authenticator-enrollments',
  '/users/:userId/account-changes',
  '/brands/:brandId/themes',
  '/authenticators/:authenticatorId/methods',
]
const required = new Map([['/policies', 'type=ACCESS_POLICY']])

function addressOf(path: string, query = ''): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const id = ids[name]
    if (id === undefined) throw new Error(`nothing stands for :${name} of ${path}`)
    return id
  })
  const all = [required.get(path) ?? '', query].filter((part) => part !== '')
  return all.length === 0 ? filled : `${filled}?${all.join('&')}`
}

const secretive = /"client_secret"|"hash"|"answer"|"secretHash"|\$argon2|"password":\s*"|"privateKey"|"d":/

describe('every resource', () => {
  test.each(readable)('GET %s returns the present items and no secrets', async (path) => {
    const { status, text } = await api('GET', addressOf(path))
    expect(status, text).toBe(200)
    expect(text).not.toMatch(secretive)
  })

  test.each(readable.filter((path) => path.includes(':')))(
    'GET %s of something that is not there is 404, whatever it is called',
    async (path) => {
      for (const id of ['0oaNobody1234', '%00', "x'%20or%201=1", 'x'.repeat(90)]) {
        const last = path.match(/:\w+/g)?.at(-1) ?? ''
        const [before = '', after = ''] = path.split(last)
        const { status, body } = await api('GET', addressOf(before) + id + after)
        expect([status, body.errorCode], id).toEqual([404, 'E0000007'])
      }
    },
  )
})

describe('every list', () => {
  // The log has no last page; its pages have their own tests.
  const candidates = readable.filter((path) => path !== '/logs' && !whole.includes(path))

  test.each(candidates)('GET %s has pages by its links, and refuses invalid pages', async (path) => {
    const whole = await api('GET', addressOf(path))
    if (!whole.text.startsWith('[')) return
    const found: string[] = []
    for (let next: string | undefined = addressOf(path, 'limit=1'); next !== undefined; ) {
      const page: Answered = await api('GET', next)
      expect(page.list.length).toBeLessThanOrEqual(1)
      found.push(...page.list.map(({ id }) => id))
      next = page.next
    }
    // Scopes can only be granted to service apps; they have their own tests.
    if (path !== '/apps/:appId/grants') expect(found.length).toBeGreaterThan(0)
    expect(found).toEqual(whole.list.map(({ id }) => id))

    const unknown = await api('GET', addressOf(path, 'after=xyz'))
    // An app may have any id, and its list is in their order.
    if (path !== '/apps') expect([unknown.status, unknown.body.errorCode]).toEqual([400, 'E0000001'])

    for (const query of ['limit=0', 'limit=-1', 'limit=x', 'limit=1&limit=2', 'after=%00', 'after=a%20b']) {
      const { status, body } = await api('GET', addressOf(path, query))
      expect([status, body.errorCode], query).toEqual([400, 'E0000001'])
    }
  })

  test.each(candidates)('GET %s is not whole where a part of it was asked for', async (path) => {
    const { query = {} } = operations.find((one) => one.method === 'GET' && one.path === path) ?? {}
    if (!('limit' in query)) return
    for (const name of ['q', 'filter', 'search', 'sortBy', 'sortOrder']) {
      const { status, list, body } = await api('GET', addressOf(path, `${name}=id%20eq%20%22nothing%22`))
      if (name in query && status === 200) expect(list).toEqual([])
      else expect([status, body.errorCode], name).toEqual([400, 'E0000001'])
    }
  })

  test.each(candidates)('GET %s takes a limit above its own', async (path) => {
    const whole = await api('GET', addressOf(path))
    if (!whole.text.startsWith('[')) return
    const { status, list } = await api('GET', addressOf(path, 'limit=999999999'))
    expect([status, list.length]).toEqual([200, whole.list.length])
  })

  test('of authorization servers is searched by name and audience', async () => {
    expect((await api('GET', '/authorizationServers?q=DEF')).list).toHaveLength(1)
    expect((await api('GET', '/authorizationServers?q=payroll')).list).toEqual([])
  })

  test('that is read page by page and deleted is deleted as a whole', async () => {
    const policy = (await api('POST', '/policies', { type: 'ACCESS_POLICY', name: 'to be emptied' })).body.id
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f'])
      await api('POST', `/policies/${policy}/rules`, { name })
    const deleted: string[] = []
    for (let next: string | undefined = `/policies/${policy}/rules?limit=2`; next !== undefined; ) {
      const page: Answered = await api('GET', next)
      for (const { id, name, system } of page.list) {
        if (system !== true) {
          await api('DELETE', `/policies/${policy}/rules/${id}`)
          deleted.push(String(name))
        }
      }
      next = page.next
    }
    expect(deleted).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })
})
