import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadSettings } from '../config/index.ts'
import { secretFilesOf } from './doctor-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function check(env: Readonly<Record<string, string>> = {}) {
  const loaded = await loadSettings({ folder, env, file: undefined })
  return secretFilesOf({ folder, env }, loaded, loaded.check('development'))
}
const write = (name: string, text: string, mode: number) => {
  writeFileSync(join(folder, name), text)
  chmodSync(join(folder, name), mode)
}

test.skipIf(process.platform === 'win32')(
  'a secret file that others can read deviates, and one of its owner is met',
  async () => {
    const env = { REKEY_SECRET_FILE: 'secret' }
    write('secret', 'a master secret of 32 characters or more', 0o644)
    expect(await check(env)).toMatchObject([
      { result: 'deviates', why: expect.stringContaining(join(folder, 'secret')) },
    ])
    chmodSync(join(folder, 'secret'), 0o600)
    expect(await check(env)).toMatchObject([{ result: 'met' }])
  },
)

test.skipIf(process.platform === 'win32')(
  'a configuration file that others can read deviates where a secret stands in it',
  async () => {
    const client = { id: 'shop', label: 'Shop', redirectUris: ['https://shop.example.com/callback'] }
    write('rekey.config.json', JSON.stringify({ org: { name: 'Shop' } }), 0o644)
    expect(await check()).toEqual([])
    const secret = 'a client secret for this test only'
    write('rekey.config.json', JSON.stringify({ clients: [{ ...client, secret }] }), 0o644)
    expect(await check()).toMatchObject([
      { result: 'deviates', why: expect.stringContaining('rekey.config.json') },
    ])
  },
)
