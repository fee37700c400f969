import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..')

async function run(...words: readonly string[]) {
  const env = { ...process.env, FORCE_COLOR: '1', NODE_OPTIONS: '' }
  const child = spawn(process.execPath, words, { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = new Promise((resolve) => child.on('close', resolve))
  return { stdout: await text(child.stdout), code: await exited }
}

/** What `.ci/run` prints in the end, of a run of these files. */
async function summaryOf(files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-report-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, source] of Object.entries(files)) writeFileSync(join(folder, name), source)
  const report = join(folder, 'report.json')
  const reporter = `--reporter=${join(root, 'scripts/test-report.mjs')}`
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  await run(vitest, 'run', '--root', folder, '--globals', reporter, `--outputFile.report=${report}`)
  return run(join(root, 'scripts/test-summary.mjs'), report)
}

test('a failure is printed with its file, what was expected and received, and its place', async () => {
  const { stdout, code } = await summaryOf({
    'a.test.js': [
      "test('passes', () => {})",
      "describe('a group', () => test('fails', () => expect({ status: 400 }).toEqual({ status: 200 })))",
      "test('is long', () => expect(Array.from({ length: 90 }, (_, n) => n)).toEqual([]))",
      "test.skip('waits', () => {})",
      "describe('of a hook', () => { beforeAll(() => { throw new Error('no server') }); test('x', () => {}) })",
    ].join('\n'),
    'b.test.js': "import './missing.js'",
  })
  const failed = stdout.split(/^(?=failed|skipped|\d)/m)
  expect(failed[0]).toBe(
    `failed: a group > fails
    a.test.js
    AssertionError: expected { status: 400 } to deeply equal { status: 200 }
    - Expected
    + Received
      {
    -   "status": 200,
    +   "status": 400,
      }
    at a.test.js:2:71
`,
  )
  expect(failed[1]?.trimEnd().split('\n')).toHaveLength(2 + 12)
  expect(failed[1]).toMatch(/^failed: is long\n[\s\S]* {4}\+ {3}0,\n[\s\S]* {4}at a\.test\.js:3:\d+\n$/)
  expect(failed[2]).toMatch(
    /^failed: the file, outside of its tests\n {4}a\.test\.js\n {4}Error: no server\n/,
  )
  expect(failed[3]).toMatch(/^failed: the file, outside of its tests\n {4}b\.test\.js\n[\s\S]*missing\.js/)
  expect(failed.slice(4)).toEqual([
    'skipped: waits\n',
    'skipped: of a hook > x\n',
    '1 passed, 4 failed, 2 skipped\n',
  ])
  expect(code).toBe(1)
})

test('a run without a failure is one line', async () => {
  expect(await summaryOf({ 'a.test.js': "test('passes', () => {})" })).toEqual({
    stdout: '1 passed, 0 failed, 0 skipped\n',
    code: 0,
  })
})

test('a run without a test has failed, and so has an error outside of the tests', async () => {
  expect(await summaryOf({ 'a.test.js': "test.skip('x', () => {})" })).toMatchObject({ code: 1 })
  const late = "test('passes', () => void setTimeout(() => { throw new Error('late') }))"
  const { stdout, code } = await summaryOf({ 'a.test.js': late })
  expect(stdout).toMatch(/^failed: an error outside of every test\n {4}Error: late\n/)
  expect(code).toBe(1)
})
