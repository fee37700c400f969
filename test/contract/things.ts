import type { Kit } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { serviceApp } from '../wire/service-app.ts'

/** Things that are there, by the names that operations call their ids by. */
export async function thingsThere(idp: Kit): Promise<Readonly<Record<string, string>>> {
  const api = apiOf(idp)
  const idOf = async (path: string, body: object) => (await api('POST', path, body)).body.id
  const robot = await serviceApp(idp, ['okta.users.read'])
  const policyId = await idOf('/policies', { type: 'PASSWORD', name: 'Any', conditions: {}, settings: {} })
  await idp.signInAs(idp.person.login)
  const [session] = (await api('GET', `/users/${idp.person.login}/sessions`)).list
  return {
    sessionId: session?.id ?? '',
    userId: (await api('GET', `/users/${idp.person.login}`)).body.id,
    groupId: await idOf('/groups', { profile: { name: 'Staff' } }),
    appId: robot.id,
    grantId: (await api('GET', `/apps/${robot.id}/grants`)).list[0]?.id ?? '',
    trustedOriginId: await idOf('/trustedOrigins', {
      name: 'Shop',
      origin: 'https://shop.example',
      scopes: [{ type: 'CORS' }],
    }),
    policyId,
    ruleId: await idOf(`/policies/${policyId}/rules`, { type: 'PASSWORD', name: 'Any' }),
    authenticatorId: (await api('GET', '/authenticators')).list[0]?.id ?? '',
    schemaId: 'default',
    authServerId: 'default',
    brandId: 'bndDefault',
    themeId: 'theDefault',
  }
}
