import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tables } from '../../src/storage/index.ts'
import { generatedFrom, table } from './table.ts'

/** What a database must have for a statement, besides what every one has. Found in SQL and in the calls that build it. */
export const features: Readonly<Record<string, RegExp>> = {
  'on conflict': /\bon conflict\b|\.onConflict\(/i,
  returning: /\breturning\b|\.returning(?:All)?\(/i,
  'for update': /\bfor update\b(?! skip)(?!['"`$ {]*skip)|\.forUpdate\(\)(?!\s*\.skipLocked)/i,
  'skip locked': /\bskip locked\b|\.skipLocked\(/i,
  'with (a query with a name)': /\bwith(?: recursive)? \w+ (?:\([^)]*\) )?as\b|\.with(?:Recursive)?\(/i,
  'with that changes rows': /\bas (?:materialized )?\(\s*(?:insert|update|delete)\b/i,
  'with recursive': /\bwith recursive\b|\.withRecursive\(/i,
  'update … from': /\bupdate \w+ set (?:[^();`]|\([^()]*\))*?\bfrom \w/i,
  'filter (where …)': /\bfilter \(where\b|\.filterWhere\(/i,
  'comparison of rows': /\(\w+(?:, \w+)+\) [<>] \(/,
  'count(distinct …)': /count\(distinct\b/i,
  'JSON members': /->>|json_extract|jsonb|json_each/i,
  'like … escape': /\bescape '/i,
  savepoint: /\bsavepoint\b/i,
  'set local': /\bset local\b/i,
  'repeatable read, read only': /'repeatable read'|\brepeatable read\b/i,
  'advisory lock': /pg_(?:try_)?advisory/i,
  'listen, notify': /\b(?:listen|notify) "?[a-z_]+"?\s*[;`']|pg_notify/i,
  'temporary table': /create (?:temp|temporary|unlogged) table/i,
}

export const featuresOf = (text: string): readonly string[] =>
  Object.entries(features).flatMap(([name, pattern]) => (pattern.test(text) ? [name] : []))

const isOfRows =
  /\.(?:selectFrom|insertInto|updateTable|deleteFrom)\(|\b(?:insert into|delete from)\b|\bupdate \w+ set\b|\bselect\b[\s\S]*\bfrom\b|\binsert\(\s*\w+,|sql`/

const changes =
  /\.(?:insertInto|updateTable|deleteFrom)\(|\b(?:insert into|delete from|update \w+ set)\b|\binsert\(\s*\w+,/i

interface Described {
  readonly file: string
  readonly name: string
  readonly changes: boolean
  readonly tables: readonly string[]
  readonly features: readonly string[]
}

/** The statements of the source, by the function or constant that they stand in. */
export function statementsOfSource(): readonly Described[] {
  const root = join(import.meta.dirname, '../..')
  const files = globSync(['src/**/*.store.ts', 'src/storage/*.ts', 'src/oidc/*.ts', 'src/transfer/*.ts'], {
    cwd: root,
  })
    .filter((file) => !file.endsWith('.test.ts') && !file.endsWith('tables.ts'))
    .sort()
  return [...new Set(files)].flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, '')
    return declarationsOf(text).flatMap(([name, body]): Described[] => {
      const used = tablesIn(body)
      const needs = featuresOf(body)
      if ((used.length === 0 || !isOfRows.test(body)) && needs.length === 0) return []
      return [{ file, name, changes: changes.test(body), tables: used, features: needs }]
    })
  })
}

/** The declarations that begin a line, with their text. */
function declarationsOf(text: string): readonly (readonly [name: string, body: string])[] {
  const pattern = /^(?:export )?(?:async )?(?:function\*?|const|class) (\w+)/gm
  const found = [...text.matchAll(pattern)]
  return found.map(({ 1: name = '', index }, at) => [name, text.slice(index, found[at + 1]?.index)])
}

const tablesIn = (body: string): readonly string[] =>
  Object.keys(tables)
    .filter((name) =>
      new RegExp(
        `(?:From|Into|Table|Join|using)\\(\\s*\\[?['"]${name}\\b|\\b(?:from|into|update|join) "?${name}\\b|insert(?:<[^>]*>)?\\(\\s*\\w+,\\s*'${name}'`,
      ).test(body),
    )
    .sort()

export function statementsPage(): string {
  const all = statementsOfSource()
  const count = (name: string) => all.filter((one) => one.features.includes(name)).length
  const rows = Object.keys(features).map((name) => [name, count(name) === 0 ? 'none' : String(count(name))])
  return `${generatedFrom('`src/**/*.store.ts` and `src/storage`')}

# Statements

What the engine asks of PostgreSQL, so that one can say what another database with its protocol would have to offer. Generated from
the source by \`npm run docs\`; \`test/contract/statement-features.test.ts\` compares it with what reaches the driver.

## Isolation

- Changes run in transactions of the default isolation, read committed. Each change of state is one conditional statement
  (\`update … where version = …\`), so nothing is read first and written on the strength of it, but behind a lock of the row.
- A database that isolates more (serializable) is as good: a transaction that fails with 40001 or 40P01 is run again, twice.
- \`export\` and \`backup\` read in one transaction that is repeatable read and read only.
- Sequences, triggers, stored procedures, \`listen\` and \`notify\` are not used. A named lock is a row; migrations alone take an advisory lock, and a
  check of health makes a temporary table.
- Unique indexes decide who is first (names, handles, codes). Some indexes are partial (\`where\`): see \`src/storage/migrations\`.
- Migrations need changes of tables within a transaction.

## Features

${table(['feature', 'functions that use it'], rows)}

## Others that speak the protocol: not tried

For orientation; none of it was run, and none of it is checked against their present versions.

| | what to look at first |
|---|---|
| YugabyteDB | \`skip locked\` with read committed; \`update … from\`; the time of a commit over several regions |
| CockroachDB | retries (40001) under serializable; partial indexes; prepared statements after a migration |
| Citus | each statement finds its rows by one column; names are unique over all users, so \`names\` is a table of its own that is not distributed by user |

## By function

${table(
  ['file', 'function', '', 'tables', 'needs'],
  all.map(({ file, name, changes, tables, features }) => [
    `\`${file.replace(/^src\//, '')}\``,
    `\`${name}\``,
    tables.length === 0 ? '' : changes ? 'changes' : 'reads',
    tables.map((name) => `\`${name}\``).join(', '),
    features.join(', '),
  ]),
)}
`
}
