import { type CryptoKey, importJWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type Api, apiOf } from '../support/management.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { keyPair, type ServiceApp, serviceApp, serviceBody } from '../wire/service-app.ts'

// The attacker is a service app that may manage apps, grants included, and no users. It wants okta.users.manage, which an
// administrator grants to another service app, or an app of users that acts on their accounts.
const wanted = 'okta.users.manage'
const accounts = 'okta.myAccount.password.manage'
const held = ['okta.apps.manage', 'okta.appGrants.manage', 'okta.policies.manage']
const own = 'https://attacker.example.com/cb'

onEachDatabase('rights of another app', (kind) => {
  let place: TestDatabase
  let idp: Kit
  let admin: Api
  let attacker: Api
  let theirs: ServiceApp
  let evil: Awaited<ReturnType<typeof keyPair>>
  beforeAll(async () => {
    place = await kind.create()
    idp = await startEngine({ database: place.url })
    evil = await keyPair('ES512')
  })
  beforeEach(async () => {
    await idp.reset()
    admin = apiOf(idp)
    const robot = await serviceApp(idp, held, { alg: 'ES384', label: 'Attacker' })
    attacker = apiOf(idp, await robot.token(held.join(' ')))
    theirs = await serviceApp(idp)
  })
  afterAll(async () => {
    await idp.close()
    await place.drop()
  })

  const grant = (api: Api, id: string, scopeId = wanted) =>
    api('POST', `/apps/${id}/grants`, { scopeId, issuer: idp.engineUrl })
  const service = async (...keys: readonly object[]) => serviceBody(keys)
  const addKey = async (api: Api, id: string) => {
    const { publicJwk } = await keyPair()
    return api('PUT', `/apps/${id}`, await service(publicJwk, evil.publicJwk))
  }
  const web = (more: object = {}, credentials: object = {}) => ({
    label: 'Shop',
    signOnMode: 'OPENID_CONNECT',
    credentials: { oauthClient: credentials },
    settings: {
      oauthClient: { application_type: 'web', redirect_uris: ['https://shop.example.com/cb'], ...more },
    },
  })
  const secretsOf = (id: string) => `/apps/${id}/credentials/secrets`

  /** Whether the attacker gets the wanted scope as another app, by its own key. */
  async function gets(id: string, scope = wanted): Promise<boolean> {
    const key = (await importJWK(evil.privateJwk, 'ES512')) as CryptoKey
    const header = { alg: 'ES512', kid: 'key-ES512' }
    const assertion = await theirs.assertion({ iss: id, sub: id }, header, key)
    return (await theirs.ask(scope, assertion)).status === 200
  }

  interface Order {
    /** The app, and a step of the attacker that is refused, or one of the administrator after it. */
    run(): Promise<{ readonly id: string; readonly status: number }>
    readonly refused: number
  }
  const orders: Readonly<Record<string, Order>> = {
    'grants the scope itself': {
      run: async () => ({ id: theirs.id, status: (await grant(attacker, theirs.id)).status }),
      refused: 403,
    },
    'grants the scope to itself': {
      async run() {
        const [robot] = (await admin('GET', '/apps?q=Attacker')).list
        return { id: robot?.id ?? '', status: (await grant(attacker, robot?.id ?? '')).status }
      },
      refused: 403,
    },
    'adds a key after the grant': {
      async run() {
        await grant(admin, theirs.id)
        return { id: theirs.id, status: (await addKey(attacker, theirs.id)).status }
      },
      refused: 403,
    },
    'adds a key before the grant': {
      async run() {
        expect((await addKey(attacker, theirs.id)).status).toBe(200)
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'adds a key before the grant, and an administrator writes the app back as it is': {
      async run() {
        await addKey(attacker, theirs.id)
        const { body } = await admin('GET', `/apps/${theirs.id}`)
        expect((await admin('PUT', `/apps/${theirs.id}`, { ...body, label: 'Renamed' })).status).toBe(200)
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'adds a key under the name of the present one': {
      async run() {
        const renamed = { ...evil.publicJwk, kid: 'key-RS256' }
        await attacker('PUT', `/apps/${theirs.id}`, await service(renamed))
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'adds a key over the settings of the console': {
      async run() {
        await attacker('POST', `/internal/apps/${theirs.id}/settings/oidc`, {
          jwks: { keys: [evil.publicJwk] },
        })
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'registers the app with its key, for an administrator to grant it scopes': {
      async run() {
        const { id } = (await attacker('POST', '/apps', await service(evil.publicJwk))).body
        return { id, status: (await grant(admin, id)).status }
      },
      refused: 400,
    },
    'registers the app anew under its id': {
      async run() {
        const body = {
          ...(await service(evil.publicJwk)),
          credentials: { oauthClient: { client_id: theirs.id } },
        }
        await attacker('POST', `/apps/${theirs.id}/lifecycle/deactivate`)
        await attacker('DELETE', `/apps/${theirs.id}`)
        expect((await attacker('POST', '/apps', body)).status).toBe(200)
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'adds a key between two grants': {
      async run() {
        const { id } = (await grant(admin, theirs.id)).body
        await admin('DELETE', `/apps/${theirs.id}/grants/${id}`)
        await addKey(attacker, theirs.id)
        return { id: theirs.id, status: (await grant(admin, theirs.id)).status }
      },
      refused: 400,
    },
    'adds a key to an app that is deactivated': {
      async run() {
        await grant(admin, theirs.id)
        await admin('POST', `/apps/${theirs.id}/lifecycle/deactivate`)
        return { id: theirs.id, status: (await addKey(attacker, theirs.id)).status }
      },
      refused: 403,
    },
    'activates an app that was deactivated since its key leaked': {
      async run() {
        await addKey(admin, theirs.id)
        await grant(admin, theirs.id)
        await admin('POST', `/apps/${theirs.id}/lifecycle/deactivate`)
        return {
          id: theirs.id,
          status: (await attacker('POST', `/apps/${theirs.id}/lifecycle/activate`)).status,
        }
      },
      refused: 403,
    },
    'adds a key with a leading zero, which the tool of an administrator writes without': {
      async run() {
        const { publicJwk } = await keyPair('RS512')
        const n = Buffer.concat([Buffer.alloc(1), Buffer.from(publicJwk.n ?? '', 'base64url')])
        const odd = { ...publicJwk, n: n.toString('base64url') }
        return {
          id: theirs.id,
          status: (await attacker('PUT', `/apps/${theirs.id}`, await service(odd))).status,
        }
      },
      refused: 400,
    },
    'adds a key with stray bits behind a number, which the tool of an administrator writes without': {
      async run() {
        const { publicJwk } = await keyPair('ES256')
        const { x = '' } = publicJwk
        // The last letter of 32 bytes has two bits that mean nothing: the next letter of the alphabet is the same number.
        const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        const last = letters[letters.indexOf(x.slice(-1)) + 1] ?? ''
        const stray = { ...publicJwk, x: `${x.slice(0, -1)}${last}` }
        expect(Buffer.from(stray.x, 'base64url')).toEqual(Buffer.from(x, 'base64url'))
        return {
          id: theirs.id,
          status: (await attacker('PUT', `/apps/${theirs.id}`, await service(stray))).status,
        }
      },
      refused: 400,
    },
    'points the app to keys at an address of its own': {
      async run() {
        const body = await service(evil.publicJwk)
        const oauthClient = { ...body.settings.oauthClient, jwks: undefined, jwks_uri: own }
        const { status } = await attacker('PUT', `/apps/${theirs.id}`, { ...body, settings: { oauthClient } })
        await grant(admin, theirs.id)
        return { id: theirs.id, status }
      },
      refused: 400,
    },
    'gives the app a secret': {
      run: async () => ({
        id: theirs.id,
        status: (await attacker('POST', secretsOf(theirs.id), {})).status,
      }),
      refused: 400,
    },
  }

  test.each(Object.entries(orders))('A58: is refused: a service app that %s', async (_, { run, refused }) => {
    const { id, status } = await run()
    expect(status).toBe(refused)
    expect(await gets(id)).toBe(false)
  })

  const userOrders: Readonly<Record<string, Order>> = {
    'grants the scope itself': {
      async run() {
        return { id: idp.clientId, status: (await grant(attacker, idp.clientId, accounts)).status }
      },
      refused: 403,
    },
    'sets an address after the grant': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        expect((await grant(admin, id, accounts)).status).toBe(201)
        return { id, status: (await attacker('PUT', `/apps/${id}`, web({ redirect_uris: [own] }))).status }
      },
      refused: 403,
    },
    'sets an address before the grant': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        await attacker('PUT', `/apps/${id}`, web({ redirect_uris: [own] }))
        return { id, status: (await grant(admin, id, accounts)).status }
      },
      refused: 400,
    },
    'sets an address before the grant, which the tool of an administrator writes in another way': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        await attacker('PUT', `/apps/${id}`, web({ redirect_uris: ['HTTPS://Attacker.example.com:443/cb'] }))
        expect((await admin('PUT', `/apps/${id}`, web({ redirect_uris: [own] }))).status).toBe(200)
        return { id, status: (await grant(admin, id, accounts)).status }
      },
      refused: 400,
    },
    'sets the address of magic links before the grant': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        await attacker('PUT', `/apps/${id}`, web({ email_magic_link_redirect_uri: own }))
        return { id, status: (await grant(admin, id, accounts)).status }
      },
      refused: 400,
    },
    'adds a secret after the grant': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        await grant(admin, id, accounts)
        return { id, status: (await attacker('POST', secretsOf(id), {})).status }
      },
      refused: 403,
    },
    'adds a secret before the grant': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        expect((await attacker('POST', secretsOf(id), {})).status).toBe(201)
        return { id, status: (await grant(admin, id, accounts)).status }
      },
      refused: 400,
    },
    'adds a secret that is not active yet before the grant, and activates it after': {
      async run() {
        const { id } = (await admin('POST', '/apps', web())).body
        const { id: secretId } = (await attacker('POST', secretsOf(id), { status: 'INACTIVE' })).body
        const { status } = await grant(admin, id, accounts)
        await attacker('POST', `${secretsOf(id)}/${secretId}/lifecycle/activate`)
        return { id, status }
      },
      refused: 400,
    },
    'registers the app, and knows its secret': {
      async run() {
        const { id } = (await attacker('POST', '/apps', web({ redirect_uris: [] }))).body
        return { id, status: (await grant(admin, id, accounts)).status }
      },
      refused: 400,
    },
  }

  test.each(Object.entries(userOrders))(
    'A58: is refused at an app that acts on accounts: a service app that %s',
    async (_, { run, refused }) => {
      const { status } = await run()
      expect(status).toBe(refused)
    },
  )

  test('A58: an app with scopes that the caller lacks says nothing of a secret that the caller guesses', async () => {
    const made = (await admin('POST', '/apps', web())).body
    const { oauthClient } = made.credentials as { oauthClient: { client_secret: string } }
    await grant(admin, made.id, accounts)
    const answers = []
    for (const guess of [oauthClient.client_secret, 'not-the-secret-of-the-app']) {
      const credentials = { client_secret: guess }
      const put = await attacker('PUT', `/apps/${made.id}`, web({}, credentials))
      const post = await attacker('POST', `/internal/apps/${made.id}/settings/oidc`, credentials)
      answers.push(
        [put, post].map(({ status, body }) => [status, body.errorCode, body.errorSummary, body.errorCauses]),
      )
    }
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]?.map(([status]) => status)).toEqual([403, 403])
  })

  test('A58: of a key and a grant at the same moment one is refused', async () => {
    for (let round = 0; round < 8; round++) {
      const app = await serviceApp(idp)
      const [planted, granted] = await Promise.all([addKey(attacker, app.id), grant(admin, app.id)])
      expect([planted.status, granted.status].toSorted(), `round ${round}`).not.toEqual([200, 201])
      expect(await gets(app.id)).toBe(false)
    }
  })

  describe('are no hindrance to an administrator', () => {
    test('A58: who removes the key, and sets it again, grants what is wanted', async () => {
      await addKey(attacker, theirs.id)
      const { body } = await grant(admin, theirs.id)
      expect(JSON.stringify(body.errorCauses)).toMatch(/jwks: the key key-ES512 was set by a service app/)
      const { publicJwk } = await keyPair()
      await admin('PUT', `/apps/${theirs.id}`, await service(publicJwk))
      expect((await grant(admin, theirs.id)).status).toBe(201)
      await admin('PUT', `/apps/${theirs.id}`, await service(publicJwk, evil.publicJwk))
      expect(await gets(theirs.id)).toBe(true)
    })

    test('A58: nor to a service app that has the scope itself', async () => {
      const robot = await serviceApp(idp, [...held, wanted], { alg: 'ES384', label: 'Set-up' })
      const api = apiOf(idp, await robot.token([...held, wanted].join(' ')))
      const { id } = (await api('POST', '/apps', await service(evil.publicJwk))).body
      expect((await grant(api, id)).status).toBe(201)
      expect(await gets(id)).toBe(true)
      const { id: shop } = (await api('POST', '/apps', web())).body
      expect((await grant(api, shop, accounts)).status).toBe(201)
    })
  })
})
