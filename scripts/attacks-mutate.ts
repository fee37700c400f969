// Mutation tests: removes each defence from a copy of the source and runs the tests of its attack, which must fail.
// `--only A07,A08` runs the mutations of some attacks, `--files src/delivery,src/brand/png.ts` those of some files,
// `--tests brand-api,links` those whose tests are in these files.
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { idOf } from '../test/attacks/corpus.ts'
import { type Mutation, mutated, mutations } from '../test/attacks/mutations.ts'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: { only: { type: 'string' }, files: { type: 'string' }, tests: { type: 'string' } },
})
const [only, files, suites] = [values.only, values.files, values.tests].map((list) => list?.split(','))
const wanted = mutations.filter(
  ({ attack, file, tests }) =>
    (only?.includes(attack) ?? true) &&
    (files?.some((path) => file.startsWith(path)) ?? true) &&
    (suites?.includes(tests) ?? true),
)
const parts = ['src', 'test', 'scripts', 'examples/web', 'package.json', 'tsconfig.json', 'vitest.config.ts']

/** Creates a copy of the source for a worker, with a link to the installed packages. */
function newTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'rekey-mutation-'))
  for (const part of parts) {
    mkdirSync(join(tree, part, '..'), { recursive: true })
    cpSync(join(root, part), join(tree, part), {
      recursive: true,
      filter: (path) => !path.includes('node_modules'),
    })
  }
  for (const folder of ['node_modules', 'test/clients/node_modules']) {
    if (existsSync(join(root, folder))) symlinkSync(join(root, folder), join(tree, folder))
  }
  return tree
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}

/** The results of the tests of an attack in a tree. With `bail` the run stops at the first failure. */
async function resultsIn(tree: string, { attack, tests, on }: Mutation, bail: boolean) {
  const output = join(tree, 'report.json')
  rmSync(output, { force: true })
  const vitest = join(tree, 'node_modules/vitest/vitest.mjs')
  const file = `test/attacks/${tests}.test.ts`
  // Tests for both databases run on SQLite, which is faster, except for what only row locks can show.
  const quick = `^(?!.*\\(${on === 'postgres' ? 'sqlite' : 'postgres'}\\)).*${attack}: `
  const reporting = ['--reporter=json', `--outputFile=${output}`, ...(bail ? ['--bail=1'] : [])]
  const child = spawn(process.execPath, [vitest, 'run', file, '-t', quick, ...reporting], {
    cwd: tree,
    stdio: 'ignore',
  })
  await new Promise((resolve) => child.on('exit', resolve))
  const report = JSON.parse(readFileSync(output, 'utf8')) as Report
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  return results.filter(({ title }) => idOf(title) === attack)
}

/** The title of the failed test, or undefined if no test failed. */
async function caughtBy(tree: string, mutation: Mutation): Promise<string | undefined> {
  const quick = await resultsIn(tree, mutation, true)
  // A run that stops early may end without results.
  const results = quick.length > 0 ? quick : await resultsIn(tree, mutation, false)
  if (results.length === 0)
    throw new Error('no test of the attack was found: check that the source still loads')
  return results.find(({ status }) => status === 'failed')?.title
}

let failures = 0
const printResult = (mutation: Mutation, result: string): void => {
  process.stdout.write(`${mutation.attack}  without ${mutation.without}\n     ${result}\n`)
}

async function work(queue: Mutation[]): Promise<void> {
  const tree = newTree()
  for (let mutation = queue.shift(); mutation !== undefined; mutation = queue.shift()) {
    const file = join(tree, mutation.file)
    const original = readFileSync(file, 'utf8')
    try {
      writeFileSync(file, mutated(original, mutation))
      const caught = await caughtBy(tree, mutation)
      if (caught === undefined) failures++
      printResult(mutation, caught === undefined ? 'NOT CAUGHT' : `caught by "${caught}"`)
    } catch (error) {
      failures++
      printResult(mutation, `DOES NOT APPLY: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      writeFileSync(file, original)
    }
  }
  rmSync(tree, { recursive: true, force: true })
}

const queue = [...wanted]
await Promise.all(
  Array.from({ length: Math.max(2, Math.floor(availableParallelism() / 2)) }, () => work(queue)),
)
process.stdout.write(
  `${wanted.length - failures} of ${wanted.length} defences are covered by a failing test\n`,
)
process.exitCode = failures === 0 && wanted.length > 0 ? 0 : 1
