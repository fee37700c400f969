import { ProtocolError, randomLegible } from '../../base/index.ts'
import { groupIdsOf, type Person, type PersonStatus, withPassword } from '../../directory/index.ts'
import { lockoutBudget, nameSubject } from '../../flow/index.ts'
import { clearBudgets, clearBySource, keepsOutFrom, type Use, usedOf } from '../../limits/index.ts'
import { invalid, notFound, wrongStatus } from '../errors.ts'
import { flag } from '../input.ts'
import type { Answer, Call, ManagementParts, Operation } from '../operation.ts'
import { getUser } from './read.ts'
import { activationOf, type Handout, handOut, linkOf, recoveryOf } from './recovery.ts'
import { usersOf } from './wire.ts'

/** Moves a person from one of some statuses to another, by one conditional statement. */
async function move(
  call: Call,
  person: Person,
  move: {
    readonly from: readonly PersonStatus[]
    readonly to: PersonStatus
    readonly refused?: ProtocolError
    readonly handout?: Handout
  },
): Promise<{ readonly person: Person; readonly token: string | undefined }> {
  const { parts, actor } = call
  const { from: statuses, to: status, refused = wrongStatus(), handout } = move
  if (!statuses.includes(person.status)) throw refused
  let token: string | undefined
  const moved = await parts.people.change(
    person.id,
    { status },
    {
      by: actor,
      from: { statuses, refused },
      with: async (tx, changed, now) => {
        if (handout !== undefined) token = await handOut({ ...call, now }, tx, changed, handout)
      },
    },
  )
  if (moved === undefined) throw notFound(person.id, 'User')
  parts.onCommitted()
  return { person: moved, token }
}

/** With a password she is ACTIVE, without one she gets a token to choose one. */
async function activate(call: Call): Promise<Answer> {
  const person = await getUser(call)
  const refused = new ProtocolError(403, 'E0000016', 'Activation failed because the user is already active')
  const from = ['STAGED', 'DEPROVISIONED'] as const
  if ((await withPassword(call.parts.storage.db, [person.id])).has(person.id)) {
    await move(call, person, { from, to: 'ACTIVE', refused })
    return { body: {} }
  }
  const handout = activationOf(call)
  const { token } = await move(call, person, { from, to: 'PROVISIONED', refused, handout })
  return activated(call, handout, token)
}

const activated = ({ parts }: Call, { mails }: Handout, token = ''): Answer => ({
  body: mails ? {} : { activationUrl: linkOf(parts.baseUrl(), 'activation', token), activationToken: token },
})

async function reactivate(call: Call): Promise<Answer> {
  const handout = activationOf(call)
  const { token } = await move(call, await getUser(call), {
    from: ['PROVISIONED'],
    to: 'PROVISIONED',
    handout,
  })
  return activated(call, handout, token)
}

const living = [
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
] as const satisfies readonly PersonStatus[]

/** Her password is good for nothing any more, until she has set a new one: by the token, or by herself. */
async function resetPassword(call: Call): Promise<Answer> {
  const handout = recoveryOf(call, 'PasswordResetByAdmin')
  const person = await getUser(call)
  const endsSessions = flag(call.query, 'revokeSessions', false)
  const { token = '' } = await move(call, person, { from: living, to: 'RECOVERY', handout })
  if (endsSessions) await call.parts.people.endSessions(person.id, { by: call.actor })
  if (handout.mails) return { body: {} }
  return { body: { resetPasswordUrl: linkOf(call.parts.baseUrl(), 'recovery', token) } }
}

/** What counts against an account until somebody opens it again. */
async function lockingBudgets({ budgets, policies, storage }: ManagementParts, { id }: Person) {
  const policy = await policies.for({ groupIds: await groupIdsOf(storage.db, id), personId: id })
  const { maxAttempts } = policy.lockout
  const wrongPasswords = maxAttempts > 0 ? [lockoutBudget(policy, maxAttempts, true)] : []
  return [budgets.passwords, budgets.codesPerDay, budgets.codesUntilSuccess, ...wrongPasswords].map(
    (budget) => ({ budget, subject: `person:${id}` }),
  )
}

/** The shares of single sources, under each of the user's names. */
function sharesOf({ budgets, secrets }: ManagementParts, { id, profile }: Person): readonly Use[] {
  const byAccount = { ...budgets.passwords, purpose: `${budgets.passwords.purpose}-by-source` }
  const names = [...new Set([profile.login, profile.email])]
  return [
    { budget: byAccount, subject: `person:${id}` },
    ...names.map((name) => ({ budget: budgets.passwordsByName, subject: nameSubject(secrets, name) })),
  ]
}

async function unlock(call: Call): Promise<Answer> {
  const { parts, now } = call
  const person = await getUser(call)
  const budgets = await lockingBudgets(parts, person)
  const refused = new ProtocolError(403, 'E0000032', 'Unlock is not allowed for this user.')
  const used = await usedOf(parts.storage.db, budgets, now)
  // One source may have used up its share long before the account is closed to all.
  const isSpent = budgets.some(({ budget }, index) => (used[index] ?? 0) >= keepsOutFrom(budget))
  if (person.status !== 'LOCKED_OUT' && !isSpent) throw refused
  await clearBudgets(parts.storage.db, budgets)
  await clearBySource(parts.storage.db, sharesOf(parts, person))
  if (person.status === 'LOCKED_OUT') {
    await move(call, person, { from: ['LOCKED_OUT'], to: 'ACTIVE', refused })
  }
  return { body: {} }
}

async function expirePassword(call: Call): Promise<Answer> {
  const { person } = await move(call, await getUser(call), {
    from: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'PROVISIONED'],
    to: 'PASSWORD_EXPIRED',
  })
  const [user = {}] = await usersOf(call.parts, [person])
  return { body: user }
}

/** Expires the password and puts one in its place that is told here, once, and must be changed at the first sign-in. */
async function expireWithTemporary(call: Call): Promise<Answer> {
  const person = await getUser(call)
  // Four kinds of letters, so that it meets whatever a policy asks for up to this length.
  const tempPassword = `${randomLegible(call.parts.random, 16)}${randomLegible(call.parts.random, 4).toLowerCase()}-7a`
  const changed = await call.parts.people.change(
    person.id,
    { password: tempPassword, status: 'PASSWORD_EXPIRED' },
    { by: call.actor, from: { statuses: living, refused: wrongStatus() } },
  )
  if (changed === undefined) throw notFound(person.id, 'User')
  return { body: { tempPassword } }
}

const all = [...living, 'STAGED', 'SUSPENDED'] as const

const simple = (
  from: readonly PersonStatus[],
  to: PersonStatus,
  refused?: () => ProtocolError,
): Operation['handle'] => {
  return async (call) => {
    await move(call, await getUser(call), { from, to, ...(refused && { refused: refused() }) })
    return { body: {} }
  }
}

const post = (name: string, summary: string, handle: Operation['handle']): Operation => ({
  method: 'POST',
  path: `/users/:userId/lifecycle/${name}`,
  role: 'users',
  summary,
  handle,
})

export const lifecycle: readonly Operation[] = [
  post(
    'activate',
    'Activates a person; who has no password gets a mail, or with `sendEmail=false` the caller a token.',
    activate,
  ),
  post('reactivate', 'Sends the activation mail again; the token of the one before ends.', reactivate),
  post('deactivate', 'Deactivates a person and ends her sessions.', simple(all, 'DEPROVISIONED')),
  post(
    'suspend',
    'Suspends an active person and ends her sessions.',
    simple(['ACTIVE'], 'SUSPENDED', () => invalid(['status: Cannot suspend a user that is not active'])),
  ),
  post(
    'unsuspend',
    'Ends a suspension.',
    simple(['SUSPENDED'], 'ACTIVE', () => invalid(['status: Cannot unsuspend a user that is not suspended'])),
  ),
  post('unlock', 'Opens a locked account and forgets its wrong answers.', unlock),
  post(
    'reset_password',
    'Makes the password useless and mails a link to set a new one; `sendEmail=false` answers the link.',
    resetPassword,
  ),
  post('expire_password', 'Has a person choose a new password at her next sign-in.', expirePassword),
  post(
    'expire_password_with_temp_password',
    'The same, with a temporary password that is answered once.',
    expireWithTemporary,
  ),
]
