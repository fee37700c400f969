import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

// The scripts of the pages are JavaScript that is served as it is. `npm run types` checks them like the rest.

const root = join(import.meta.dirname, '..')
const scripts = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.js'),
)

/** What the compiler of this repository says about a project; empty where nothing is wrong. */
function compile(project: string): string {
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    return execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' })
  } catch (error) {
    return String((error as { readonly stdout?: string }).stdout)
  }
}

test('all scripts of pages are checked, and by npm run types', () => {
  expect(scripts.length).toBeGreaterThan(8)
  for (const file of scripts) {
    const text = readFileSync(join(root, 'src', file), 'utf8')
    expect(text.startsWith('// @ts-check\n'), file).toBe(true)
    expect(text, file).not.toMatch(/@ts-(ignore|expect-error|nocheck)/)
  }
  const { scripts: commands } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(commands.types).toContain('tsc -p tsconfig.browser.json')
  expect(commands.check).toContain('npm run types')
})

test('a type error in a script of a page fails the check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-scripts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['tsconfig.json', 'tsconfig.browser.json']) cpSync(join(root, name), join(folder, name))
  for (const file of scripts) cpSync(join(root, 'src', file), join(folder, 'src', file), { recursive: true })
  const project = join(folder, 'tsconfig.browser.json')
  expect(compile(project)).toBe('')
  for (const [file, slip] of [
    ['admin/users.js', "byId('search').value.trim()"],
    ['devtools/assets/inbox.js', "document.getElementById('subject').focus()"],
    ['ui/dom.js', 'announce(1)'],
  ] as const) {
    const path = join(folder, 'src', file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, `${text}\n${slip}\n`)
    expect(compile(project), file).toContain(`src/${file}`)
    writeFileSync(path, text)
  }
})
