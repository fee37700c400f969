import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createLogger, ProtocolError, shownCauses } from '../base/index.ts'
import { compareKey } from '../directory/index.ts'
import { apiOn, type Core, openCore } from '../engine/index.ts'
import { openStorage, parseDatabaseUrl } from '../storage/index.ts'
import { type ImportResult, importLines, longestLine } from '../transfer/index.ts'
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
import { coreConfig, withNewCore } from './with-core.ts'

export const importing: Command = {
  takes: 'FILE',
  about: [
    'Imports a file of rekey export into SQLite or PostgreSQL, whichever the export came from. Ids stay the same. A new database is created and migrated first; on an existing one, its own built-in group and policies are used. Use - for standard input.',
    'Lines that are the same as in the database are skipped. Lines that differ are reported with their number and refused, unless --replace is given. All other lines are imported in batches: an interrupted import can be run again. The exit code is 1 if a line was refused.',
    'With --dry-run the same is done in one transaction, which is rolled back: engines on an SQLite database wait with their changes meanwhile. For a database that does not exist, or is empty, an empty one in memory is used, and nothing is created.',
    'With --okta FILE contains users in the shape of the Okta API, as a JSON array or one per line: {"profile": {...}, "credentials": {"password": {"hash": {...}}}}. Users with a password hash become ACTIVE and sign in as before; users without one become STAGED.',
  ],
  options: {
    okta: { type: 'boolean', description: 'FILE contains users in the shape of the Okta API' },
    replace: { type: 'boolean', description: 'replace rows in the database that differ from FILE' },
    'without-secrets': {
      type: 'boolean',
      description: 'import apps without their secrets, which were hashed with another REKEY_SECRET',
    },
    'dry-run': { type: 'boolean', description: 'report the result without changing anything' },
    ...configOption,
    ...dataOption,
    ...jsonOption,
  },
  examples: [
    [
      'DATABASE_URL=postgres://… rekey import people.jsonl',
      'import into a new database, before an engine starts on it',
    ],
    ['rekey import people.jsonl --dry-run', 'show which lines would be refused, and why'],
    ['rekey import --okta users.json', 'import the users of an Okta org with their password hashes'],
  ],
  async run(call) {
    const { terminal, options } = call
    const named = onlyArgument(call, 'the file')
    refuseMore(call, 1)
    if (options.okta && (options.replace || options['without-secrets'] || options['dry-run'])) {
      throw new CommandError('--okta cannot be combined with --replace, --without-secrets or --dry-run')
    }
    const onDatabase = options['dry-run'] ? withCoreForDryRun : withNewCore
    await onDatabase(call, async (core) => {
      const { input, progress } = await openInput(terminal, named)
      // The users need the built-in group and policies: create them first.
      if (options.okta) await core.seed()
      const taken = options.okta
        ? await importUsers(apiOn(core, { id: 'import', type: 'SystemPrincipal' }), input, progress)
        : await importLines(core.storage, linesOf(input), {
            secrets: core.secrets,
            people: core.people,
            replace: options.replace === true,
            withoutSecrets: options['without-secrets'] === true,
            dryRun: options['dry-run'] === true,
            progress: (lines) => progress(`${grouped(lines)} lines`),
          }).catch((error: unknown) => {
            throw error instanceof ProtocolError ? new CommandError(`${named}: ${error.description}`) : error
          })
      terminal.progress('')
      printResult(call, named, taken)
    })
  },
}

/** Like `withNewCore`, but in the place of a database that would be created there is one in memory. */
async function withCoreForDryRun(call: Call, work: (core: Core) => Promise<void>): Promise<void> {
  const config = await coreConfig(call, { migrates: true })
  const isNew = await isEmpty(config.database.url, call.terminal.folder)
  const database = isNew ? { url: 'memory', migrate: true } : { migrate: false }
  const core = await openCore(
    { ...config, database: { ...config.database, ...database } },
    { log: createLogger({ level: 'warn' }) },
  )
  try {
    await work(core)
  } finally {
    await core.storage.close()
  }
}

/** Whether a database has no tables yet, or is none. */
async function isEmpty(url: string, folder: string): Promise<boolean> {
  const address = parseDatabaseUrl(url)
  if (address.kind === 'sqlite' && !existsSync(resolve(folder, address.path))) return true
  const storage = await openStorage({ url, poolSize: 1 })
  try {
    const { pending } = await storage.schemaState()
    return pending.some((migration) => migration.startsWith('0001-'))
  } finally {
    await storage.close()
  }
}

function printResult({ terminal, options }: Call, named: string, taken: ImportResult): void {
  const { added, replaced, unchanged, refused, problems } = taken
  if (options.json) terminal.print(JSON.stringify(taken, null, 2))
  else {
    for (const line of summaryOf(problems)) terminal.note(`${named}:${line}`)
    const would = options['dry-run'] ? 'would be ' : ''
    terminal.print(`${would}added ${added}, replaced ${replaced}, unchanged ${unchanged}, refused ${refused}`)
  }
  if (refused > 0) throw new CommandError(`${refused} of the lines of ${named} were refused`)
}

/** Lines that are printed with the same reason; of all others their number. */
const mostAlike = 3

/** The refused lines, by the line: the first few with a reason, then how many more have it, and the last of them. */
function summaryOf(problems: ImportResult['problems']): readonly string[] {
  const byReason = Map.groupBy(problems, ({ why }) => why)
  const lines = [...byReason].flatMap(([why, alike]) => {
    const shown = alike.slice(0, mostAlike).map(({ line }) => ({ line, text: `${line}: ${why}` }))
    const rest = alike.slice(mostAlike)
    const [first] = rest
    const last = rest.at(-1)
    if (first === undefined || last === undefined) return shown
    const text = `${first.line}: ${why}; ${rest.length} lines, the last of them ${last.line}`
    return [
      ...shown,
      rest.length === 1 ? { line: first.line, text: `${first.line}: ${why}` } : { line: first.line, text },
    ]
  })
  return lines.toSorted((left, right) => left.line - right.line).map(({ text }) => text)
}

type Input = AsyncIterable<string>
type Progress = (description: string) => void

/** Opens the input and its progress display: a bar if the size is known. */
async function openInput(
  terminal: Terminal,
  named: string,
): Promise<{ readonly input: Input; readonly progress: Progress }> {
  if (named === '-') {
    return { input: utf8Of(process.stdin.setEncoding('utf8'), 'the input'), progress: terminal.progress }
  }
  const path = resolve(terminal.folder, named)
  // Opened here first, so that a mistyped name is reported as a missing file.
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError(`${named}: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}`)
  })
  const { size } = await file.stat()
  await file.close()
  const input = createReadStream(path, 'utf8')
  return {
    input: utf8Of(input, named),
    progress: (description) => terminal.progress(progressBar(input.bytesRead, size, description)),
  }
}

/**
 * Streamed text without the byte order mark that shells and editors of Windows put in front (RFC 8259, section 8.1, lets a
 * reader ignore it). Throws for UTF-16, which would be read as something else.
 */
async function* utf8Of(input: Input, named: string): AsyncGenerator<string> {
  let isFirst = true
  for await (const piece of input) {
    if (isFirst && (piece.startsWith('\uFFFD') || piece.includes('\0'))) {
      throw new CommandError(`${named}: is not in UTF-8 (UTF-16?): save it as UTF-8`)
    }
    yield isFirst ? piece.replace(/^\uFEFF/, '') : piece
    isFirst = false
  }
}

/** Splits streamed text into lines. A line longer than allowed is cut, so that endless input cannot fill the memory. */
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

/** Users that are created at the same time: their statements and their commits overlap. */
const atOnce = 8

/**
 * Creates the users through the management API, several at once. A refused user is reported with its line. Users that share
 * a name are created in the order of the file, so that the first one gets it; passwords in clear are hashed one after the
 * other, which the queue of hashes is made for.
 */
async function importUsers(
  api: ReturnType<typeof apiOn>,
  input: Input,
  progress: Progress,
): Promise<ImportResult> {
  const problems: { line: number; why: string }[] = []
  let added = 0
  let refused = 0
  const refuse = (line: number, why: string) => {
    refused++
    if (problems.length < 1000) problems.push({ line, why })
  }
  const create = async (line: number, user: Readonly<Record<string, unknown>>): Promise<void> => {
    const { profile } = user
    const password = passwordOf(user)
    const activate = password !== undefined && Object.keys(password).length > 0
    try {
      const body = { profile, ...(activate && { credentials: { password } }) }
      await api.call('POST', `/users?activate=${activate}`, body)
      added++
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.status >= 500) throw error
      refuse(line, shownCauses(error.causes).join('; ') || error.description)
    }
    if (added % 100 === 0) progress(`${grouped(added)} users`)
  }

  // What is under way, by all that two users must not do at once.
  const running = new Map<string, Promise<void>>()
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for await (const { line, user } of usersOf(input)) {
    if (failures.length > 0) break
    if (typeof user !== 'object' || user === null || Array.isArray(user)) {
      refuse(line, 'is not a user')
      continue
    }
    const one = user as Readonly<Record<string, unknown>>
    const keys = [...namesOf(one), ...(passwordOf(one)?.value === undefined ? [] : ['a hash'])]
    await Promise.all(keys.map((key) => running.get(key)))
    if (underWay.size >= atOnce) await Promise.race(underWay)
    const work = create(line, one)
      .catch((error) => void failures.push(error))
      .finally(() => {
        underWay.delete(work)
        for (const key of keys) if (running.get(key) === work) running.delete(key)
      })
    underWay.add(work)
    for (const key of keys) running.set(key, work)
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
  problems.sort((left, right) => left.line - right.line)
  return { added, replaced: 0, unchanged: 0, refused, problems }
}

function passwordOf({ credentials }: Readonly<Record<string, unknown>>) {
  const { password } = (credentials ?? {}) as { readonly password?: Readonly<Record<string, unknown>> }
  return password ?? undefined
}

/** The names of a user as they are compared, each marked as a name. */
const namesOf = ({ profile }: Readonly<Record<string, unknown>>): readonly string[] =>
  ['login', 'email'].flatMap((field) => {
    const name = ((profile ?? {}) as Readonly<Record<string, unknown>>)[field]
    return typeof name === 'string' ? [`name ${compareKey(name)}`] : []
  })

/** Reads users, one per line or as one array. In an array the line number is the position of the user. */
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
    if (array.length > mostUsers) throw new CommandError('the array is too large: write one user per line')
  }
  const users = parsed(array)
  if (!Array.isArray(users)) throw new CommandError('the file is neither a JSON array nor lines of JSON')
  for (const [index, user] of users.entries()) yield { line: index + 1, user }
}

/** Continues a stream of which the beginning has been read already. */
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
