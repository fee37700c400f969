// The engine that bench/oracle.ts asks: a process of its own, with production's password hash and real SMTP.
import { createHasher, standardHash } from '../src/passwords/index.ts'
import { startEngine } from '../src/testing/index.ts'

const count = Number(process.argv[2] ?? 2000)
const many = 1_000_000_000
const idp = await startEngine({
  hash: 'standard',
  people: [],
  settings: {
    mail: { url: process.argv[3] ?? '', spreadMs: 250 },
    // One address asks everything here, and mostly wrong.
    limits: {
      sprayPerAddressMinute: many,
      sprayPerAddressHour: many,
      sprayEverywhere: many,
      requests: {
        idxPerAddress: many,
        interactPerAddress: many,
        perClient: many,
        mailsPerSource: many,
        mailsPerClient: many,
      },
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
// Ends with the bench, however that ends.
process.on('disconnect', () => void idp.close().then(() => process.exit(0)))
