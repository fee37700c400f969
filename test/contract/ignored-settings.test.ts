import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'

// What is taken and has no effect stands in the log, so that it is not mistaken for being in effect.
let idp: Kit
let api: Api
const lines: string[] = []
beforeAll(async () => {
  const log = createLogger({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
  idp = await startEngine({ log })
  api = apiOf(idp)
})
afterAll(() => idp.close())
const logged = () => lines.splice(0).join('')

test('a policy for a group that there is not', async () => {
  const { list } = await api('GET', '/groups')
  const policyFor = (include: readonly string[]) => ({
    type: 'MFA_ENROLL',
    name: `For ${include.length}`,
    conditions: { people: { groups: { include } } },
    settings: { type: 'AUTHENTICATORS', authenticators: [] },
  })
  const known = list[0]?.id ?? ''
  expect((await api('POST', '/policies', policyFor([known]))).status).toBe(200)
  expect(logged()).not.toContain('is no group')
  expect((await api('POST', '/policies', policyFor([known, '00gNoSuchGroup']))).status).toBe(200)
  expect(logged()).toContain('conditions.people.groups.include: 00gNoSuchGroup is no group')
})

test('a member of an app that there is not', async () => {
  const made = await api('POST', '/apps', {
    label: 'Shop',
    signOnMode: 'OPENID_CONNECT',
    name: 'oidc_client',
    settings: {
      oauthClient: {
        application_type: 'web',
        redirect_uris: ['https://shop.example/callback'],
        grant_types: ['interaction_code'],
      },
    },
    expressConfiguration: { on: true },
  })
  expect(made.status).toBe(200)
  expect(logged()).toContain('expressConfiguration')
  expect((await api('PUT', `/apps/${made.body.id}`, made.body)).status).toBe(200)
  expect(logged()).not.toContain('expressConfiguration')
})

test('a scope of a trusted origin that is there twice', async () => {
  const made = await api('POST', '/trustedOrigins', {
    name: 'Shop',
    origin: 'https://shop.example',
    scopes: [{ type: 'CORS' }, { type: 'CORS' }, { type: 'REDIRECT' }],
  })
  expect(made.body.scopes).toEqual([{ type: 'CORS' }, { type: 'REDIRECT' }])
  expect(logged()).toContain('scopes: CORS is there twice')
})
