// Generates the table of attacks and their tests in docs/security.md. `--write` updates the document.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { corpus } from '../test/attacks/corpus.ts'

const folder = join(import.meta.dirname, '../test/attacks')
const file = join(import.meta.dirname, '../docs/security.md')
const place = /(<!-- attacks -->\n)[\s\S]*?(<!-- \/attacks -->)/

const bySection = '[RFC 9700, section by section](rfc9700.md)'

/** The test titles in a source file. Placeholders are shown as an ellipsis. */
function titlesIn(source: string): readonly (readonly [id: string, title: string])[] {
  return [
    ...source.matchAll(
      /^\s*(?:test\S*\(|test\.each\b.*\)\(|\]\)\(|\)\()?\s*(['"`])(A\d{2}): ((?:\\.|(?!\1).)*)\1/gm,
    ),
  ].map(([, , id = '', title = '']) => [
    id,
    title
      .replace(/\$\{chromium.*$/, '')
      .replace(/\$\{[^}]*\}|%[ijs]/g, '…')
      .replace(/\\(['"`])/g, '$1')
      .replaceAll('|', '\\|'),
  ])
}

/** The table in Markdown, with one row per attack. */
export function attackTable(): string {
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => ({ name, titles: titlesIn(readFileSync(join(folder, name), 'utf8')) }))
  const rows = Object.entries(corpus).map(([id, attack]) => {
    const own = sources.flatMap(({ name, titles }) =>
      titles.filter(([of]) => of === id).map(([, title]) => ({ name, title })),
    )
    // The sections of RFC 9700 have a table of their own.
    const titles = own.map(({ title }) => (title.startsWith('RFC 9700') ? bySection : title))
    const tests = [...new Set(titles)].join('<br>')
    const files = [...new Set(own.map(({ name }) => `\`${name}\``))].join(', ')
    return `| ${id} | ${attack} | ${tests} | ${files} |\n`
  })
  return `| id | attack | what the tests show | in \`test/attacks\` |\n|---|---|---|---|\n${rows.join('')}`
}

/** The document with the current table. */
export const withTable = (document: string): string =>
  document.replace(place, (_, start: string, end: string) => `${start}${attackTable()}${end}`)

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) {
  writeFileSync(file, withTable(readFileSync(file, 'utf8')))
}
