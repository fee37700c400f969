// better-auth in a separate process, set up as documented and controlled over IPC like the engine: a node:http server,
// passwords, mailed codes, and its rate limits enabled as in production. Mails go to a hook that stores them.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { Algorithm, hash, verify } from '@node-rs/argon2'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { emailOTP } from 'better-auth/plugins'
import pg from 'pg'

interface Order {
  readonly database: string
  readonly hash: 'free' | 'standard'
  /** The number of users to create with the tables; 0: they exist already. */
  readonly people: number
  readonly passwordHash: string
  readonly argon2: { readonly memoryKiB: number; readonly passes: number; readonly lanes: number }
}
const order = JSON.parse(process.argv[2] ?? '{}') as Order

let hashes = 0
/** An insecure hash without cost, to measure everything else. */
const insecureFreeHash = (password: string) =>
  `free$${createHash('sha256').update(password).digest('base64url')}`
const { memoryKiB: memoryCost, passes: timeCost, lanes: parallelism } = order.argon2
const parameters = { algorithm: Algorithm.Argon2id, memoryCost, timeCost, parallelism }
const password =
  order.hash === 'free'
    ? {
        hash: async (text: string) => insecureFreeHash(text),
        verify: async (claim: { hash: string; password: string }) =>
          claim.hash === insecureFreeHash(claim.password),
      }
    : {
        hash: (text: string) => hash(text, parameters),
        verify: (claim: { hash: string; password: string }) => verify(claim.hash, claim.password),
      }

const path = order.database.replace(/^sqlite:/, '')
const isSqlite = path !== order.database
const sqlite = isSqlite ? new DatabaseSync(path) : undefined
// The same durability as the engine, and the fastest journal mode.
sqlite?.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
const pool = isSqlite ? undefined : new pg.Pool({ connectionString: order.database, max: 10 })

const server = createServer()
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const address = server.address()
const url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`

const mailed = new Map<string, string>()
const options = {
  baseURL: url,
  secret: 'a master secret that is for benchmarks only',
  database: sqlite ?? pool,
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (text: string) => {
        hashes++
        return password.hash(text)
      },
      verify: (claim: { hash: string; password: string }) => {
        hashes++
        return password.verify(claim)
      },
    },
  },
  plugins: [
    emailOTP({
      // All codes are the same, so that the load generator needs no mailbox.
      generateOTP: () => '000000',
      sendVerificationOTP: async ({ email, otp }) => void mailed.set(email, otp),
    }),
  ],
} satisfies Parameters<typeof betterAuth>[0]
const auth = betterAuth(options)
if (order.people > 0) {
  const { runMigrations } = await getMigrations(options)
  await runMigrations()
  await addPeople(order.people)
}
server.on('request', toNodeHandler(auth))

/** Adds users with a password hash that matches no password. */
async function addPeople(count: number): Promise<void> {
  const source = isSqlite
    ? `(with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${count - 1}) select n from numbers)`
    : `(select generate_series(0, ${count - 1}) as n)`
  const now = isSqlite ? `'${new Date().toISOString()}'` : 'now()'
  const login = `'person' || cast(n as text) || '@example.com'`
  const statements = [
    `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
      select 'user' || cast(n as text), 'Ada Example', ${login}, ${isSqlite ? '1' : 'true'}, ${now}, ${now} from ${source} as made`,
    `insert into account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
      select 'account' || cast(n as text), 'user' || cast(n as text), 'credential', 'user' || cast(n as text), '${order.passwordHash}', ${now}, ${now}
      from ${source} as made`,
    'analyze',
  ]
  for (const statement of statements) {
    sqlite?.exec(statement)
    await pool?.query(statement)
  }
}

function usage() {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rss, heapUsed, hashes }
}

process.on('disconnect', () => process.exit(0))
process.on('message', (question: string) => {
  if (question === 'collect') globalThis.gc?.()
  if (question === 'close') {
    process.disconnect()
    process.exit(0)
  }
  process.send?.(usage())
})
process.send?.({ url })
