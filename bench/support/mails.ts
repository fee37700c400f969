import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startSmtpServer } from '../../test/support/smtp-server.ts'
import { type BenchDatabase, createDatabase } from './databases.ts'
import { type EngineProcess, startProcess } from './engine.ts'
import { createMailFloor } from './floor.ts'
import { median } from './report.ts'

/** CPU ms of a process a mail, in turns: one number a turn. */
export interface MailFigures {
  readonly database: BenchDatabase['name']
  /** This checkout: read from the outbox, composed, sent over SMTP and closed. */
  readonly here: readonly number[]
  /** The database server's part of it; 0 where the database is in the engine's process. */
  readonly server: readonly number[]
  /** Another checkout, where one was named. */
  readonly beside: readonly number[]
  /** A mail that is composed already, handed to the pool of nodemailer. */
  readonly floor: readonly number[]
}

interface Side {
  readonly engine: EngineProcess
  readonly database: BenchDatabase
  queue(mails: number): Promise<void>
  close(): Promise<void>
}

/** The two mails of a recovery, as an engine queues them. */
export const variables = {
  'user.profile.firstName': 'Ada',
  'user.profile.lastName': 'Example',
  'user.profile.login': 'person@example.com',
  'user.profile.email': 'person@example.com',
  'org.name': 'Example',
  'org.subDomain': 'id',
  'org.locale': 'en',
  'app.id': 'bench',
  'app.name': 'Bench',
  'app.label': 'Bench',
  baseURL: 'https://id.example.com',
  'request.ipAddress': '203.0.113.9',
  'request.browser': 'Firefox 145.0',
  'request.system': 'Linux',
  'request.date': '28 November 2026',
  'request.time': '14:02 UTC',
  lifetime: '5 minutes',
}
export const code = {
  ...variables,
  oneTimePassword: '428571',
  resetPasswordLink: 'https://id.example.com/email/verify/bench?token=ftZXCVBNMASDFGHJKLQWERTYUIOP',
  resetPasswordTokenExpirationDate: '28 November 2026, 14:07 UTC',
}

/** Opens the engine of a checkout, which delivers to a server, and queues mails by that checkout's own code. */
async function openSide(root: string, kind: BenchDatabase['name'], smtpUrl: string): Promise<Side> {
  const load = (file: string) => import(pathToFileURL(join(root, file)).href)
  const { queueMail } = (await load('src/delivery/index.ts')) as typeof import('../../src/delivery/index.ts')
  const base = (await load('src/base/index.ts')) as typeof import('../../src/base/index.ts')
  const { openBenchStorage } = (await load('bench/support/databases.ts')) as typeof import('./databases.ts')
  const database = await createDatabase(kind)
  const storage = await openBenchStorage(database)
  const order = { database: database.url, hash: 'free', smtpUrl }
  const engine = await startProcess(join(root, 'bench/support/engine-process.ts'), order)
  // That of the engine's process.
  const secrets = base.createSecrets(['a master secret that is for benchmarks only'])
  const { systemRandom: random } = base
  let queued = 0
  return {
    engine,
    database,
    async queue(mails) {
      await storage.transaction(async (tx) => {
        const now = Date.now()
        for (let index = 0; index < mails; index++) {
          const ofCode = index % 2 === 0
          const recipient = `person${queued++}@example.com`
          const common = { recipient, personId: `00u${recipient}`, transactionId: `trs${queued}` }
          const mail = ofCode
            ? ({ template: 'ForgotPassword', variables: code } as const)
            : ({ template: 'PasswordChanged', variables } as const)
          await queueMail(tx, { ...common, ...mail, endsAt: now + 600_000 }, { secrets, random, now })
        }
      })
    },
    async close() {
      await engine.close()
      await storage.close()
      await database.drop()
    },
  }
}

/** What a mail costs, from the outbox to the server's answer: this checkout, another one, and the floor, in turns. */
export async function measureMails(
  kind: BenchDatabase['name'],
  options: { readonly turns: number; readonly mails: number; readonly beside?: string | undefined },
): Promise<MailFigures> {
  const { turns, mails } = options
  const smtp = await startSmtpServer()
  const here = await openSide(join(import.meta.dirname, '../..'), kind, smtp.url)
  const beside =
    options.beside === undefined ? undefined : await openSide(resolve(options.beside), kind, smtp.url)
  const floor = await createMailFloor(smtp.url, mails)
  const ms = { here: [] as number[], server: [] as number[], beside: [] as number[], floor: [] as number[] }
  async function deliver({ engine, database, queue }: Side): Promise<{ engine: number; server: number }> {
    const before = { ...(await engine.ask('collect')), server: database.cpuMs() }
    await queue(mails)
    const after = { ...(await engine.ask('idle')), server: database.cpuMs() }
    smtp.forget()
    return { engine: (after.cpuMs - before.cpuMs) / mails, server: (after.server - before.server) / mails }
  }
  // The first turn warms up.
  for (let turn = 0; turn <= turns; turn++) {
    const one = {
      here: await deliver(here),
      beside: beside && (await deliver(beside)),
      floor: await floor.cpuMsPerMail(),
    }
    smtp.forget()
    if (turn === 0) continue
    ms.here.push(one.here.engine)
    ms.server.push(one.here.server)
    ms.floor.push(one.floor)
    if (one.beside !== undefined) ms.beside.push(one.beside.engine)
  }
  await floor.close()
  await here.close()
  await beside?.close()
  await smtp.close()
  return { database: kind, ...ms }
}

/** The medians of the turns. */
export const mediansOf = ({ here, server, beside, floor }: MailFigures) => ({
  here: median(here),
  server: median(server),
  ...(beside.length > 0 && { beside: median(beside), ratio: median(here) / median(beside) }),
  floor: median(floor),
})
