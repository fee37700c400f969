import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-compile-cache-'))
  mkdirSync(join(folder, 'dist/cli'), { recursive: true })
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'dist/cli/main.js'), "console.log('started')\n")
})
afterEach(() => rmSync(folder, { recursive: true }))

const started = (env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [join(folder, 'bin/rekey.cjs')], { env, encoding: 'utf8' })
const cache = () => join(folder, '.cache')

test('what is compiled is written beside the package, for its owner alone', () => {
  expect(started()).toMatchObject({ stdout: 'started\n', stderr: '', status: 0 })
  expect(readdirSync(cache())).not.toEqual([])
})

test('a folder that others can write is not used, since its code would run as it is', () => {
  mkdirSync(cache())
  chmodSync(cache(), 0o777)
  expect(started()).toMatchObject({ stdout: 'started\n', stderr: '', status: 0 })
  expect(readdirSync(cache())).toEqual([])
})

test('where it is switched off, or a file is in its place, the start is the same without it', () => {
  expect(started({ NODE_DISABLE_COMPILE_CACHE: '1' })).toMatchObject({ stdout: 'started\n', stderr: '' })
  expect(existsSync(cache())).toBe(false)
  writeFileSync(cache(), '')
  expect(started()).toMatchObject({ stdout: 'started\n', stderr: '', status: 0 })
})
