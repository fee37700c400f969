// The engine for bench/oracle.ts, in a separate process, with the password hash of production and real SMTP.
import { createHasher, standardHash } from '../src/passwords/index.ts'
import { startEngine } from '../src/testing/index.ts'

const count = Number(process.argv[2] ?? 2000)
const many = 1_000_000_000
const idp = await startEngine({
  hash: 'standard',
  people: [],
  settings: {
    mail: { url: process.argv[3] ?? '', spreadMs: 250 },
    // All requests come from one address, and most answers are wrong.
    limits: {
      sprayPerAddressMinute: many,
      sprayPerAddressHour: many,
      sprayEverywhere: many,
      requests: { idxPerAddress: many, interactPerAddress: many, perClient: many },
    },
  },
})
const hasher = createHasher({ parameters: standardHash, concurrency: 2, queue: many })
const passwordHash = await hasher.hash('Marmalade-Harbour-31')
for (let index = 0; index < count; index++) {
  const login = `known${index}@example.com`
  await idp.engine.people.add({ profile: { login, email: login, firstName: 'Known' }, passwordHash })
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
// Ends with the benchmark, even if that is killed.
process.on('disconnect', () => void idp.close().then(() => process.exit(0)))
