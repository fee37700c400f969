// The least that a recovery can cost: a bare Fastify server that answers the same eight requests with bodies of the same
// size, commits seven times, durably, what a recovery leaves in the database, and signs two tokens. It checks nothing.
// Seven is the least that the promises allow: what a step was answered survives a kill, and a recovery has seven steps that
// change something before its tokens. Each is one statement, which commits by itself: one round trip on PostgreSQL.
import { DatabaseSync } from 'node:sqlite'
import Fastify from 'fastify'
import { generateKeyPair, SignJWT } from 'jose'
import pg from 'pg'
import type { Question, Usage } from './engine.ts'

const { database } = JSON.parse(process.argv[2] ?? '{}') as { readonly database: string }

/** What one commit writes: a recovery leaves 14,400 bytes in the file of a SQLite database (27 November 2026). */
const rowBytes = Math.round(14_400 / 7)
const row = 'x'.repeat(rowBytes - 40)

const commit = database.startsWith('sqlite:')
  ? sqliteCommit(database.slice('sqlite:'.length))
  : await postgresCommit()

function sqliteCommit(path: string): () => void {
  const file = new DatabaseSync(path)
  file.exec('pragma journal_mode = WAL; pragma synchronous = FULL; pragma temp_store = MEMORY')
  file.exec(
    'create table if not exists floor (id integer primary key, at integer not null, body text not null)',
  )
  const insert = file.prepare('insert into floor (at, body) values (?, ?)')
  return () => void insert.run(Date.now(), row)
}

async function postgresCommit(): Promise<() => Promise<void>> {
  const pool = new pg.Pool({ connectionString: database, max: 10 })
  await pool.query(
    'create table if not exists floor (id bigserial primary key, at bigint not null, body text not null)',
  )
  const text = 'insert into floor (at, body) values ($1, $2)'
  return async () => void (await pool.query({ name: 'insert', text, values: [Date.now(), row] }))
}

const { privateKey } = await generateKeyPair('RS256')
const sign = (bytes: number) =>
  new SignJWT({ sub: 'bench', filled: 'x'.repeat(bytes) })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(privateKey)

/** What the load generator reads of an answer; the rest is filled up to the size of the engine's. */
const answers = {
  '/oauth2/default/v1/interact': [68, { interaction_handle: 'handle' }],
  '/idp/idx/introspect': [1759, { stateHandle: 'state' }],
  '/idp/idx/recover': [1216, {}],
  '/idp/idx/identify': [1912, { authenticators: { value: [{ id: 'aut' }] } }],
  '/idp/idx/challenge': [3449, {}],
  '/idp/idx/challenge/answer': [
    1412,
    { successWithInteractionCode: { value: [{ name: 'interaction_code', value: 'code' }] } },
  ],
} as const satisfies Readonly<Record<string, readonly [bytes: number, body: object]>>

const app = Fastify()
app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_: unknown, body: unknown) => Object.fromEntries(new URLSearchParams(String(body))),
)
for (const [path, [bytes, body]] of Object.entries(answers)) {
  app.post(path, async () => {
    await commit()
    return { ...body, filled: 'x'.repeat(Math.max(0, bytes - 80)) }
  })
}
// The eighth request. The seven before it (one path is asked twice) commit once each; here the two signatures are.
app.post('/oauth2/default/v1/token', async () => ({
  token_type: 'Bearer',
  access_token: await sign(300),
  id_token: await sign(400),
}))
const url = await app.listen({ port: 0, host: '127.0.0.1' })

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rss, heapUsed, hashes: 0 }
}

process.on('disconnect', () => process.exit(0))
process.on('message', (question: Question) => {
  if (question === 'collect') globalThis.gc?.()
  if (question === 'close') process.exit(0)
  process.send?.(usage())
})
process.send?.({ url })
