import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { anyPorts, type DevLine, end, listens, until } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const root = join(import.meta.dirname, '../..')
let folder: string
let pretence: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-bin-'))
  // This Node says that it is an old one; the one that it starts does not.
  pretence = join(folder, 'old.cjs')
  writeFileSync(pretence, "Object.defineProperty(process, 'version', { value: 'v18.20.8' })")
})
afterAll(() => rmSync(folder, { recursive: true }))

const onOldNode = (args: readonly string[], bin = join(root, 'bin/rekey.cjs')) =>
  spawn(process.execPath, ['--require', pretence, bin, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH },
  })

async function ran(child: ReturnType<typeof onOldNode>) {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}

test('an old Node hands over to the one that came with the package, exit code and all', async () => {
  expect(await ran(onOldNode(['--version']))).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+/),
  })
  expect(await ran(onOldNode(['serv']))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean serve?'),
  })
})

test('an old Node passes signals on, and is missed when it is killed', async () => {
  const ready = async () => {
    const child = onOldNode(['dev', '--json', '--no-app', '--data', 'memory', ...anyPorts])
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
    return { child, engineUrl: (JSON.parse(line) as DevLine).engineUrl }
  }
  const told = await ready()
  expect((await end(told.child, 'SIGTERM')).code).toBe(0)
  expect(await listens(told.engineUrl)).toBe(false)

  const killed = await ready()
  await end(killed.child, 'SIGKILL')
  await until(async () => !(await listens(killed.engineUrl)))
})

test('an old Node alone says what to install', async () => {
  const alone = join(folder, 'alone')
  mkdirSync(join(alone, 'dist/cli'), { recursive: true })
  cpSync(join(root, 'bin'), join(alone, 'bin'), { recursive: true })
  const bin = join(alone, 'bin/rekey.cjs')
  expect(await ran(onOldNode(['--version'], bin))).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^rekey: it is not built yet\n.*npm ci/),
  })
  writeFileSync(join(alone, 'dist/cli/main.js'), '')
  expect(await ran(onOldNode(['--version'], bin))).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^rekey: Node 24 or newer is needed, and this is v18\.20\.8\n.*https:\/\/nodejs\.org/,
    ),
  })
})

test('the first file holds nothing that an old Node could not read', () => {
  const code = readFileSync(join(root, 'bin/rekey.cjs'), 'utf8').replace(/^\s*\/\/.*$/gm, '')
  for (const young of [
    /\?\?/,
    /\?\./,
    /\basync\b/,
    /\bawait\b/,
    /\bimport\s*\(/,
    /\bclass\b/,
    /\{ \.\.\./,
    /catch \{/,
    /\d_\d/,
    /\*\*/,
    /'node:/,
  ]) {
    expect(code).not.toMatch(young)
  }
})
