import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticatorsWith } from '../src/authenticators/index.ts'
import { createHasher, insecureFastHash } from '../src/passwords/index.ts'
import { type Kit, newVisitor } from '../src/testing/index.ts'
import { apiOf } from './support/management.ts'
import { enrollmentPolicy, twoFactors } from './wire/totp.ts'

const root = join(import.meta.dirname, '..')
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** The file that the recipe shows, with its path. */
function recipe(): { readonly file: string; readonly text: string } {
  const [, text = ''] =
    /\*\*Add an authenticator\.\*\*[\s\S]*?```ts\n([\s\S]*?)```/.exec(textOf('CONTRIBUTING.md')) ?? []
  const [, file = ''] = /^\/\/ (src\/\S+)\n/.exec(text) ?? []
  return { file, text }
}

describe('the recipe "Add an authenticator"', () => {
  let folder: string
  let end: () => Promise<unknown>
  let idp: Kit

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rekey-recipe-'))
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true })
    for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(folder, file))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))

    const { file, text } = recipe()
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), text)
    const index = join(folder, 'src/authenticators/index.ts')
    const before = readFileSync(index, 'utf8')
    const after = before
      .replace('import { emailAuthenticator', "import { cardAuthenticator } from './card/index.ts'\n$&")
      .replace('  totpAuthenticator,\n', '$&  cardAuthenticator,\n')
    expect(after.split('\n')).toHaveLength(before.split('\n').length + 2)
    writeFileSync(index, after)

    const script = join(folder, 'engine.ts')
    writeFileSync(
      script,
      "import { startEngine } from './src/testing/index.ts'\nconsole.log(JSON.stringify(await startEngine()))\n",
    )
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
    const ended = once(child, 'exit')
    end = async () => {
      child.kill('SIGKILL')
      await ended
    }
    const started = once(child.stdout.setEncoding('utf8'), 'data').then(([line]) => JSON.parse(String(line)))
    idp = await Promise.race([
      started,
      ended.then(([code]) => {
        throw new Error(`the engine with the recipe ended with ${code}`)
      }),
    ])
  })
  afterAll(async () => {
    await end?.()
    rmSync(folder, { recursive: true })
  })

  async function signsIn() {
    const visitor = newVisitor(idp)
    await visitor.signsIn()
    return visitor
  }

  test('compiles', async () => {
    const config = { extends: './tsconfig.json', include: ['src/authenticators'] }
    writeFileSync(join(folder, 'tsconfig.recipe.json'), JSON.stringify(config))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const child = spawn(process.execPath, [tsc, '--noEmit', '-p', 'tsconfig.recipe.json'], { cwd: folder })
    let output = ''
    for await (const part of child.stdout) output += part
    expect(output).toBe('')
  })

  test('gives one that administrators see, that is enrolled and that is asked for', async () => {
    const listed = (await apiOf(idp)('GET', '/authenticators')).list.find(({ key }) => key === 'card')
    expect(listed).toMatchObject({ name: 'Card', status: 'INACTIVE' })
    await enrollmentPolicy(idp, { card: 'REQUIRED' })

    const first = await signsIn()
    expect(first.remediations).toEqual(['select-authenticator-enroll'])
    await first.enrolls('card')
    expect(first.remediations).toEqual(['enroll-authenticator', 'select-authenticator-enroll'])
    expect((await first.answers('')).messages).toEqual(['model.validation.field.blank'])
    expect((await first.answers('1234')).messages).toEqual(['card.short'])
    expect((await first.answers('12345678')).interactionCode).toBeDefined()

    await twoFactors(idp)
    const second = await signsIn()
    const offered = second.response.body.authenticators?.value.map(({ key }) => key)
    expect(offered).toEqual(['okta_email', 'card'])
    expect((await second.selects('card')).remediations[0]).toBe('challenge-authenticator')
    const refused = await second.answers('87654321')
    expect([refused.status, ...refused.messages]).toEqual([401, 'card.wrong'])
    expect((await second.answers('12345678')).interactionCode).toBeDefined()
  })
})

test('no step, no form and nothing of the flow names an authenticator', () => {
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 1 })
  // Those that there are, and those of the protocol.
  const keys = [
    ...authenticatorsWith(hasher).keys(),
    ...['phone_number', 'webauthn', 'security_question', 'okta_verify', 'card'],
  ]
  const named = ['src/flow', 'src/idx'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => {
        const code = textOf(join(folder, file)).replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
        return keys.filter((key) => new RegExp(`['"\`]${key}\\b`).test(code)).map((key) => `${file}: ${key}`)
      }),
  )
  expect(named).toEqual([])
})
