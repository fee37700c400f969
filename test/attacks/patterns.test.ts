import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { loadTemplates } from '../../src/delivery/index.ts'
import { findUserSchema, putUserSchema } from '../../src/directory/index.ts'
import { startEngine } from '../../src/testing/index.ts'
import { processorMs } from '../support/machine.ts'

const over: (() => unknown)[] = []
afterEach(async () => {
  for (const close of over.splice(0).reverse()) await close()
})

async function managed(options: Parameters<typeof startEngine>[0] = {}) {
  const idp = await startEngine(options)
  over.push(idp.close)
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${idp.engineUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `SSWS ${idp.apiToken}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text() }
  }
  return { idp, call }
}

const schema = (pattern: string) => ({
  definitions: { custom: { properties: { tag: { type: 'string', pattern } } } },
})
const profile = (tag: string) => ({
  profile: { login: 'ann@example.com', email: 'ann@example.com', tag },
})

/** How long the only thread of the engine, which is this one, was busy at most while the work ran. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = processorMs()
  const timer = setInterval(() => {
    longest = Math.max(longest, processorMs() - last)
    last = processorMs()
  }, 5)
  await work()
  longest = Math.max(longest, processorMs() - last)
  clearInterval(timer)
  return longest
}

// A JavaScript expression doubles with each of 28 characters; the margin is for a busy machine.
const blockMs = 3000

describe('what an administrator writes', () => {
  test.each([
    ['^(a+)+$', `${'a'.repeat(28)}!`],
    ['^(a+)+$', `${'a'.repeat(9999)}!`],
    ['^(a|aa)+$', `${'a'.repeat(9999)}!`],
    ['^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}$', `${'a'.repeat(3000)}!`],
    ['(.*a){20}', `${'a'.repeat(19)}${'b'.repeat(9000)}`],
    ['^(\\w+\\s?)*$', `${'word '.repeat(1999)}!`],
  ])('A61: the pattern %s of an attribute is matched in linear time', async (pattern, value) => {
    const { call } = await managed()
    expect((await call('POST', '/meta/schemas/user/default', schema(pattern))).status).toBe(200)
    const answers: string[] = []
    const blocked = await longestBlock(async () => {
      answers.push((await call('POST', '/users?activate=false', profile(value))).text)
    })
    expect(answers[0]).toMatch(/tag: (does not match the pattern|is too long to be matched)/)
    expect(blocked).toBeLessThan(blockMs)
  })

  test.each(['^(?=.*a).+$', '(?<!a)b', '(a)\\1', '^((a{0,30}){0,33}){0,5}$'])(
    'A61: the pattern %s, which takes more than linear time, is refused',
    async (pattern) => {
      const { call } = await managed()
      const { status, text } = await call('POST', '/meta/schemas/user/default', schema(pattern))
      expect(status).toBe(400)
      expect(text).toMatch(/tag\.pattern: cannot be matched in linear time/)
    },
  )

  test('A61: a pattern that an older version stored is ignored, with a line in the log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-patterns-'))
    over.push(() => rmSync(folder, { recursive: true }))
    const database = `sqlite:${join(folder, 'rekey.db')}`
    const { idp: before } = await managed({ database })
    const { db } = before.engine.storage
    const stored = await findUserSchema(db)
    await putUserSchema(db, { ...stored, custom: { tag: { type: 'string', pattern: '^(?!x)(a+)+$' } } })
    await before.close()

    const lines: string[] = []
    const log = createLogger({ level: 'warn', stream: { write: (line) => void lines.push(line) } })
    const { call } = await managed({ database, log })
    const ignored = lines.map((line) => JSON.parse(line)).filter(({ attribute }) => attribute !== undefined)
    expect(ignored).toMatchObject([{ attribute: 'tag' }])
    const blocked = await longestBlock(async () => {
      expect((await call('POST', '/users?activate=false', profile(`${'a'.repeat(28)}!`))).status).toBe(200)
    })
    expect(blocked).toBeLessThan(blockMs)
  })

  test.each([
    ['an unclosed tag', 'html', `<${'a'.repeat(200_000)}`],
    ['unclosed tags', 'html', '<a'.repeat(100_000)],
    ['unclosed places', 'txt', '${a'.repeat(100_000)],
    ['one long word', 'txt', 'x'.repeat(200_000)],
    ['blanks within a line', 'txt', `x${' '.repeat(200_000)}x`],
  ])('A61: a mail template with %s is read in linear time', async (_, type, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'rekey-templates-'))
    over.push(() => rmSync(folder, { recursive: true }))
    const start = type === 'html' ? '<p>${oneTimePassword}</p>\n' : '${oneTimePassword}\n'
    writeFileSync(join(folder, `ForgotPassword.${type}`), `${start}${text}\n`)
    const blocked = await longestBlock(async () => {
      await loadTemplates({ folder }).catch(() => undefined)
    })
    expect(blocked).toBeLessThan(blockMs)
  })

  test.each([
    ['a filter of groups', '/groups?filter=', `${'('.repeat(5000)}`],
    ['a filter of the log', '/logs?filter=', `eventType eq "${'\\"'.repeat(2000)}`],
    ['a search of users', '/users?search=', `profile.login sw "${'%'.repeat(3000)}`],
    ['a text to search for', '/users?q=', '%_'.repeat(2000)],
  ])('A61: %s is read in linear time', async (_, path, text) => {
    const { call } = await managed()
    const blocked = await longestBlock(() => call('GET', `${path}${encodeURIComponent(text)}`))
    expect(blocked).toBeLessThan(blockMs)
  })
})
