import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nodeProblem } from '../../src/cli/node-version.ts'
import { startEngine } from '../../src/testing/index.ts'
import { end, rekey, start, until } from './rekey.ts'

// Real processes on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const root = join(import.meta.dirname, '../..')
const over: (() => unknown)[] = []
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-files-'))
  over.push(() => rmSync(folder, { recursive: true }))
})
afterEach(async () => {
  for (const close of over.splice(0).reverse()) await close()
})

const database = () => join(folder, 'data', 'rekey.db')
const env = () => ({
  DATABASE_URL: `sqlite:${database()}`,
  REKEY_SECRET: 'a master secret of 32 characters or more',
  REKEY_ISSUER: 'https://id.example.com',
  SMTP_URL: 'smtp://127.0.0.1:9',
  REKEY_HOST: '127.0.0.1',
  REKEY_PORT: '0',
  REKEY_METRICS_PORT: '0',
})

/** The files of a folder that users other than the owner can read or write. */
const openIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => {
    const found = statSync(join(path, file))
    return found.isFile() && (found.mode & 0o077) !== 0
  })

/** With a umask that lets every user read. */
function serve() {
  const before = process.umask(0o022)
  const child = start(['serve'], { folder, env: env() })
  process.umask(before)
  over.push(() => end(child, 'SIGKILL'))
  const log: Record<string, unknown>[] = []
  createInterface({ input: child.stderr }).on('line', (line) =>
    log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line }),
  )
  return { child, log, ready: () => until(() => log.some(({ msg }) => msg === 'ready')) }
}

describe('what is written is for its owner alone', () => {
  test('F18: rekey serve, migrate, user add and export, at a umask that lets all users read', async () => {
    mkdirSync(join(folder, 'data'))
    const before = process.umask(0o022)
    over.push(() => process.umask(before))
    for (const args of [['migrate'], ['user', 'add', 'ann@example.com'], ['export', 'data/rekey.jsonl']]) {
      const ran = await rekey(args, { folder, env: env(), input: 'Lighthouse-Biscuit-77\n' })
      expect(ran).toMatchObject({ code: 0 })
      expect(openIn(join(folder, 'data'))).toEqual([])
    }
    rmSync(database())
    const node = serve()
    await node.ready()
    expect(readdirSync(join(folder, 'data'))).toContain('rekey.db-wal')
    expect(openIn(join(folder, 'data'))).toEqual([])
  })

  test('F18: an engine that is started in code', async () => {
    const before = process.umask(0o022)
    over.push(() => process.umask(before))
    mkdirSync(join(folder, 'data'))
    const idp = await startEngine({ database: `sqlite:${database()}` })
    over.push(idp.close)
    expect(readdirSync(join(folder, 'data'))).toContain('rekey.db-wal')
    expect(openIn(join(folder, 'data'))).toEqual([])
  })

  test('F18: a file that other users can read already is reported at the start and by rekey doctor', async () => {
    mkdirSync(join(folder, 'data'))
    await rekey(['migrate'], { folder, env: env() })
    const finding = async () => {
      const { stdout } = await rekey(['doctor', '--json'], { folder, env: env() })
      return (JSON.parse(stdout) as Record<string, string>[]).find(({ id }) => id === 'files')
    }
    expect(await finding()).toMatchObject({ result: 'met' })
    chmodSync(database(), 0o644)
    expect(await finding()).toMatchObject({ result: 'deviates', why: expect.stringContaining(database()) })
    const node = serve()
    await node.ready()
    expect(node.log.find(({ files }) => files !== undefined)).toMatchObject({
      level: 40,
      files: expect.arrayContaining([database()]),
    })
  })
})

test('SIGHUP drains, and ends with a code by which a supervisor starts the engine again', async () => {
  mkdirSync(join(folder, 'data'))
  const node = serve()
  await node.ready()
  expect((await end(node.child, 'SIGHUP')).code).toBe(129)
  expect(node.log.map(({ msg }) => msg)).toContain('ended')
  const unit = readFileSync(join(root, 'deploy/rekey.service'), 'utf8')
  expect(unit).toMatch(/^Restart=always$/m)
  expect(unit).toMatch(/^LimitCORE=0$/m)
})

describe('the Node that it runs on', () => {
  test.each([
    ['v18.20.8', /older than Node 24/],
    ['v24.0.0', /known holes/],
    ['v24.22.0', /known holes/],
    ['v24.22.1', undefined],
    ['v24.100.0', undefined],
    ['v25.9.0', /ended/],
    ['v26.12.0', /known holes/],
    ['v26.12.1', undefined],
    ['v28.0.0', undefined],
  ])('F19: %s', (version, problem) => {
    if (problem === undefined) expect(nodeProblem(version)).toBeUndefined()
    else expect(nodeProblem(version)).toMatch(problem)
  })

  test('F19: the published package holds none, and none of the project that it is installed in is taken', async () => {
    const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder },
    })
    const [packed] = JSON.parse(listed) as { readonly files: readonly { readonly path: string }[] }[]
    const paths = packed?.files.map(({ path }) => path) ?? []
    expect(paths).toContain('bin/rekey.cjs')
    expect(paths.filter((path) => /^tools|node_modules/.test(path))).toEqual([])
    const { dependencies, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    )
    const names = Object.keys({ ...dependencies, ...optionalDependencies })
    expect(names.filter((name) => /^node-(bin|linux|darwin|win)/.test(name))).toEqual([])

    // A project with a Node of its own, in which the package is installed.
    const installed = join(folder, 'node_modules/rekey-engine')
    mkdirSync(join(installed, 'dist/cli'), { recursive: true })
    cpSync(join(root, 'bin'), join(installed, 'bin'), { recursive: true })
    writeFileSync(join(installed, 'dist/cli/main.js'), '')
    mkdirSync(join(folder, 'node_modules/.bin'))
    writeFileSync(join(folder, 'node_modules/.bin/node'), '#!/bin/sh\necho v24.99.0\n', { mode: 0o755 })
    const old = join(folder, 'old.cjs')
    writeFileSync(old, "Object.defineProperty(process, 'version', { value: 'v20.20.2' })")
    const ran = spawnSync(process.execPath, ['--require', old, join(installed, 'bin/rekey.cjs'), 'serve'], {
      encoding: 'utf8',
    })
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toMatch(/^rekey: Node 24 or newer is needed, and this is v20\.20\.2\n.*nodejs\.org/)
    expect(ran.stderr).not.toContain('npm ci')
  })

  test('F19: in a checkout an old Node serves with the pinned one, and prints that production takes the system’s', async () => {
    const old = join(folder, 'old.cjs')
    writeFileSync(old, "Object.defineProperty(process, 'version', { value: 'v20.20.2' })")
    const child = spawn(process.execPath, ['--require', old, join(root, 'bin/rekey.cjs'), 'serve', '--help'])
    const lines: string[] = []
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
    expect((await once(child, 'close'))[0]).toBe(0)
    expect(lines).toEqual([expect.stringMatching(/v20\.20\.2.*in production, install Node 24 LTS/)])
  })
})

describe('the audit of dependencies', () => {
  const audit = (path: string) =>
    spawnSync(process.execPath, [join(root, 'scripts/audit-licences.mjs'), path], { encoding: 'utf8' })

  test('passes for the lock of this repository', () => {
    const ran = audit(root)
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/^\d{3} packages in production, 0 problems$/m)
    expect(ran.status).toBe(0)
  })

  test.each([
    ['a licence that is not on the list', { license: 'AGPL-3.0' }, /has the licence AGPL-3\.0/],
    ['no licence', { license: undefined }, /has the licence none/],
    ['bytes that are not pinned', { integrity: undefined }, /is not pinned/],
    ['a named host', { resolved: 'https://packages.example.com/x.tgz' }, /names where it comes from/],
    ['an install script', { hasInstallScript: true }, /has an install script/],
    ['a deprecated package', { deprecated: 'use another' }, /is deprecated: use another/],
    ['a Node', { bin: { node: 'bin/node' } }, /brings a Node/],
  ])('finds %s', (_, change, problem) => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    Object.assign(lock.packages['node_modules/fastify'], change)
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
    cpSync(join(root, 'package.json'), join(folder, 'package.json'))
    const ran = audit(folder)
    expect(ran.stderr).toMatch(problem)
    expect(ran.stderr.trim().split('\n')).toHaveLength(1)
    expect(ran.status).toBe(1)
  })

  test('finds a client of test/clients whose bytes are not pinned', () => {
    const clients = 'test/clients/package-lock.json'
    const lock = JSON.parse(readFileSync(join(root, clients), 'utf8'))
    delete lock.packages['node_modules/openid-client'].integrity
    mkdirSync(join(folder, 'test/clients'), { recursive: true })
    writeFileSync(join(folder, clients), JSON.stringify(lock))
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(folder, file))
    const ran = audit(folder)
    expect(ran.stderr).toMatch(/^openid-client 6\.8\.9: is not pinned by SHA-512\n$/)
    expect(ran.status).toBe(1)
  })
})
