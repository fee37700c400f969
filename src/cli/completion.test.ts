import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commands } from './commands.ts'
import { run } from './run.ts'

async function printed(...words: string[]) {
  const out: string[] = []
  const notes: string[] = []
  const code = await run(words, {
    print: (text: string) => void out.push(text),
    note: (text: string) => void notes.push(text),
  } as Parameters<typeof run>[1])
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

/** The completions that bash offers after some words when Tab is pressed. */
async function offered(...words: string[]): Promise<string[]> {
  const { out } = await printed('completion', 'bash')
  const line = ['rekey', ...words]
  const script = `${out}
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${line.length - 1}
_rekey
printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')
}

describe('bash', () => {
  test('completes commands', async () => {
    const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0]))]
    expect((await offered('')).toSorted()).toEqual(firsts.toSorted())
    expect(await offered('mi')).toEqual(['migrate'])
  })

  test('completes the second word of a family', async () => {
    expect((await offered('user', '')).toSorted()).toEqual([
      'activate',
      'add',
      'erase',
      'factors',
      'list',
      'remove',
      'set-password',
    ])
  })

  test('completes options, also behind others', async () => {
    expect(await offered('dev', '--app')).toEqual(['--app-port'])
    expect(await offered('dev', '--no-app', '--js')).toEqual(['--json'])
    expect(await offered('user', 'add', '--he')).toEqual(['--help'])
  })
})

test.each(['zsh', 'fish'])('%s takes its script', async (shell) => {
  const { code, out } = await printed('completion', shell)
  expect(code).toBe(0)
  for (const { name } of commands) expect(out).toContain(name.split(' ').at(-1))
  const there = spawnSync(shell, ['-c', 'true']).status === 0
  if (there) expect(spawnSync(shell, ['-n'], { input: out }).stderr.toString()).toBe('')
})

test('a shell that is none is refused', async () => {
  expect(await printed('completion', 'cmd')).toMatchObject({ code: 2, out: '' })
  expect((await printed('completion')).notes).toContain('bash, zsh, fish')
})
