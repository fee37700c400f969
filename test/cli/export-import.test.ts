import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { databases, onEachDatabase } from '../support/postgres.ts'
import { callCommand } from '../support/terminal.ts'

const secret = 'a secret of forty characters made for a test'
const body = (file: string) => readFileSync(file, 'utf8').split('\n').slice(1)

async function installation() {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-archive-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const source = await databases[0]?.create()
  if (source === undefined) throw new Error('no database')
  onTestFinished(source.drop)
  const on = (url: string, ...words: string[]) =>
    callCommand(words, { folder, env: { DATABASE_URL: url, REKEY_SECRET: secret } })
  expect(await on(source.url, 'migrate')).toMatchObject({ code: 0 })
  const added = await callCommand(
    ['user', 'add', 'ada@example.com', '--first-name', 'Ada', '--last-name', 'Lovelace'],
    {
      folder,
      env: { DATABASE_URL: source.url, REKEY_SECRET: secret },
      answers: Array(4).fill('Correct-Horse-9-Battery'),
    },
  )
  expect(added).toMatchObject({ code: 0 })
  expect(await on(source.url, 'export', 'one.jsonl')).toMatchObject({ code: 0 })
  return { on, one: join(folder, 'one.jsonl'), file: (name: string) => join(folder, name) }
}

onEachDatabase('an export', (database) => {
  test('comes out again line by line as it went in, and a second import changes nothing', async () => {
    const { on, one, file } = await installation()
    const target = await database.create()
    onTestFinished(target.drop)
    expect(statSync(one).mode & 0o777).toBe(0o600)
    expect(await on(target.url, 'import', 'one.jsonl')).toMatchObject({ code: 0, stderr: '' })
    const again = await on(target.url, 'import', 'one.jsonl')
    expect(again.stdout).toMatch(/^0 added, [1-9]/)
    expect(await on(target.url, 'export', 'two.jsonl')).toMatchObject({ code: 0 })
    expect(body(file('two.jsonl'))).toEqual(body(one))
    expect(body(one).join('')).toMatch(/\$argon2id\$/)
  })

  test('with a broken line is not taken at all, and its hashes are not told', async () => {
    const { on, one, file } = await installation()
    const target = await database.create()
    onTestFinished(target.drop)
    const bad = [
      '{',
      '[]',
      '{"kind":"x"}',
      '{"kind":"person","id":7}',
      'x'.repeat(2_000_000),
      '['.repeat(9999),
    ]
    writeFileSync(file('bad.jsonl'), [...readFileSync(one, 'utf8').trimEnd().split('\n'), ...bad].join('\n'))
    const refused = await on(target.url, 'import', 'bad.jsonl')
    expect(refused.code).toBe(1)
    expect(refused.stderr.match(/^line \d+: /gm)).toHaveLength(bad.length)
    expect(refused.stderr).not.toMatch(/argon2/)
    expect((await on(target.url, 'import', 'one.jsonl')).stdout).toMatch(/ 0 unchanged/)
  })
})
