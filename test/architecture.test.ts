import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Lower ranks never import higher ones, and equal ranks never each other (docs/architecture.md). */
const ranks: readonly (readonly string[])[] = [
  ['base', 'i18n'],
  ['storage', 'ui', 'outbound'],
  ['delivery', 'directory', 'clients', 'policies', 'sessions', 'interactions', 'limits', 'audit', 'brand'],
  ['passwords', 'registration', 'captcha'],
  ['people'],
  ['flow'],
  ['authenticators', 'admin'],
  ['idx', 'oidc', 'management', 'account', 'pages', 'classic'],
  ['http'],
  ['config', 'transfer'],
  ['engine'],
  ['devtools', 'workers'],
  ['index', 'testing'],
  // `rekey dev` is the environment of `devtools` on a terminal.
  ['cli'],
]

/** What stands in certain places only. */
const onlyThere: readonly (readonly [what: string, pattern: RegExp, place: RegExp])[] = [
  ['the environment', /\bprocess\.env\b/, /^cli\//],
  ['the time', /\bnew Date\b|\bDate\.(now|parse|UTC)\b/, /^base\//],
  ['randomness', /\bMath\.random\b|'node:crypto'|\bcrypto\.(subtle|random)/, /^base\//],
  ['Kysely', /'kysely(\/\w+)?'/, /^storage\/|[./]store\.ts$/],
  ['Fastify', /'fastify'|'@fastify\//, /^http\/|\/routes\.ts$/],
  ['nodemailer', /'nodemailer'/, /^delivery\/email\//],
  ['words of the wire', /\b(rel|relatesTo|accepts): /, /^idx\/wire\//],
]

/** Files that break a rule, or look as if they did, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'devtools/page-previews/samples.ts': 'has responses as they are on the wire, for the previews of pages',
  'config/reference.ts': 'shows the environment in the sample of a configuration file that it prints',
  'storage/postgres-url.ts':
    'reads PGSSLMODE, which the driver would read by itself and take a slip for no TLS',
  'authenticators/webauthn/software.ts':
    'makes the key pair of a passkey for tests: node:crypto draws keys by itself',
}

const src = join(import.meta.dirname, '../src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => file.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(file))
const textOf = (file: string): string =>
  readFileSync(join(src, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')

const partOf = (file: string): string => {
  const [first = ''] = file.split('/')
  return first.replace(/\.ts$/, '')
}
const rankOf = (file: string): number => ranks.findIndex((rank) => rank.includes(partOf(file)))

const imports = files.flatMap((file) =>
  [...textOf(file).matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)].map(([, target = '']) => ({
    file,
    target: relative(src, join(src, dirname(file), target))
      .split(sep)
      .join('/'),
  })),
)
const between = imports.filter(({ file, target }) => partOf(file) !== partOf(target))
const shown = ({ file, target }: (typeof imports)[number]): string => `${file} imports ${target}`

test('every file belongs to a part that has a rank', () => {
  expect(files.filter((file) => rankOf(file) < 0)).toEqual([])
})

describe('imports', () => {
  test('point to lower ranks', () => {
    expect(between.filter(({ file, target }) => rankOf(target) >= rankOf(file)).map(shown)).toEqual([])
  })
  test('go through the front door', () => {
    const doors = between.filter(({ target }) => !/^[\w-]+(\/index)?\.ts$/.test(target))
    expect(doors.map(shown)).toEqual([])
  })
  test('of one authenticator never lead to another', () => {
    const folder = (file: string) => file.split('/').slice(0, 2).join('/')
    const across = imports.filter(({ file, target }) =>
      [file, target].every((one) => one.split('/').length > 2 && one.startsWith('authenticators/')),
    )
    expect(across.filter(({ file, target }) => folder(file) !== folder(target)).map(shown)).toEqual([])
  })
})

test('no file imports itself through others', () => {
  const targets = Map.groupBy(imports, ({ file }) => file)
  /** Files from which a depth-first search comes back to where it is. */
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (path.includes(file) || done.has(file)) return
    for (const { target } of targets.get(file) ?? []) walk(target, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  expect(cycles).toEqual([])
})

test.each(onlyThere)('%s stands in its place only', (_, pattern, place) => {
  const found = files.filter((file) => !place.test(file) && pattern.test(textOf(file)))
  expect(found.filter((file) => exceptions[file] === undefined)).toEqual([])
})

test('an exception is a file that needs it', () => {
  const needed = onlyThere.flatMap(([, pattern, place]) =>
    files.filter((file) => !place.test(file) && pattern.test(textOf(file))),
  )
  expect(Object.keys(exceptions).filter((file) => !needed.includes(file))).toEqual([])
})

test('property tests draw through one file, which has the seed', () => {
  const root = join(src, '..')
  const drawing = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
      .map((file) => `${folder}/${file.split(sep).join('/')}`)
      .filter((file) => /^import .*'fast-check'/m.test(readFileSync(join(root, file), 'utf8'))),
  )
  expect(drawing).toEqual(['test/support/draws.ts'])
})

test('the example reaches the engine as a customer would, over HTTP alone', () => {
  const example = join(src, '../examples/web')
  const own = readdirSync(example, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.ts$/.test(file) && !/\.test\.ts$|node_modules/.test(file),
  )
  expect(
    own.filter((file) =>
      /from '[./]*(src|dist)\/|'rekey-engine/.test(readFileSync(join(example, file), 'utf8')),
    ),
  ).toEqual([])
})

test('every folder says at its door what it owns', () => {
  const doors = new Set(files.flatMap((file) => (file.includes('/') ? [`${partOf(file)}/index.ts`] : [])))
  expect(
    [...doors].filter(
      (door) => !/^\/\*\*\n( \*.*\n){1,12} \*\/\n/.test(readFileSync(join(src, door), 'utf8')),
    ),
  ).toEqual([])
})
