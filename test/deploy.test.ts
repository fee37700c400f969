import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { silentLogger } from '../src/base/index.ts'
import { checkConfig, devVariables, variables } from '../src/config/index.ts'
import { openEngine } from '../src/engine/index.ts'
import { type Family, scrape } from './journeys/prometheus.ts'
import { nodeSettings } from './support/nodes.ts'
import { databases } from './support/postgres.ts'
import { missing } from './support/programs.ts'

// A real process on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 240_000 })

const root = join(import.meta.dirname, '..')
const deploy = join(root, 'deploy')
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8')
const unit = read('rekey.service')
const over: (() => unknown)[] = []
afterEach(async () => {
  for (const end of over.splice(0).reverse()) await end()
})

/** The values of a setting of the unit. */
const unitValues = (name: string): string[] =>
  [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-deploy-'))
  over.push(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The lines `NAME=value` of the example; with `off`, those that are commented out. */
const exampleVariables = (off = false): [string, string][] =>
  [...read('rekey.env.example').matchAll(off ? /^#(\w+)=(.*)$/gm : /^(\w+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value],
  )

test('every variable that is named is a variable of the configuration', () => {
  const named = readdirSync(deploy).flatMap((file) =>
    [...read(file).matchAll(/\b(REKEY_[A-Z_]+|DATABASE_URL|SMTP_URL)\b/g)].map(
      ([name]) => `${file}: ${name}`,
    ),
  )
  const known = [...Object.keys(variables), ...Object.keys(devVariables)]
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((line) => !known.includes(line.split(': ')[1] ?? ''))).toEqual([])
  const set = [...exampleVariables(), ...exampleVariables(true)].map(([name]) => name)
  expect(set.filter((name) => !known.includes(name))).toEqual([])
})

test('every command, option and variable that the page for operators and the alerts name is there', () => {
  const doc = (name: string) => readFileSync(join(root, 'docs', name), 'utf8')
  const page = doc('deploy.md')
  const commands = [...doc('commands.md').matchAll(/^## rekey (.+)$/gm)].map(([, words = '']) => words)
  const texts = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)
  const called = [...texts.filter((text) => text.startsWith('rekey ')), read('alerts.yaml')].flatMap((text) =>
    [...text.matchAll(/\brekey ((?:[a-z]+[ :,.;"]?)+)/g)].map(([, words = '']) => words),
  )
  expect(called.length).toBeGreaterThan(20)
  const isCommand = (words: string) =>
    commands.some((one) => `${words} `.replace(/[:,.;"]/g, ' ').startsWith(`${one} `))
  expect(called.filter((words) => !isCommand(words))).toEqual([])

  const reference = doc('configuration.md')
  const options = texts.filter(
    (text) => /^[a-z]+(\.[a-z]+[A-Za-z]*)+$/.test(text) && !/\.(md|db|js|yaml|conf|cfg|json)/.test(text),
  )
  expect(options.length).toBeGreaterThan(10)
  expect(options.filter((option) => !reference.includes(`\`${option}\``))).toEqual([])

  const named = [...page.matchAll(/\b(REKEY_[A-Z_]+|DATABASE_URL(?:_FILE)?|SMTP_URL(?:_FILE)?)\b/g)].map(
    ([name]) => name,
  )
  expect(named.filter((name) => !(name in variables))).toEqual([])

  // Defaults that the page repeats.
  const { http, database, password, events, mail } = checkConfig({})
  expect(page).toContain(`\`http.keepAlive\`, ${http.keepAlive},`)
  expect(page).toContain(`\`REKEY_DATABASE_POOL\` (${database.poolSize})`)
  expect(page).toContain(`\`password.concurrency\` (${password.concurrency})`)
  expect(page).toContain(`\`events.retention\` (${events.retention.replace('d', ' days')})`)
  expect([events.unknownRetention, mail.suppression]).toEqual(['1d', '1d'])
  expect([http.headersTimeout, http.requestTimeout, http.connectionsPerAddress]).toEqual(['10s', '30s', 1000])
})

describe('the systemd unit', () => {
  const has = spawnSync('systemd-analyze', ['--version']).status === 0

  test.skipIf(!has)('is one that systemd understands, and exposes little', () => {
    const path = join(emptyFolder(), 'rekey.service')
    // Where systemd looks whether there is a program.
    writeFileSync(path, unit.replaceAll('/opt/rekey', root))
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    const said = verified.stderr.split('\n').filter((line) => line.includes('rekey.service'))
    expect(said).toEqual([])
    expect(verified.status).toBe(0)
    const judged = execFileSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' })
    expect(Number(/exposure level for \S+: ([\d.]+)/.exec(judged)?.[1])).toBeLessThan(2)
  })

  test('keeps the secret out of the environment', () => {
    const [name, path] = (unitValues('LoadCredential')[0] ?? '').split(':')
    expect(path).toBe('/etc/rekey/secret')
    expect(unitValues('Environment')).toEqual([`REKEY_SECRET_FILE=%d/${name}`])
    expect(exampleVariables().map(([variable]) => variable)).not.toContain('REKEY_SECRET')
  })

  test('starts an engine with what the example sets, which drains when it is told to end', async () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'secret'), 'a master secret of 32 characters or more\n')
    const [node = '', ...args] = (unitValues('ExecStart')[0] ?? '').replaceAll('/opt/rekey', root).split(' ')
    const env = {
      ...Object.fromEntries(exampleVariables()),
      REKEY_SECRET_FILE: join(folder, 'secret'),
      // What is not on this machine.
      DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
      REKEY_PORT: '0',
    }
    const child: ChildProcess = spawn(node, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'pipe'] })
    over.push(() => child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const lines: string[] = []
    const log = createInterface({ input: child.stderr as NonNullable<typeof child.stderr> })
    const ready = new Promise<void>((resolve) => {
      log.on('line', (line) => {
        lines.push(line)
        if (line.includes('"msg":"ready"')) resolve()
      })
    })
    await Promise.race([ready, ended])
    expect(lines.at(-1)).toContain('"msg":"ready"')
    const began = performance.now()
    child.kill((unitValues('KillSignal')[0] ?? '') as NodeJS.Signals)
    expect((await ended)[0]).toBe(0)
    expect((performance.now() - began) / 1000).toBeLessThan(Number(unitValues('TimeoutStopSec')[0]))
  })
})

test('the Containerfile says that nobody has built it, copies what there is and starts what the package starts', () => {
  const text = read('Containerfile')
  expect(text.split('\n')[0]).toContain('unbuilt: nobody has built this yet')
  const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  )
  expect(copied.length).toBeGreaterThan(5)
  expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
  const { bin, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(text).toContain(`/opt/rekey/${bin.rekey}`)
  // What the build reads is among it.
  expect(scripts.build).toBe('node scripts/build.mjs')
  expect(readFileSync(join(root, 'scripts/build.mjs'), 'utf8')).toContain("'tsconfig.build.json'")
  for (const path of ['tsconfig.build.json', 'scripts', 'src']) expect(copied).toContain(path)
})

describe('the Grafana dashboard', () => {
  interface Panel {
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets: readonly { readonly expr: string }[]
  }
  const { panels, templating } = JSON.parse(read('grafana-dashboard.json')) as {
    readonly panels: readonly Panel[]
    readonly templating: { readonly list: readonly { readonly name: string; readonly query?: string }[] }
  }
  const queries = [
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ query }) => (query?.includes('(') ? [query] : [])),
  ]
  const words = new Set(['by', 'job', 'unless'])
  /** The metrics of a query: names that are neither functions nor labels. */
  const metricsOf = (query: string): string[] =>
    [
      ...query
        .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\bby \([^)]*\)/g, ' ')
        .matchAll(/\b[a-zA-Z_:][\w:]*\b(?!\s*\()/g),
    ]
      .map(([name]) => name)
      .filter((name) => !words.has(name))
  const labelsOf = (query: string): string[] => [
    ...[...query.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label),
    ...[...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', ')),
  ]

  /** What engines on all databases that there are here tell, with all their labels. */
  async function told(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const labels = new Map<string, Set<string>>()
    const add = ({ samples }: Family) => {
      for (const sample of samples) {
        const known = labels.get(sample.name) ?? new Set()
        for (const label of Object.keys(sample.labels)) known.add(label)
        labels.set(sample.name, known)
      }
    }
    for (const database of databases.filter(({ skipped }) => skipped === undefined)) {
      const { url, drop } = await database.create()
      const config = checkConfig(nodeSettings('smtp://127.0.0.1:1', { database: { url } }))
      const engine = await openEngine(config, { log: silentLogger })
      await fetch(`${engine.baseUrl}/health/live`)
      await scrape(engine.baseUrl)
      for (const family of (await scrape(engine.baseUrl)).families.values()) add(family)
      await engine.close()
      await drop()
    }
    return labels
  }

  test('asks for nothing that an engine does not tell, by labels that are there', async () => {
    const known = await told()
    const isHere = (name: string) =>
      known.has('rekey_database_connections') || !name.startsWith('rekey_database_')
    expect(queries.flatMap(metricsOf).length).toBeGreaterThan(15)
    for (const query of queries) {
      const names = metricsOf(query).filter(isHere)
      expect(
        names.filter((name) => !known.has(name)),
        query,
      ).toEqual([])
      // What Prometheus itself adds to whatever it scrapes.
      const labels = new Set(['job', 'instance', ...names.flatMap((name) => [...(known.get(name) ?? [])])])
      if (names.length > 0)
        expect(
          labelsOf(query).filter((label) => !labels.has(label)),
          query,
        ).toEqual([])
    }
  })

  const { groups } = parse(read('alerts.yaml')) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert: string; readonly expr: string }[]
    }[]
  }
  const rules = groups.flatMap((group) => group.rules)

  test('and no alert rule does either', async () => {
    const known = await told()
    const isHere = (name: string) =>
      // What Prometheus itself writes about whatever it scrapes.
      name !== 'up' && (known.has('rekey_database_connections') || name !== 'rekey_database_waiting')
    for (const { alert, expr } of rules) {
      const names = metricsOf(expr).filter(isHere)
      expect(
        names.filter((name) => !known.has(name)),
        alert,
      ).toEqual([])
      const labels = new Set(['job', 'instance', ...names.flatMap((name) => [...(known.get(name) ?? [])])])
      if (names.length > 0)
        expect(
          labelsOf(expr).filter((label) => !labels.has(label)),
          alert,
        ).toEqual([])
    }
  })

  const why = missing('promtool')
  test.skipIf(why !== undefined)(
    `the alert rules are valid and each fires when it shall${why ? `: ${why}` : ''}`,
    () => {
      const check = (...args: string[]) => spawnSync('promtool', args, { cwd: deploy, encoding: 'utf8' })
      const checked = check('check', 'rules', 'alerts.yaml')
      expect([checked.status, checked.stderr]).toEqual([0, ''])
      expect(checked.stdout).toContain(`${rules.length} rules found`)
      const tried = check('test', 'rules', 'alerts.test.yaml')
      expect([tried.status, tried.stdout]).toEqual([0, expect.stringContaining('SUCCESS')])
      // Each of them both ways.
      for (const { alert } of rules)
        expect(read('alerts.test.yaml').split(`alertname: ${alert}`)).toHaveLength(3)
    },
  )

  test.skipIf(why !== undefined)(
    `the dashboard has valid expressions, and /metrics a valid text${why ? `: ${why}` : ''}`,
    async () => {
      const folder = emptyFolder()
      const expressions = queries.filter((query) => !query.startsWith('label_values'))
      const file = {
        groups: [
          { name: 'dashboard', rules: expressions.map((expr, index) => ({ record: `q${index}`, expr })) },
        ],
      }
      // JSON is YAML.
      writeFileSync(join(folder, 'dashboard.json'), JSON.stringify(file))
      const checked = spawnSync('promtool', ['check', 'rules', join(folder, 'dashboard.json')], {
        encoding: 'utf8',
      })
      expect([checked.status, checked.stderr]).toEqual([0, ''])
      const engine = await openEngine(checkConfig(nodeSettings('smtp://127.0.0.1:1')), { log: silentLogger })
      over.push(() => engine.close())
      await scrape(engine.baseUrl)
      const { text } = await scrape(engine.baseUrl)
      const linted = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      expect([linted.status, linted.stderr]).toEqual([0, ''])
    },
  )

  test('shows whatever an engine tells', async () => {
    const shown = new Set(queries.flatMap(metricsOf))
    const missing = [...(await told()).keys()].filter(
      (name) => !shown.has(name) && !/_(sum|count)$/.test(name),
    )
    expect(missing).toEqual([])
  })

  test('and docs/deploy.md explains the same figures, with their labels', async () => {
    const text = readFileSync(join(root, 'docs/deploy.md'), 'utf8')
    const explained = new Map(
      [...text.matchAll(/`((?:rekey|process)_[a-z_]+)(?:\{([a-z,]+)\})?`/g)].map(([, name = '', labels]) => [
        name,
        labels?.split(',') ?? [],
      ]),
    )
    const known = await told()
    if (!known.has('rekey_database_connections')) return
    const names = [...known.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ''))
    // Of a node with several workers alone, as its page says (test/cli/workers.test.ts).
    const ofWorkers = ['rekey_workers', 'rekey_worker_exits_total']
    const explainedHere = [...explained.keys()].filter((name) => !ofWorkers.includes(name))
    expect(explainedHere.filter((name) => !names.includes(name))).toEqual([])
    expect(names.filter((name) => !explained.has(name))).toEqual([])
    for (const [name, labels] of explained) {
      const own = [...(known.get(name) ?? known.get(`${name}_count`) ?? [])]
      if (labels.length > 0) expect(own.sort(), name).toEqual(labels.toSorted())
    }
  })

  test('has panels that do not lie upon each other', () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

test('the health check of the image asks whether the process lives: a database that is away kills no container', () => {
  const [check = ''] = /^HEALTHCHECK[\s\S]*?^\s+CMD .*$/m.exec(read('Containerfile')) ?? []
  expect(check).toContain('/health/live')
  expect(check).not.toContain('/health/ready')
})
