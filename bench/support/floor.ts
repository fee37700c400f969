import { join } from 'node:path'
import { type BenchDatabase, createDatabase } from './databases.ts'
import { startProcess } from './engine.ts'
import { closedLoop, cpuMsPerFlow } from './loop.ts'

interface Load {
  readonly count: number
  readonly parallel: number
}

/** A process that does the least that a recovery needs, on a database of its own. */
export interface Floor {
  /** CPU ms a flow over so many flows. */
  cpuMsPerFlow(load: Load): Promise<number>
  close(): Promise<void>
}

/** Starts it and warms it up, so that it can take turns with an engine: how busy the machine is counts for both. */
export async function startFloor(kind: BenchDatabase['name'], warmUp: Load): Promise<Floor> {
  const database = await createDatabase(kind)
  const floor = await startProcess(join(import.meta.dirname, 'floor-process.ts'), { database: database.url })
  const users = { next: 0 }
  await closedLoop(floor, users, warmUp)
  return {
    cpuMsPerFlow: (load) => cpuMsPerFlow(floor, users, load),
    async close() {
      await floor.close()
      await database.drop()
    },
  }
}

/** A process that hands mails which are composed already to the pool of nodemailer, until a server has taken them. */
export interface MailFloor {
  cpuMsPerMail(): Promise<number>
  close(): Promise<void>
}

export async function createMailFloor(smtpUrl: string, mails: number): Promise<MailFloor> {
  const order = { smtpUrl, mails }
  const sender = await startProcess(join(import.meta.dirname, 'floor-mail-process.ts'), order)
  return {
    async cpuMsPerMail() {
      const before = await sender.ask('collect')
      const after = await sender.ask('idle')
      return (after.cpuMs - before.cpuMs) / mails
    },
    close: () => sender.close(),
  }
}
