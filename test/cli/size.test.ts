import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bundled } from '../../scripts/bundled.mjs'

// What a start loads and what an installation brings, counted: the times that follow from it are benches (issue 17).
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = join(import.meta.dirname, '../..')
const dist = join(root, 'dist')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-size-'))
  writeFileSync(
    join(folder, 'hook.mjs'),
    `import { registerHooks } from 'node:module'
     const loaded = []
     registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
     process.on('exit', () => process.stdout.write('\\n' + JSON.stringify(loaded)))`,
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The files that a process loads which only imports a module of dist/. */
function loadedBy(module: string): readonly string[] {
  const ran = spawnSync(
    process.execPath,
    [
      `--import=${pathToFileURL(join(folder, 'hook.mjs'))}`,
      '--input-type=module',
      '--eval',
      `await import(${JSON.stringify(pathToFileURL(join(dist, module)).href)})`,
    ],
    { encoding: 'utf8' },
  )
  expect(ran.stderr).toBe('')
  const urls: string[] = JSON.parse(ran.stdout.split('\n').at(-1) ?? '')
  return urls.filter((url) => url.startsWith('file:') && !url.endsWith('/hook.mjs'))
}

describe('what is loaded', () => {
  test.each(['testing/index.js', 'index.js'])('by an import of %s: at most 200 files', (module) => {
    const loaded = loadedBy(module)
    expect(loaded.length).toBeGreaterThan(20)
    expect(loaded.length).toBeLessThan(200)
    const later = /node_modules\/(mailparser|smtp-server|nodemailer|qrcode|pg|@simplewebauthn|@zxcvbn-ts)\//
    expect(loaded.filter((url) => later.test(url))).toEqual([])
  })

  test('by an import of either: node:http without what it loads for fetch', () => {
    for (const file of readdirSync(join(dist, 'chunks')).filter((name) => name.endsWith('.js'))) {
      expect(readFileSync(join(dist, 'chunks', file), 'utf8'), file).not.toMatch(/from ["']node:https?["']/)
    }
  })
})

describe('what is installed', () => {
  test('the tarball has at most 1.5 MB, with the licence of each package that the bundle holds parts of', () => {
    const listed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    })
    const [packed] = JSON.parse(listed) as {
      readonly size: number
      readonly files: readonly { readonly path: string }[]
    }[]
    expect(packed?.size).toBeLessThan(1_500_000)
    const paths = packed?.files.map(({ path }) => path) ?? []
    for (const path of [
      'dist/index.js',
      'dist/testing/index.js',
      'dist/cli/main.js',
      'dist/third-party.md',
    ]) {
      expect(paths).toContain(path)
    }
    expect(paths.filter((path) => /^(src|docs\/assets)\/|\.test\.ts$/.test(path))).toEqual([])

    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    const notices = readFileSync(join(dist, 'third-party.md'), 'utf8')
    const noticed = [...notices.matchAll(/^## (\S+) (\S+)$/gm)].map(([, name, version]) => [name, version])
    expect(noticed.map(([name]) => name)).toEqual([...bundled].sort())
    for (const [name = '', version] of noticed) {
      expect(lock.packages[`node_modules/${name}`].version, name).toBe(version)
    }
  })

  test('the declarations name packages that bring their types, and pass on what is asked of them', () => {
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.d.ts'),
    )
    const texts = new Map(files.map((path) => [path, readFileSync(join(dist, path), 'utf8')]))
    const names = [...texts.values()].flatMap((text) =>
      [...text.matchAll(/(?:from|import\()\s*['"]([^.'"][^'"]*)['"]/g)].map(([, name = '']) => name),
    )
    // Of these each has its own types, and is installed with this package; those of Node are the project's (docs/install.md).
    const typed = ['fastify', 'jose', 'kysely', 'kysely/migration', 'pino', 'typebox']
    expect([...new Set(names)].filter((name) => !name.startsWith('node:') && !typed.includes(name))).toEqual(
      [],
    )
    for (const [path, text] of texts) {
      for (const [, to = ''] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
        expect(texts.has(join(dirname(path), `${to}.d.ts`)), `${path}: ${to}`).toBe(true)
      }
    }
    expect(files.filter((path) => /^(index|testing\/index)\.d\.ts$/.test(path)).length).toBe(2)
    expect(files).not.toContain(join('storage', 'postgres-pool.d.ts'))
  })

  test('the production tree has less than 200 packages, those of other platforms counted, and none that the bundle replaces', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, LockEntry>>
    }
    const found = productionOf(packages)
    const names = new Set([...found].map((path) => path.replace(/^.*node_modules\//, '')))
    expect(found.size).toBeGreaterThan(50)
    expect(found.size).toBeLessThan(200)
    const tools = ['libphonenumber-js', 'qrcode', 'yargs', 'pngjs', '@okta/okta-auth-js', 'express', 'sharp']
    expect(tools.filter((name) => names.has(name))).toEqual([])
    let bytes = 0
    for (const path of found) bytes += bytesOf(join(root, path))
    expect(bytes).toBeLessThan(60_000_000)
  })

  test('a line of the bundle is found in the sources by its map', () => {
    const ran = spawnSync(
      process.execPath,
      ['--enable-source-maps', '--input-type=module', '--eval', stackOfConfigError],
      { encoding: 'utf8', env: { ...process.env, ENTRY: pathToFileURL(join(dist, 'index.js')).href } },
    )
    expect(ran.stderr).toBe('')
    const [, file = '', line = ''] = /(src\/config\/[\w./-]+\.ts):(\d+):\d+/.exec(ran.stdout) ?? []
    expect(existsSync(join(root, file)), ran.stdout).toBe(true)
    // `if (…) {` and the one statement in it are one line of the bundle.
    const lines = readFileSync(join(root, file), 'utf8').split('\n')
    expect(lines.slice(Number(line) - 1, Number(line) + 1).join('\n')).toMatch(/throw new ConfigError/)
  })
})

interface LockEntry {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** The places in the lock of what `npm install rekey-engine` brings, for any platform. */
function productionOf(packages: Readonly<Record<string, LockEntry>>): ReadonlySet<string> {
  const placeOf = (from: string, name: string): string | undefined => {
    for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
      const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
      if (packages[place] !== undefined) return place
      if (folder === '') return undefined
      if (!folder.includes('/node_modules/')) return placeOf('', name)
    }
  }
  const found = new Set<string>()
  const visit = (place: string) => {
    const { dependencies, optionalDependencies } = packages[place] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const next = placeOf(place, name)
      if (next === undefined || found.has(next)) continue
      found.add(next)
      visit(next)
    }
  }
  visit('')
  return found
}

/** The bytes of the files of a package, without those of packages in it, and 0 where it is not for this platform. */
function bytesOf(folder: string): number {
  if (!existsSync(folder)) return 0
  let bytes = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += bytesOf(path)
    else if (entry.isFile()) bytes += statSync(path).size
  }
  return bytes
}

const stackOfConfigError = `
  const { checkConfig } = await import(process.env.ENTRY)
  try { checkConfig({ nothing: true }) } catch (error) { console.log(error.stack) }
`
