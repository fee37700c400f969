import { isoTime } from '../base/index.ts'
import { type Enrollment, endFactorChallenges, findEnrollments, type Person } from '../directory/index.ts'
import type { Core } from '../engine/index.ts'
import { factorId } from '../flow/index.ts'
import { sparedByReset } from '../management/index.ts'
import { passwordKey } from '../passwords/index.ts'
import { type AccountChange, isSettled } from '../people/index.ts'
import {
  type Call,
  type Command,
  CommandError,
  confirm,
  onlyArgument,
  refuseMore,
  UsageError,
  yesOption,
} from './command.ts'
import { columns } from './terminal.ts'
import { common, getPerson, where } from './user.ts'
import { withCore } from './with-core.ts'

const noticed = 'The user is notified by mail, and the system log records it. The sessions stay.'

export const userFactorsList: Command = {
  takes: 'LOGIN|ID',
  about: [
    'Lists what a user has of each authenticator besides the password: authenticator apps, phones, passkeys. "waits" says from when a factor begins a recovery that its user added without a proof of an older one, and when one is removed that its user wants gone.',
    where,
  ],
  options: common,
  examples: [
    ['rekey user factors list ada@example.com', 'the factors of Ada'],
    ["rekey user factors list ada@example.com --json | jq -r '.[].id'", 'their ids'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    const { terminal, options } = call
    await withCore(call, async (core) => {
      const person = await getPerson(core, name)
      const factors = await factorsOf(core, person)
      const removals = await removalsOf(core, person)
      if (options.json) {
        const shapes = factors.map((one) => ({ ...shapeOf(core)(one), ...waitingShape(core, one, removals) }))
        return terminal.print(JSON.stringify(shapes, null, 2))
      }
      if (factors.length === 0) return terminal.note(`${name} has no factors besides the password`)
      const rows = factors.map((one) => [
        nameOf(core, one),
        one.name ?? '',
        day(one.createdAt),
        one.lastUsedAt === null ? 'never' : day(one.lastUsedAt),
        waitsFor(core, one, removals),
        one.id,
      ])
      for (const line of columns([['factor', 'name', 'enrolled', 'last used', 'waits', 'id'], ...rows]))
        terminal.print(line)
    })
  },
}

export const userFactorsRemove: Command = {
  takes: 'LOGIN|ID FACTOR',
  about: [
    `Removes one factor of a user. FACTOR is its id, or the key of its authenticator (google_otp) where the user has one. ${noticed}`,
    where,
  ],
  options: { ...yesOption, ...common },
  examples: [
    ['rekey user factors remove ada@example.com google_otp', 'ask for confirmation'],
    ['rekey user factors remove ada@example.com uftAbCdEfGhIjKlMnOpQ --yes', 'by its id, without asking'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    const wanted = call.args[1] ?? ''
    if (wanted === '') throw new UsageError('the factor is missing: its id, or the key of its authenticator')
    refuseMore(call, 2)
    await withCore(call, async (core) => {
      const person = await getPerson(core, name)
      const factor = oneOf(core, await factorsOf(core, person), { wanted, name })
      const label = `${nameOf(core, factor)} (${factor.id})`
      await confirm(call, `remove ${label} of ${person.profile.login}`, {
        otherwise: 'no factor was removed',
      })
      const removed = await core.people.removeEnrollment(person.id, factor.id, {
        with: async (tx) => void (await endFactorChallenges(tx, person.id, factor.id)),
      })
      if (!removed) throw new CommandError(`${name} does not have this factor any more`)
      print(call, [factor], core, `removed ${label} of ${person.profile.login}`)
    })
  },
}

export const userFactorsReset: Command = {
  takes: 'LOGIN|ID',
  about: [
    `Removes all factors of a user, and enrolments that wait to be confirmed. The password stays, and a security question that only a recovery asks. ${noticed}`,
    where,
  ],
  options: { ...yesOption, ...common },
  examples: [
    ['rekey user factors reset ada@example.com', 'ask for confirmation'],
    ['rekey user factors reset ada@example.com --yes', 'remove without asking, as in a script'],
  ],
  async run(call) {
    const name = onlyArgument(call, 'the login or id')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const { id, profile } = await getPerson(core, name)
      await confirm(call, `remove all factors of ${profile.login}`, { otherwise: 'no factor was removed' })
      const keeps = await sparedByReset(core.storage.db, [...core.authenticators.values()])
      const removed = await core.people.resetFactors(id, {
        keeps,
        with: async (tx) => void (await endFactorChallenges(tx, id)),
      })
      if (removed === undefined) throw notFound(name)
      const names = removed.map((one) => nameOf(core, one)).join(', ')
      print(call, removed, core, `removed ${names === '' ? 'nothing' : names} of ${profile.login}`)
    })
  },
}

export const userFactorsKeep: Command = {
  takes: 'LOGIN|ID FACTOR',
  about: [
    'Stops the removal of a factor that its user has asked for and that waits, as the link of the notice does. FACTOR is its id, or the key of its authenticator (google_otp) where the user has one.',
    where,
  ],
  options: common,
  examples: [['rekey user factors keep ada@example.com google_otp', 'the authenticator app stays']],
  async run(call) {
    await withNamedFactor(call, async (core, person, factor) => {
      const [removal] = await removalsOf(core, person, factor)
      const isStopped = removal !== undefined && (await core.changes.stopFor(person.id, removal.id, cli))
      if (!isStopped) throw new CommandError(`nothing waits to remove ${factor.id}`)
      return 'its removal was stopped:'
    })
  },
}

export const userFactorsSettle: Command = {
  takes: 'LOGIN|ID FACTOR',
  about: [
    'Has a factor count at once, also for recoveries, that its user added without a proof of an older one: otherwise it does only after account.waitingTime. Ask the user first: a thief may have added it. FACTOR is its id, or the key of its authenticator where the user has one.',
    where,
  ],
  options: { ...yesOption, ...common },
  examples: [
    ['rekey user factors settle ada@example.com phone_number', 'ask for confirmation'],
    ['rekey user factors settle ada@example.com uftAbCdEfGhIjKlMnOpQ --yes', 'by its id, without asking'],
  ],
  async run(call) {
    await withNamedFactor(call, async (core, person, factor) => {
      const label = `${nameOf(core, factor)} (${factor.id})`
      await confirm(call, `have ${label} of ${person.profile.login} count at once`, {
        otherwise: 'it counts as late as before',
      })
      if (!(await core.people.settleEnrollment(person.id, factor.id, { by: cli })))
        throw new CommandError(`${factor.id} counts already`)
      return 'counts at once:'
    })
  },
}

/** Does something to the factor of the second argument; `work` says what was done. */
async function withNamedFactor(
  call: Call,
  work: (core: Core, person: Person, factor: Enrollment) => Promise<string>,
): Promise<void> {
  const name = onlyArgument(call, 'the login or id')
  const wanted = call.args[1] ?? ''
  if (wanted === '') throw new UsageError('the factor is missing: its id, or the key of its authenticator')
  refuseMore(call, 2)
  await withCore(call, async (core) => {
    const person = await getPerson(core, name)
    const factor = oneOf(core, await factorsOf(core, person), { wanted, name })
    const done = await work(core, person, factor)
    const after = (await factorsOf(core, person)).filter(({ id }) => id === factor.id)
    print(call, after, core, `${done} ${nameOf(core, factor)} (${factor.id}) of ${person.profile.login}`)
  })
}

const cli = { id: 'cli', type: 'SystemPrincipal' } as const

/** The removals that wait, of all factors or of one. */
const removalsOf = async (
  { changes }: Core,
  { id }: Person,
  factor?: Enrollment,
): Promise<readonly AccountChange[]> =>
  (await changes.open(id)).filter(
    ({ kind, data }) =>
      kind === 'enrollment.remove' && (factor === undefined || data.enrollmentId === factor.id),
  )

/** As the management API has them in `_embedded`; absent where nothing waits. */
function waitingShape({ clock }: Core, factor: Enrollment, removals: readonly AccountChange[]) {
  const removal = removals.find(({ data }) => data.enrollmentId === factor.id)
  const { settlesAt } = factor
  return {
    ...(settlesAt != null && !isSettled(factor, clock.now()) && { settlesAt: isoTime(settlesAt) }),
    ...(removal?.dueAt !== undefined && { waitingUntil: isoTime(removal.dueAt) }),
  }
}

function waitsFor(core: Core, factor: Enrollment, removals: readonly AccountChange[]): string {
  const { settlesAt, waitingUntil } = waitingShape(core, factor, removals)
  const minute = (time: string) => time.slice(0, 16).replace('T', ' ')
  const words = [
    settlesAt !== undefined && `recovers from ${minute(settlesAt)}`,
    waitingUntil !== undefined && `removed at ${minute(waitingUntil)}`,
  ].filter((one) => one !== false)
  return words.join(', ') || '-'
}

const day = (time: number): string => isoTime(time).slice(0, 16).replace('T', ' ')

const notFound = (name: string) => new CommandError(`there is no user "${name}"; see: rekey user list`)

const factorsOf = async ({ storage }: Core, { id }: Person): Promise<readonly Enrollment[]> =>
  (await findEnrollments(storage.db, id)).filter(({ authenticator }) => authenticator !== passwordKey)

const nameOf = ({ authenticators }: Core, { authenticator }: Enrollment): string =>
  authenticators.get(authenticator)?.displayName ?? authenticator

/** The factor that is meant: by its id, as the management API has it too, or by its authenticator. */
function oneOf(
  { authenticators }: Core,
  factors: readonly Enrollment[],
  { wanted, name }: { readonly wanted: string; readonly name: string },
): Enrollment {
  const kinds = [...authenticators.values()].flatMap(({ factor }) => factor?.kinds ?? [])
  const isIt = ({ id, authenticator }: Enrollment) =>
    id === wanted || authenticator === wanted || kinds.some((kind) => factorId(kind, id) === wanted)
  const found = factors.filter(isIt)
  const [factor] = found
  if (factor === undefined) {
    throw new CommandError(`${name} has no factor "${wanted}"; see: rekey user factors list ${name}`)
  }
  if (found.length > 1) {
    const ids = found.map(({ id }) => id).join(', ')
    throw new CommandError(`${name} has several factors of ${wanted}; give the id: ${ids}`)
  }
  return factor
}

const shapeOf =
  (core: Core) =>
  ({ id, authenticator, method, name, createdAt, updatedAt, lastUsedAt, ...enrollment }: Enrollment) => ({
    id,
    key: authenticator,
    type: core.authenticators.get(authenticator)?.type ?? authenticator,
    name: nameOf(core, { id, authenticator, method, name, createdAt, updatedAt, lastUsedAt, ...enrollment }),
    nickname: name,
    method,
    created: isoTime(createdAt),
    lastUpdated: isoTime(updatedAt),
    lastUsed: lastUsedAt === null ? null : isoTime(lastUsedAt),
  })

function print({ terminal, options }: Call, factors: readonly Enrollment[], core: Core, done: string): void {
  terminal.print(options.json ? JSON.stringify(factors.map(shapeOf(core)), null, 2) : done)
}
