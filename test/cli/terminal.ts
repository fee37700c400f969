import { run } from '../../src/cli/run.ts'

/** What a command wrote, and its exit code. */
export interface Called {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in this process, on a terminal of paper; with `answers` questions are answered. */
export async function callCommand(
  words: readonly string[],
  {
    folder,
    env = {},
    answers,
  }: {
    readonly folder: string
    readonly env?: Readonly<Record<string, string>>
    readonly answers?: readonly (string | (() => Promise<string>))[]
  },
): Promise<Called> {
  const written = { stdout: '', stderr: '' }
  const left = [...(answers ?? [])]
  const ask = async () => {
    const answer = left.shift()
    if (answer === undefined) throw new Error('nobody is there to be asked')
    return typeof answer === 'string' ? answer : answer()
  }
  const code = await run(words, {
    env,
    folder,
    isRead: false,
    isInteractive: answers !== undefined,
    print(line) {
      written.stdout += `${line}\n`
    },
    note(line) {
      written.stderr += `${line}\n`
    },
    style: (_, text) => text,
    ask,
    askSecret: ask,
    progress: () => {},
    readInput: async () => '',
  })
  return { code, ...written }
}
