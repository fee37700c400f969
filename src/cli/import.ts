import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ProtocolError } from '../base/index.ts'
import { apiOn } from '../engine/index.ts'
import { importLines, longestLine, type Taken } from '../transfer/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  onlyArgument,
  refuseMore,
} from './command.ts'
import { grouped, progressBar } from './progress.ts'
import type { Terminal } from './terminal.ts'
import { withNewCore } from './with-core.ts'

export const importing: Command = {
  takes: 'FILE',
  about: [
    'Takes in what rekey export has written, on SQLite or PostgreSQL, whichever it came from. Ids stay what they are. A new database is made and brought up to date first; where an engine has been already, the group and the policies that are built in are those that it has made. - is standard input.',
    'What is there already and is the same stays; what differs is told with its line and not taken, unless --replace is given. All other lines are taken, in batches, so that an import that was broken off is simply run again. Ends with 1 where a line was not taken.',
    'With --okta FILE holds users as the Okta API has them, as a JSON array or one a line: {"profile": {...}, "credentials": {"password": {"hash": {...}}}}. Who comes with a hash is ACTIVE and signs in as before; who comes without is STAGED.',
  ],
  options: {
    okta: { type: 'boolean', words: 'FILE holds users in the shape of the Okta API' },
    replace: { type: 'boolean', words: 'put what FILE says in place of what is there and differs' },
    'without-secrets': {
      type: 'boolean',
      words: 'take apps without their secrets, which were hashed under another REKEY_SECRET',
    },
    'dry-run': { type: 'boolean', words: 'say what would become of it, and keep nothing' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    [
      'DATABASE_URL=postgres://… rekey import people.jsonl',
      'into a new database, before an engine starts on it',
    ],
    ['rekey import people.jsonl --dry-run', 'what would not be taken, and why?'],
    ['rekey import --okta users.json', 'people of an Okta org, with the hashes of their passwords'],
  ],
  async run(call) {
    const { terminal, options } = call
    const named = onlyArgument(call, 'the file')
    refuseMore(call, 1)
    if (options.okta && (options.replace || options['without-secrets'] || options['dry-run'])) {
      throw new CommandError('--okta goes with none of --replace, --without-secrets and --dry-run')
    }
    await withNewCore(call, async (core) => {
      const { input, progress } = await openInput(terminal, named)
      // Users come into the groups and under the policies that every installation has.
      if (options.okta) await core.seed()
      const taken = options.okta
        ? await takeUsers(apiOn(core, { id: 'import', type: 'SystemPrincipal' }), input, progress)
        : await importLines(core.storage, linesOf(input), {
            secrets: core.secrets,
            replace: options.replace === true,
            withoutSecrets: options['without-secrets'] === true,
            dryRun: options['dry-run'] === true,
            progress: (lines) => progress(`${grouped(lines)} lines`),
          }).catch((error: unknown) => {
            throw error instanceof ProtocolError ? new CommandError(`${named}: ${error.description}`) : error
          })
      terminal.progress('')
      tell(call, named, taken)
    })
  },
}

function tell({ terminal, options }: Call, named: string, taken: Taken): void {
  const { added, replaced, unchanged, refused, problems } = taken
  if (options.json) terminal.print(JSON.stringify(taken, null, 2))
  else {
    for (const { line, why } of problems) terminal.note(`${named}:${line}: ${why}`)
    const would = options['dry-run'] ? 'would be ' : ''
    terminal.print(
      `${would}added ${added}, replaced ${replaced}, unchanged ${unchanged}, not taken ${refused}`,
    )
  }
  if (refused > 0) throw new CommandError(`${refused} of the lines of ${named} were not taken`)
}

type Input = AsyncIterable<string>
type Progress = (words: string) => void

/** What is read, and who shows how far it is: as a bar where it is known how much there is. */
async function openInput(
  terminal: Terminal,
  named: string,
): Promise<{ readonly input: Input; readonly progress: Progress }> {
  if (named === '-') return { input: process.stdin.setEncoding('utf8'), progress: terminal.progress }
  const path = resolve(terminal.folder, named)
  // Opened first, so that a name that was mistyped is told as one.
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`${named}: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}`)
  })
  const { size } = await file.stat()
  await file.close()
  const input = createReadStream(path, 'utf8')
  return { input, progress: (words) => terminal.progress(progressBar(input.bytesRead, size, words)) }
}

/** The lines of a text that comes in pieces. Of one that is endless no more is kept than tells that it is too long. */
async function* linesOf(input: Input): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of input) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > longestLine) rest = rest.slice(0, longestLine + 1)
  }
  if (rest !== '') yield rest
}

const mostUsers = 64 * 1024 * 1024

/** Creates each user as the API would, one after the other: a hash that was not taken is told with her line. */
async function takeUsers(api: ReturnType<typeof apiOn>, input: Input, progress: Progress): Promise<Taken> {
  const problems: { line: number; why: string }[] = []
  let added = 0
  let refused = 0
  const refuse = (line: number, why: string) => {
    refused++
    if (problems.length < 1000) problems.push({ line, why })
  }
  for await (const { line, user } of usersOf(input)) {
    if (typeof user !== 'object' || user === null || Array.isArray(user)) {
      refuse(line, 'is no user')
      continue
    }
    const { profile, credentials } = user as Readonly<Record<string, unknown>>
    const password = (credentials as { readonly password?: object } | undefined)?.password
    const activate = password !== undefined && password !== null && Object.keys(password).length > 0
    try {
      const body = { profile, ...(activate && { credentials: { password } }) }
      await api.call('POST', `/users?activate=${activate}`, body)
      added++
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.status >= 500) throw error
      refuse(line, error.causes.join('; ') || error.description)
    }
    if (added % 100 === 0) progress(`${grouped(added)} people`)
  }
  return { added, replaced: 0, unchanged: 0, refused, problems }
}

/** One a line, or all in an array; of an array the line is which of them it is. */
async function* usersOf(input: Input): AsyncGenerator<{ readonly line: number; readonly user: unknown }> {
  const pieces = input[Symbol.asyncIterator]()
  let begin = ''
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    begin += next.value
    if (begin.trimStart() !== '') break
  }
  if (!begin.trimStart().startsWith('[')) {
    let line = 0
    for await (const text of linesOf(resumed(begin, pieces))) {
      line++
      if (text.trim() !== '') yield { line, user: parsed(text) }
    }
    return
  }
  let array = ''
  for await (const piece of resumed(begin, pieces)) {
    array += piece
    if (array.length > mostUsers) throw new CommandError('the array is too large: write one user a line')
  }
  const users = parsed(array)
  if (!Array.isArray(users)) throw new CommandError('the file is no JSON array, and no lines of JSON')
  for (const [index, user] of users.entries()) yield { line: index + 1, user }
}

/** What was read already, and the rest. */
async function* resumed(begin: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield begin
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
