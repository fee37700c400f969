// Runs all attacks of the corpus against the real engine and prints which of them fail, as they must.
// `--full` runs them with the numbers of the corpus: thousands of transactions, a thousand races. This takes long, so
// each finished test is reported on standard error; standard output carries only the table.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { corpus, idOf } from '../test/attacks/corpus.ts'

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message?: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

const full = process.argv.includes('--full')
const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'rekey-attacks-'))
const outputFile = join(folder, 'report.json')
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    'test/attacks',
    '--reporter=json',
    `--outputFile=${outputFile}`,
    ...(full ? ['--reporter=verbose'] : []),
  ],
  {
    cwd: root,
    stdio: ['ignore', full ? 2 : 'ignore', 'inherit'],
    env: { ...process.env, ...(full && { REKEY_ATTACKS_FULL: '1' }) },
  },
)
const report = JSON.parse(readFileSync(outputFile, 'utf8')) as Report
rmSync(folder, { recursive: true })

const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
const rows = Object.entries(corpus).map(([id, attack]) => {
  const own = tests.filter(({ title }) => idOf(title) === id)
  const passed = own.filter((test) => test.status === 'passed').length
  const failed = own.filter((test) => test.status === 'failed')
  const skipped = own.length - passed - failed.length
  // An attack without a test does not count as failed.
  const fails = passed > 0 && failed.length === 0
  return { id, attack, passed, failed, skipped, fails }
})

const width = Math.max(...rows.map(({ attack }) => attack.length))
process.stdout.write(`id   ${'attack'.padEnd(width)}  passed\n`)
for (const { id, attack, passed, failed, skipped, fails } of rows) {
  const tally = `${passed} of ${passed + failed.length}${skipped > 0 ? `, ${skipped} skipped` : ''}`
  process.stdout.write(`${id}  ${attack.padEnd(width)}  ${fails ? tally : `NO (${tally})`}\n`)
}
for (const { failed } of rows) {
  for (const { title, failureMessages = [] } of failed)
    process.stdout.write(`\n${title}\n${failureMessages[0] ?? ''}\n`)
}
for (const { name, message, assertionResults } of report.testResults) {
  if (assertionResults.length === 0) process.stdout.write(`\n${name}\n${message ?? 'no test ran'}\n`)
}

const held = rows.filter(({ fails }) => fails).length
process.stdout.write(`${held} of ${rows.length} attacks fail\n`)
process.exitCode = held === rows.length && status === 0 ? 0 : 1
