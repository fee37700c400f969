// Installs the published clients of `test/clients`, which interoperability tests drive and nothing else needs: `npm run clients`,
// and every run of the tests. They have a lock of their own, so `npm ci` in the root brings none of them. Does nothing where
// the installed ones are those of the lock.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../test/clients')
const files = ['package.json', 'package-lock.json', '.npmrc']
const installed = join(folder, 'node_modules')
/** Holds the hash of the lock that the packages beside it are of. */
const stamp = join(installed, '.lock-hash')

/** A registry that takes connections and never answers is given up after this time. */
const limitMs = 240_000

const hashOfLock = () =>
  createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOfLock()

/**
 * Installs them where they are missing or another lock's. Returns why they could not be installed, in one line; undefined
 * where they are there.
 */
export async function installClients(): Promise<string | undefined> {
  if (isCurrent()) return undefined
  process.stderr.write('Installing the clients of test/clients, once …\n')
  // Beside the place, and moved there complete: a run that is stopped leaves no half of it, and two at once do not mix.
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  try {
    for (const file of files) cpSync(join(folder, file), join(temporary, file))
    const problem = await npmCi(temporary)
    if (problem !== undefined) return problem
    writeFileSync(join(temporary, 'node_modules', '.lock-hash'), hashOfLock())
    if (isCurrent()) return undefined
    rmSync(installed, { recursive: true, force: true })
    renameSync(join(temporary, 'node_modules'), installed)
    return undefined
  } catch (error) {
    return isCurrent() ? undefined : String(error)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Runs `npm ci` in a folder. Returns the line of its errors that names the cause; undefined where there are none. */
function npmCi(cwd: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // None of their install scripts is needed to run them.
    const args = [
      'ci',
      '--ignore-scripts',
      '--fetch-retries=1',
      '--fetch-retry-mintimeout=1000',
      '--fetch-timeout=60000',
    ]
    const shell = process.platform === 'win32'
    const child = spawn('npm', args, { cwd, shell, stdio: ['ignore', 'ignore', 'pipe'], timeout: limitMs })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(undefined)
      const lines = text.split('\n').map((line) => line.replace(/^npm error /, ''))
      const [cause = signal ?? `code ${code}`] = lines.filter((line) => /^code|network/.test(line))
      resolve(`npm ci in test/clients failed (${cause}); with a network, run: npm run clients`)
    })
  })
}

if (import.meta.main) {
  const problem = await installClients()
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exitCode = 1
  }
}
