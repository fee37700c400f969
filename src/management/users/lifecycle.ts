import { Type } from 'typebox'
import { apiError, type ProtocolError, randomLegible } from '../../base/index.ts'
import {
  findUserSchema,
  groupIdsOf,
  lockPerson,
  type Person,
  type PersonStatus,
  usersEnrolledIn,
} from '../../directory/index.ts'
import { lockoutBudget, nameSubject } from '../../flow/index.ts'
import {
  clearBudgets,
  clearBySource,
  keepsOutFrom,
  mostUsedBySource,
  type Use,
  usedOf,
} from '../../limits/index.ts'
import { passwordKey } from '../../passwords/index.ts'
import { tokenLink } from '../../people/index.ts'
import { missingFields } from '../../registration/index.ts'
import { invalid, notFound, wrongStatus } from '../errors.ts'
import {
  type Answer,
  type Call,
  type Context,
  type ManagementParts,
  type Operation,
  operation,
} from '../operation.ts'
import { getUser } from './read.ts'
import {
  activationTokenRequest,
  issueUserToken,
  recoveryTokenRequest,
  type UserTokenRequest,
} from './recovery.ts'
import {
  type Mailing,
  mailing,
  noticed,
  type Revoking,
  revoking,
  token as tokenSchema,
  user,
} from './schema.ts'
import { renderUsers } from './wire.ts'

/** Changes the status of a user by one conditional statement, and issues a token where one is requested. */
async function changeStatus(
  call: Context,
  person: Person,
  change: {
    readonly from: readonly PersonStatus[]
    readonly to: PersonStatus
    readonly refused?: ProtocolError
    readonly tokenRequest?: UserTokenRequest
    readonly endsSessions?: boolean
  },
): Promise<{ readonly person: Person; readonly token: string | undefined }> {
  const { parts, actor } = call
  const { from: statuses, to: status, refused = wrongStatus(), tokenRequest, endsSessions = false } = change
  if (!statuses.includes(person.status)) throw refused
  let token: string | undefined
  const moved = await parts.people.change(
    person.id,
    { status },
    {
      by: actor,
      from: { statuses, refused },
      announced: tokenRequest?.sendsMail === true,
      endsSessions,
      with: async (tx, changed, now) => {
        if (tokenRequest !== undefined)
          token = await issueUserToken({ ...call, now }, tx, changed, tokenRequest)
      },
    },
  )
  if (moved === undefined) throw notFound(person.id, 'User')
  parts.onCommitted()
  return { person: moved, token }
}

/** Activates a user: ACTIVE with a password, else PROVISIONED with a token to set one. */
async function activate(call: Call<unknown, Mailing>): Promise<Answer> {
  const person = await getUser(call)
  const refused = apiError('E0000016')
  const from = ['STAGED', 'DEPROVISIONED'] as const
  if ((await usersEnrolledIn(call.parts.storage.db, [person.id], passwordKey)).has(person.id)) {
    await changeStatus(call, person, { from, to: 'ACTIVE', refused })
    return { body: {} }
  }
  const tokenRequest = activationTokenRequest(call.query.sendEmail)
  const { token } = await changeStatus(call, person, { from, to: 'PROVISIONED', refused, tokenRequest })
  return activationAnswer(call, tokenRequest, token)
}

const activationAnswer = ({ parts }: Context, { sendsMail }: UserTokenRequest, token = ''): Answer => ({
  body: sendsMail
    ? {}
    : { activationUrl: tokenLink(parts.baseUrl(), 'activation', token), activationToken: token },
})

async function reactivate(call: Call<unknown, Mailing>): Promise<Answer> {
  const tokenRequest = activationTokenRequest(call.query.sendEmail)
  const { token } = await changeStatus(call, await getUser(call), {
    from: ['PROVISIONED'],
    to: 'PROVISIONED',
    tokenRequest,
  })
  return activationAnswer(call, tokenRequest, token)
}

/** The statuses of users that have been activated and are neither suspended nor deactivated. */
const activatedStatuses = [
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
] as const satisfies readonly PersonStatus[]

/**
 * Invalidates the password and ends the sessions, unless `revokeSessions=false` keeps them: who resets a password because of
 * a theft must not leave the thief signed in. A new one is set by the token, or by a recovery that the user begins.
 */
async function resetPassword(call: Call<unknown, Mailing & Revoking>): Promise<Answer> {
  const tokenRequest = recoveryTokenRequest(call.query.sendEmail, 'PasswordResetByAdmin')
  const person = await getUser(call)
  // A new password makes the user active: what the activation has still to ask for would never be asked (issue 15).
  if (person.status === 'PROVISIONED' && (await lacksForActivation(call.parts, person))) throw wrongStatus()
  const { token = '' } = await changeStatus(call, person, {
    from: person.status === 'PROVISIONED' ? ['PROVISIONED'] : activatedStatuses,
    to: 'RECOVERY',
    tokenRequest,
    endsSessions: call.query.revokeSessions,
  })
  if (tokenRequest.sendsMail) return { body: {} }
  return { body: { resetPasswordUrl: tokenLink(call.parts.baseUrl(), 'recovery', token) } }
}

/**
 * Whether the activation that a user waits for has still to ask for terms, or, of who was invited, for required attributes. By the built-in
 * profile enrollment policy, since no app is named here.
 */
async function lacksForActivation(
  { policies, storage }: ManagementParts,
  { profile, terms: agreed }: Person,
) {
  const registration = await policies.registration({ clientId: '' })
  const { attributes, byInvitation } = registration
  const terms = registration.terms?.version === agreed?.version ? undefined : registration.terms
  if (terms === undefined && !byInvitation) return false
  const asked = { attributes: byInvitation ? attributes : [], terms }
  return missingFields(asked, await findUserSchema(storage.db), profile).length > 0
}

/** The budgets that can keep an account locked until an administrator unlocks it. */
async function lockingBudgets({ budgets, policies, storage }: ManagementParts, { id }: Person) {
  const policy = await policies.for({ groupIds: await groupIdsOf(storage.db, id), personId: id })
  const { maxAttempts } = policy.lockout
  const wrongPasswords = maxAttempts > 0 ? [lockoutBudget(policy, maxAttempts, true)] : []
  return [budgets.passwords, budgets.codesPerDay, budgets.codesUntilSuccess, ...wrongPasswords].map(
    (budget) => ({ budget, subject: `person:${id}` }),
  )
}

/** What is counted by single sources and authenticators: the beginning of the subject, by account and by each name. */
function sharesOf({ budgets, secrets }: ManagementParts, { id, profile }: Person): readonly Use[] {
  const { otpPerDay, otpUntilSuccess, passwords } = budgets
  const names = [...new Set([profile.login, profile.email])]
  return [
    ...[passwords, otpPerDay, otpUntilSuccess].flatMap((pool) => [
      { budget: pool, subject: `person:${id}` },
      { budget: { ...pool, purpose: `${pool.purpose}-by-source` }, subject: `person:${id}` },
    ]),
    ...names.map((name) => ({ budget: budgets.passwordsByName, subject: nameSubject(secrets, name) })),
  ]
}

async function unlock(call: Context): Promise<Answer> {
  const { parts, now } = call
  const person = await getUser(call)
  const budgets = await lockingBudgets(parts, person)
  const refused = apiError('E0000032')
  const shares = sharesOf(parts, person)
  const used = await usedOf(parts.storage.db, budgets, now)
  const usedByOne = await mostUsedBySource(parts.storage.db, shares, now)
  // One source may have used up its share long before the account is closed to all.
  const isSpent =
    budgets.some(({ budget }, index) => (used[index] ?? 0) >= keepsOutFrom(budget)) ||
    shares.some(({ budget }, index) => (usedByOne[index] ?? 0) >= keepsOutFrom(budget))
  if (person.status !== 'LOCKED_OUT' && !isSpent) throw refused
  // The user's row first, as in every transaction about a user: wrong answers at the same moment charge these (A50).
  await parts.storage.transaction(async (tx) => {
    await lockPerson(tx, person.id)
    await clearBudgets(tx, budgets)
    await clearBySource(tx, shares)
  })
  if (person.status === 'LOCKED_OUT') {
    await changeStatus(call, person, { from: ['LOCKED_OUT'], to: 'ACTIVE', refused })
  }
  return { body: {} }
}

async function expirePassword(call: Call<unknown, Revoking>): Promise<Answer> {
  const { person } = await changeStatus(call, await getUser(call), {
    from: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'PROVISIONED'],
    to: 'PASSWORD_EXPIRED',
    endsSessions: call.query.revokeSessions,
  })
  const [body = {}] = await renderUsers(call.parts, [person])
  return { body }
}

/** Replaces the password by a temporary one, returned once, that must be changed at the next sign-in. */
async function expireWithTemporary(call: Context): Promise<Answer> {
  const person = await getUser(call)
  // Contains all four character classes, to satisfy the complexity rules of any policy up to this length.
  const tempPassword = `${randomLegible(call.parts.random, 16)}${randomLegible(call.parts.random, 4).toLowerCase()}-7a`
  const changed = await call.parts.people.change(
    person.id,
    { password: tempPassword, status: 'PASSWORD_EXPIRED' },
    { by: call.actor, from: { statuses: activatedStatuses, refused: wrongStatus() } },
  )
  if (changed === undefined) throw notFound(person.id, 'User')
  return { body: { tempPassword } }
}

const deactivatableStatuses = [...activatedStatuses, 'STAGED', 'SUSPENDED'] as const

const statusChange =
  (from: readonly PersonStatus[], to: PersonStatus, refused?: () => ProtocolError) =>
  async (call: Context): Promise<Answer> => {
    await changeStatus(call, await getUser(call), { from, to, ...(refused && { refused: refused() }) })
    return { body: {} }
  }

const path = (name: string): string => `/users/:userId/lifecycle/${name}`

export const lifecycle: readonly Operation[] = [
  operation({
    method: 'POST',
    path: path('activate'),
    role: 'users',
    summary:
      'Activate a user; without a password, send the activation mail or, with `sendEmail=false`, return a token',
    query: mailing,
    response: tokenSchema,
    handle: activate,
  }),
  operation({
    method: 'POST',
    path: path('reactivate'),
    role: 'users',
    summary: 'Send the activation mail again; earlier tokens become invalid',
    query: mailing,
    response: tokenSchema,
    handle: reactivate,
  }),
  operation({
    method: 'POST',
    path: path('deactivate'),
    role: 'users',
    summary: 'Deactivate a user and revoke the sessions',
    query: noticed,
    handle: statusChange(deactivatableStatuses, 'DEPROVISIONED'),
  }),
  operation({
    method: 'POST',
    path: path('suspend'),
    role: 'users',
    summary: 'Suspend an active user and revoke the sessions',
    handle: statusChange(['ACTIVE'], 'SUSPENDED', () =>
      invalid(['status: Cannot suspend a user that is not active']),
    ),
  }),
  operation({
    method: 'POST',
    path: path('unsuspend'),
    role: 'users',
    summary: 'End the suspension of a user',
    handle: statusChange(['SUSPENDED'], 'ACTIVE', () =>
      invalid(['status: Cannot unsuspend a user that is not suspended']),
    ),
  }),
  operation({
    method: 'POST',
    path: path('unlock'),
    role: 'users',
    summary: 'Unlock a user and reset the counts of wrong answers',
    handle: unlock,
  }),
  operation({
    method: 'POST',
    path: path('reset_password'),
    role: 'users',
    summary:
      'Invalidate the password, end the sessions (not with `revokeSessions=false`) and send a link to set a new password; with `sendEmail=false` return it',
    query: { ...mailing, ...revoking(true) },
    response: tokenSchema,
    handle: resetPassword,
  }),
  operation({
    method: 'POST',
    path: path('expire_password'),
    role: 'users',
    summary: 'Expire the password: the next sign-in requires a new one',
    query: revoking(false),
    response: user,
    handle: expirePassword,
  }),
  operation({
    method: 'POST',
    path: path('expire_password_with_temp_password'),
    role: 'users',
    summary: 'Expire the password and return a temporary one, once; the sessions end',
    query: {
      revokeSessions: Type.Boolean({
        default: true,
        description: 'Without effect: a new password ends the sessions in any case.',
      }),
    },
    response: tokenSchema,
    handle: expireWithTemporary,
  }),
]
