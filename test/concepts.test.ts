import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'

// Holds the code to the glossary: docs/concepts.md says which types stand for its words, and which words are not used.

/** Names and texts that use such a word for good. */
const exceptions: Readonly<Record<string, string>> = {
  everybody: 'is the subject of a budget in the database, which outlives the engine that wrote it',
  'only for tests: everybody knows this secret': 'is the key of databases that the testing kit has made',
}

const root = join(import.meta.dirname, '..')
const src = join(root, 'src')
const glossary = readFileSync(join(root, 'docs/concepts.md'), 'utf8')

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => /\.(ts|js)$/.test(file) && !/\.(test|fixture)\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(src, file), 'utf8') }))
  .map(({ file, text }) => ({ file, text, lines: text.split('\n') }))

const rowsOf = (markdown: string): readonly (readonly string[])[] =>
  markdown
    .split('\n')
    .filter((line) => /^\| (?!word )/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

const [words = '', unused = ''] = glossary.split('## Words that are not used')
const banned = rowsOf(unused).flatMap(([all = '', instead = '', places = '']) =>
  all.split(', ').map((word) => ({ word, instead, places: places.split(', ') })),
)
const bannedIn = (place: 'names' | 'comments' | 'texts') =>
  new Map(
    banned
      .filter(({ places }) => places.includes(place))
      .map(({ word, instead }) => [word, instead] as const),
  )

const exported = files.flatMap(({ file, lines }) =>
  lines.flatMap((line) => {
    const declared =
      /^export (?:default )?(?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/.exec(
        line,
      )
    // `export { a as b }`: the name that others see.
    const renamed = [...(/^export .*\{.*/.exec(line)?.[0].matchAll(/\bas (\w+)/g) ?? [])]
    return [declared, ...renamed].flatMap((match) =>
      match?.[1] === undefined ? [] : [{ file, name: match[1] }],
    )
  }),
)

/** `endTransactionsOf`: end, transactions, of. */
const partsOf = (name: string): readonly string[] =>
  name.split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_/).map((part) => part.toLowerCase())

/** The text of a comment in a line, without what stands in backticks; undefined where there is none. */
const commentIn = (line: string): string | undefined =>
  /^\s*(?:\/\*\*?|\*|\/\/)(.*)$|\s\/\/\s(.*)$/
    .exec(line)
    ?.slice(1)
    .join(' ')
    .replace(/`[^`]*`/g, '')

/** Spaces in place of what matches: the lines that follow keep their numbers. */
const blanked = (text: string, pattern: RegExp): string =>
  text.replace(pattern, (match) => match.replace(/[^\n]/g, ' '))

const documents = [
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/recipes/README.md'],
].map((file) => {
  const text = readFileSync(join(root, file), 'utf8').split('## Words that are not used')[0] ?? ''
  return { file, text: blanked(text, /```[\s\S]*?```|`[^`]*`/g) }
})

/** The strings of a source file that have more than one word, without placeholders, names in backticks and addresses. */
function stringsIn(source: string): readonly { readonly line: number; readonly text: string }[] {
  // Comments are matched too, so that a quotation mark in one begins no string.
  const pattern = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g
  return [...source.matchAll(pattern)]
    .filter(([literal]) => !literal.startsWith('/') && /\s/.test(literal))
    .map(({ 0: literal, index }) => ({
      line: source.slice(0, index).split('\n').length,
      text: blanked(literal.slice(1, -1), /\\`.*?\\`|\$\{[^}]*\}|\S+@\S+/g),
    }))
}

/** Matches a word in lower case or capitalised. In capitals it is a code of the protocol or the log, which stays. */
function wordsIn(text: string, words: ReadonlyMap<string, string>) {
  const all = [...words.keys()].join('|')
  return [...text.matchAll(new RegExp(`\\b(${all})\\b`, 'gi'))]
    .filter(([word]) => word.slice(1) === word.slice(1).toLowerCase())
    .map(({ 0: word, index }) => ({
      line: text.slice(0, index).split('\n').length,
      hint: `instead of "${word}": ${words.get(word.toLowerCase())}`,
    }))
}

describe('the glossary', () => {
  test('names types that exist', () => {
    const names = new Set(exported.map(({ name }) => name))
    const types = rowsOf(words).flatMap(([, , cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    )
    expect(types.length).toBeGreaterThan(40)
    expect(types.filter((name) => !names.has(name))).toEqual([])
  })

  test('has each word once', () => {
    const terms = rowsOf(words).map(([term = '']) => term)
    expect(terms.filter((term, index) => terms.indexOf(term) !== index)).toEqual([])
    expect(banned.map(({ word }) => word)).toHaveLength(new Set(banned.map(({ word }) => word)).size)
  })
})

describe('words that are not used', () => {
  test('stand in no exported name', () => {
    const inNames = bannedIn('names')
    expect(exported.length).toBeGreaterThan(800)
    const found = exported.flatMap(({ file, name }) =>
      partsOf(name)
        .filter((part) => inNames.has(part) && exceptions[name] === undefined)
        .map((part) => `src/${file}: ${name}: instead of "${part}": ${inNames.get(part)}`),
    )
    expect(found).toEqual([])
  })

  test('stand in no comment', () => {
    const inComments = bannedIn('comments')
    const pattern = new RegExp(`\\b(${[...inComments.keys()].join('|')})\\b`, 'gi')
    const found = files.flatMap(({ file, lines }) =>
      lines.flatMap((line, index) =>
        [...(commentIn(line)?.matchAll(pattern) ?? [])].map(
          ([word]) => `src/${file}:${index + 1}: instead of "${word}": ${inComments.get(word.toLowerCase())}`,
        ),
      ),
    )
    expect(found).toEqual([])
  })

  test('stand in no document', () => {
    const words = bannedIn('comments')
    expect(documents.length).toBeGreaterThan(25)
    const found = documents.flatMap(({ file, text }) =>
      wordsIn(text, words).map(({ line, hint }) => `${file}:${line}: ${hint}`),
    )
    expect(found).toEqual([])
  })

  test('stand in no text of the engine', () => {
    const words = bannedIn('texts')
    const texts = files.flatMap(({ file, text }) => stringsIn(text).map((one) => ({ file, ...one })))
    expect(texts.length).toBeGreaterThan(2000)
    const found = texts
      .filter(({ text }) => exceptions[text] === undefined)
      .flatMap(({ file, line, text }) =>
        wordsIn(text, words).map((one) => `src/${file}:${line + one.line - 1}: ${one.hint}`),
      )
    expect(found).toEqual([])
  })

  test('an exception is a name or a text that needs it', () => {
    const inNames = bannedIn('names')
    const inTexts = bannedIn('texts')
    const needed = new Set([
      ...exported.map(({ name }) => name).filter((name) => partsOf(name).some((part) => inNames.has(part))),
      ...files
        .flatMap(({ text }) => stringsIn(text).map((one) => one.text))
        .filter((text) => wordsIn(text, inTexts).length > 0),
    ])
    expect(Object.keys(exceptions).filter((text) => !needed.has(text))).toEqual([])
  })
})
