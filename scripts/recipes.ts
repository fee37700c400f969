// Installs and tests all recipes of examples/recipes, or those given by name: `npm run recipes`.
// Each recipe is a package with its own lock file, and uses the built engine of this working copy.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium } from '../test/support/chromium.ts'

const folder = join(import.meta.dirname, '../examples/recipes')
const wanted = process.argv.slice(2)
const names = (await readdir(folder, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'package.json')))
  .map(({ name }) => name)
  .filter((name) => wanted.length === 0 || wanted.includes(name))

const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`there is no recipe ${unknown.join(', ')} in examples/recipes\n`)
  process.exit(2)
}

const chromium = findChromium()
const env = { ...process.env, ...(chromium !== undefined && { CHROMIUM_PATH: chromium }) }

/** Runs npm in a recipe and shows its output. Resolves with true on success. */
function npm(name: string, ...parameters: string[]): Promise<boolean> {
  const child = spawn('npm', parameters, { cwd: join(folder, name), env, stdio: 'inherit' })
  return new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}

interface Result {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'not installed'
  readonly seconds: number
}

async function runRecipe(name: string): Promise<Result> {
  const before = performance.now()
  process.stdout.write(`\n── ${name}\n`)
  // Without install scripts: no recipe needs them, and those of this package would build it for every recipe.
  const installed = await npm(name, 'ci', '--ignore-scripts', '--no-audit', '--no-fund')
  const passed = installed && (await npm(name, 'test'))
  const outcome = passed ? 'passed' : installed ? 'failed' : 'not installed'
  return { name, outcome, seconds: (performance.now() - before) / 1000 }
}

const results: Result[] = []
for (const name of names) results.push(await runRecipe(name))

const width = Math.max(...names.map(({ length }) => length))
process.stdout.write('\n')
for (const { name, outcome, seconds } of results) {
  process.stdout.write(`${name.padEnd(width)}  ${outcome.padEnd(13)}  ${seconds.toFixed(1)} s\n`)
}
const passed = results.filter(({ outcome }) => outcome === 'passed').length
process.stdout.write(`${passed} of ${results.length} recipes pass\n`)
process.exitCode = passed === results.length ? 0 : 1
