// The engine that bench/oracle.ts asks: a process of its own, with production's password hash and real SMTP.

import { addMember } from '../src/directory/index.ts'
import { createHasher, encodeHash, standardHash } from '../src/passwords/index.ts'
import { startEngine } from '../src/testing/index.ts'
import { apiOf } from '../test/support/management.ts'
import type { Kind, OracleOrder } from './oracle.ts'

const order = JSON.parse(process.argv[2] ?? '{}') as OracleOrder
const many = 1_000_000_000
const idp = await startEngine({
  hash: 'standard',
  people: [],
  ...(order.database !== undefined && { database: order.database }),
  settings: {
    mail: { url: order.smtpUrl, spreadMs: 250 },
    // One address asks everything here, and mostly wrong. Two wrong short codes of a user lead to long ones.
    limits: {
      codesPerDay: 2,
      sprayPerAddressMinute: many,
      sprayPerAddressHour: many,
      sprayEverywhere: many,
      requests: {
        idxPerAddress: many,
        interactPerAddress: many,
        interactPerAddressHour: many,
        perClient: many,
        mailsPerSource: many,
        mailsPerClient: many,
        signUpsPerSource: many,
        signUpsPerNetwork: many,
      },
    },
  },
})
const api = apiOf(idp)
const call = async (method: string, path: string, body?: object): Promise<string> => {
  const answered = await api(method, path, body)
  if (answered.status >= 300) throw new Error(`${method} ${path}: ${answered.status} ${answered.text}`)
  return answered.body.id
}
const newGroup = (name: string) => call('POST', '/groups', { profile: { name } })

const groups: string[] = []
for (let n = 0; n < 100; n++) groups.push(await newGroup(`Group ${n}`))

/** A group with a password policy and a rule of the app's access policy that are for its members alone. */
async function groupWithPolicies(): Promise<string> {
  const own = await newGroup('With policies of its own')
  const people = { people: { groups: { include: [own] } } }
  const password = await call('POST', '/policies', {
    type: 'PASSWORD',
    name: 'Own',
    conditions: people,
    settings: { password: { complexity: { minLength: 20 } } },
  })
  const selfServicePasswordReset = {
    access: 'ALLOW',
    requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
  }
  await call('POST', `/policies/${password}/rules`, {
    type: 'PASSWORD',
    name: 'By mail',
    actions: { selfServicePasswordReset },
  })
  const access = await call('POST', '/policies', { type: 'ACCESS_POLICY', name: 'App' })
  const rule = (factorMode: string, more: object = {}) => ({
    type: 'ACCESS_POLICY',
    name: `Rule ${factorMode}`,
    actions: { appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', factorMode } } },
    ...more,
  })
  await call('POST', `/policies/${access}/rules`, rule('2FA', { conditions: people }))
  await call('POST', `/policies/${access}/rules`, rule('1FA'))
  await call('PUT', `/apps/${idp.clientId}/policies/${access}`)
  return own
}

const hasher = createHasher({ parameters: standardHash, concurrency: 2, queue: many })
const own = await hasher.hash('Marmalade-Harbour-31')
const bcrypt = encodeHash({
  algorithm: 'BCRYPT',
  workFactor: 10,
  salt: 'CCCCCCCCCCCCCCCCCCCCC.',
  value: 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
})
if (!('encoded' in bcrypt)) throw new Error(bcrypt.problems.join('; '))

const groupsOf: Partial<Record<Kind, readonly string[]>> = {
  grouped: groups,
  ...(order.kinds.includes('policed') && { policed: [await groupWithPolicies()] }),
}
for (const kind of order.kinds) {
  const passwordHash = kind === 'foreign' ? bcrypt.encoded : own
  for (let index = 0; index < order.requests; index++) {
    const login = `${kind}k${index}@example.com`
    const profile = { login, email: login, firstName: 'Known' }
    await idp.engine.people.add(
      { profile, passwordHash },
      {
        with: async (tx, { id }, now) => {
          for (const group of groupsOf[kind] ?? []) await addMember(tx, group, id, now)
        },
      },
    )
  }
}
console.log(
  JSON.stringify({
    issuer: idp.issuer,
    engineUrl: idp.engineUrl,
    clientId: idp.clientId,
    clientSecret: idp.clientSecret,
    redirectUri: idp.redirectUri,
  }),
)
// Ends with the bench, however that ends.
process.on('disconnect', () => void idp.close().then(() => process.exit(0)))
