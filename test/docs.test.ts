import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// What the documents tell readers to type is run here, as it stands in them. A fenced block says by its info string
// what becomes of it: `ts run` and `sh run` are run, the lines of `sh start` are commands of this package.

const root = join(import.meta.dirname, '..')
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
  'examples/recipes/README.md',
].filter((name) => existsSync(join(root, name)))

interface Block {
  readonly file: string
  readonly line: number
  readonly info: string
  readonly text: string
  /** The line before it, where a file may be named that the block repeats. */
  readonly before: string
}

function blocksOf(file: string): Block[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const blocks: Block[] = []
  for (let line = 0; line < lines.length; line += 1) {
    const info = /^```(.+)$/.exec(lines[line] ?? '')?.[1]
    if (info === undefined) {
      if (lines[line] === '```') line = lines.indexOf('```', line + 1)
      continue
    }
    const end = lines.indexOf('```', line + 1)
    const text = `${lines.slice(line + 1, end).join('\n')}\n`
    blocks.push({ file, line: line + 1, info, text, before: lines[line - 1] ?? '' })
    line = end
  }
  return blocks
}

const blocks = documents.flatMap(blocksOf)
const marked = (info: string) =>
  blocks
    .filter((block) => block.info === info)
    .map((block) => [`${block.file}:${block.line}`, block] as const)

describe('snippets', () => {
  let engine: ChildProcess
  let idp: { issuer: string; controlUrl: string }
  let folder: string

  beforeAll(async () => {
    const ports = ['--port', '0', '--inbox-port', '0', '--smtp-port', '0']
    engine = spawn(
      process.execPath,
      [join(root, 'bin/rekey.cjs'), 'dev', '--json', '--no-app', '--data', 'memory', ...ports],
      { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const [line] = await once(createInterface({ input: engine.stdout ?? process.stdin }), 'line')
    idp = JSON.parse(String(line))
    // Within the package, so that its name resolves as in a project that depends on it.
    mkdirSync(join(root, 'tmp'), { recursive: true })
    folder = mkdtempSync(join(root, 'tmp/docs-'))
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    if (engine.exitCode !== null) return
    engine.kill('SIGTERM')
    await once(engine, 'exit')
  })

  /** The text with the usual addresses replaced by those of the engine that runs here. */
  const here = (text: string) =>
    text
      .replaceAll('http://localhost:9000', new URL(idp.issuer).origin)
      .replaceAll('http://localhost:8025', idp.controlUrl)

  test.each(marked('ts run'))('%s runs', async (_, { text, file, line }) => {
    await fetch(`${idp.controlUrl}/reset`, { method: 'POST' })
    const script = join(folder, `${file.replace(/\W/g, '-')}-${line}.ts`)
    writeFileSync(script, here(text))
    const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: folder })
    // `console.log(…) // words` says what is printed.
    const said = [...text.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, words = '']) => words)
    expect(stdout.trim().split('\n').filter(Boolean)).toEqual(said)
  })

  test.each(marked('sh run'))('%s runs', async (_, { text }) => {
    const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', here(text)], { cwd: folder })
    expect(stdout).not.toContain('"error"')
  })
})

describe('commands', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const built = ['ci', 'start', 'test', 'install', 'pack']

  test.each(marked('sh start'))('%s starts what there is', (_, { text }) => {
    for (const command of text.trim().split('\n')) {
      expect(command).toMatch(/^npm (ci|start|test|run [\w:]+)$/)
      const name = command.split(' ').at(-1) ?? ''
      expect([...built, ...Object.keys(scripts)]).toContain(name)
    }
  })

  test.each(documents)('%s names no npm script that is not there', (file) => {
    const named = [...readFileSync(join(root, file), 'utf8').matchAll(/`npm run ([\w:]*\w)(?![\w:*…])/g)]
    for (const [, name = ''] of named) expect(Object.keys(scripts)).toContain(name)
  })
})

test.each(
  blocks
    .filter(({ before }) => before.startsWith('<!-- file: '))
    .map((block) => [`${block.file}:${block.line}`, block] as const),
)('%s is the file that it names', (_, { before, text }) => {
  const path = /^<!-- file: (\S+) -->$/.exec(before)?.[1] ?? ''
  expect(text).toBe(readFileSync(join(root, path), 'utf8'))
})

test('every snippet for Node and browsers is run, or is a file that a recipe runs', () => {
  const guides = /^docs\/(quick-start|point-your-app|testing|recovery|mails|migrate|faq)\.md$/
  const loose = blocks.filter(
    ({ file, info, before }) =>
      guides.test(file) &&
      /^(ts|js|jsx|tsx|sh)\b/.test(info) &&
      !/ (run|start)$/.test(info) &&
      !before.startsWith('<!-- file: '),
  )
  expect(loose.map(({ file, line }) => `${file}:${line}`)).toEqual([])
})

describe('links', () => {
  /** As GitHub makes them: lower case, blanks to hyphens, other signs gone. */
  const anchorsOf = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .replace(/^```[\s\S]*?^```$/gm, '')
      .split('\n')
      .filter((line) => /^#{1,6} /.test(line))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, '$1')
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\- _]/gu, '')
          .replaceAll(' ', '-'),
      )

  test.each(documents)('of %s lead somewhere', (file) => {
    const prose = readFileSync(join(root, file), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
    const broken: string[] = []
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const full = path === '' ? join(root, file) : join(root, dirname(file), path)
      if (!existsSync(full) || relative(root, full).startsWith('..')) broken.push(target)
      else if (anchor !== undefined && !anchorsOf(full).includes(anchor)) broken.push(target)
    }
    expect(broken).toEqual([])
  })

  test.each(documents)('of %s reach no page of this machine but the development ones', (file) => {
    const ports = [...readFileSync(join(root, file), 'utf8').matchAll(/localhost:(\d+)/g)].map(
      ([, port]) => port,
    )
    for (const port of ports) expect(['8080', '8025', '9000', '3000', '1025', '5432']).toContain(port)
  })
})
