import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
import { visit } from '../support/attacks.ts'
import { rekey } from './rekey.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const asks = 'the users of an app are distinguished'

async function findings(database: string): Promise<readonly { asks: string; result: string; why: string }[]> {
  const env = { DATABASE_URL: database, REKEY_SECRET: 'a secret of tests only: 0123456789 0123456789' }
  const { stdout } = await rekey(['doctor', '--json'], { folder, env })
  return JSON.parse(stdout)
}

test('names the apps that vouch for no address of their users', async () => {
  const database = `sqlite:${join(folder, 'rekey.db')}`
  const idp = await startEngine({ database })
  await visit(idp, { headers: { 'x-forwarded-for': '192.0.2.1' } })
  await visit(idp, { client: idp.publicClientId })
  const own = async () => (await findings(database)).find((finding) => finding.asks.startsWith(asks))
  expect(await own()).toMatchObject({ result: 'met' })

  await visit(idp)
  await idp.close()
  expect(await own()).toMatchObject({ result: 'deviates', why: expect.stringContaining(`${idp.clientId};`) })
})

test('says nothing of apps where there is no database yet, and makes none', async () => {
  const own = await findings(`sqlite:${join(folder, 'missing.db')}`)
  expect(own.filter((finding) => finding.asks.startsWith(asks))).toEqual([])
  expect(own.length).toBeGreaterThan(10)
})
