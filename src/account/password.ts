import { Type } from 'typebox'
import { apiError, isoTime } from '../base/index.ts'
import { findEnrollment } from '../directory/index.ts'
import { drawnFrom, giveBack, spend } from '../limits/index.ts'
import { passwordKey, requirementsSentence } from '../passwords/index.ts'
import { retryStale } from '../storage/index.ts'
import { recentProofs } from './access.ts'
import { type Answer, type Call, link, type Operation, operation, text } from './operation.ts'

const credential = ({ parts, caller }: Call<unknown>) =>
  findEnrollment(parts.storage.db, caller.person.id, passwordKey)

async function shown(call: Call<unknown>): Promise<object> {
  const found = await credential(call)
  const at = call.caller.person.passwordChangedAt ?? found?.updatedAt
  return {
    ...(found && { id: found.id }),
    status: found === undefined ? 'NOT_ENROLLED' : 'ACTIVE',
    ...(found && at !== undefined && { created: isoTime(found.createdAt), lastUpdated: isoTime(at) }),
    _links: {
      self: link(call, '/password', 'GET', 'PUT'),
      ...(found === undefined && { enroll: link(call, '/password', 'POST') }),
    },
  }
}

/** Throws 403 unless this is the password now. Wrong ones are counted by account, with those of sign-ins. */
async function requireCurrent({ parts, caller, now }: Call<unknown>, password: string): Promise<void> {
  const { db } = parts.storage
  const budget = drawnFrom(parts.budgets.passwords, true)
  const subject = `person:${caller.person.id}`
  // Counted before it is compared, so that of many that are sent at once no more are compared than there may be (A08).
  let isCounted = (await spend(db, budget, subject, now)).allowed
  try {
    if (isCounted && (await parts.people.hasPassword(caller.person.id, password))) return
    isCounted = false
  } finally {
    // A right one is none that counts, nor is one that was not compared, as the queue was full.
    if (isCounted) await giveBack(db, budget, subject, now)
  }
  throw apiError('E0000014', { causes: ['oldPassword: Old Password is not correct'] })
}

/** Whether the sign-in that the token came from was by the password. */
const isByPassword = ({ parts, caller: { session }, now }: Call<unknown>): boolean =>
  recentProofs(parts, session, now).some(({ authenticator }) => authenticator === passwordKey)

/**
 * A new password in place of the one that was sent. Without it the sign-in must have been by the password, a moment ago: a token
 * of another sign-in would else set a password for its thief. All sessions end, as after any new password.
 */
async function replace(call: Call<unknown>, password: string, current: string | undefined): Promise<void> {
  const { parts, caller } = call
  const { person } = caller
  if (current !== undefined) await requireCurrent(call, current)
  else if (!isByPassword(call) && (await credential(call)) !== undefined) {
    throw apiError('E0000014', {
      causes: ['currentPassword: is needed, as the sign-in was not by the password'],
    })
  }
  // By the version that the password was checked against: of a change meanwhile the caller is answered 503 (A49).
  await retryStale(async () => {
    await parts.people.change(
      person.id,
      { password },
      {
        by: { id: person.id, type: 'User', alternateId: person.profile.login },
        own: { strict: true },
        version: person.version,
      },
    )
  })
}

const newPassword = Type.Object({
  profile: Type.Object({
    password: text(1000),
    currentPassword: Type.Optional(text(1000)),
  }),
})

type NewPassword = { readonly profile: { readonly password: string; readonly currentPassword?: string } }

async function set(call: Call<NewPassword>): Promise<Answer> {
  const { password, currentPassword } = call.body.profile
  await replace(call, password, currentPassword)
  return { status: 201, body: await shown(call) }
}

export const passwordOperations: readonly Operation[] = [
  operation({
    ...{
      method: 'GET',
      path: '/password',
      scope: 'password.read',
      summary: 'Get whether there is a password',
    },
    handle: async (call) => ({ body: await shown(call) }),
  }),
  operation({
    ...{ method: 'POST', path: '/password', scope: 'password.manage', stepUp: true, status: 201 },
    summary: 'Set the first password',
    body: newPassword,
    async handle(call) {
      if ((await credential(call)) !== undefined) throw apiError('E0000157')
      return set(call)
    },
  }),
  operation({
    ...{ method: 'PUT', path: '/password', scope: 'password.manage', stepUp: true, status: 201 },
    summary: 'Replace the password; all sessions of the user end',
    body: newPassword,
    handle: set,
  }),
  operation({
    ...{ method: 'POST', path: '/password/change-password', scope: 'password.manage', stepUp: true },
    ...{ status: 204, answers: false },
    summary: 'Replace the password, given the old one; all sessions of the user end',
    body: Type.Object({ oldPassword: text(1000), newPassword: text(1000) }),
    async handle(call) {
      await replace(call, call.body.newPassword, call.body.oldPassword)
      return {}
    },
  }),
  operation({
    ...{ method: 'GET', path: '/password/complexity-requirements', scope: 'password.read' },
    summary: 'Get what a password must be',
    handle: async (call) => ({ body: requirements(call) }),
  }),
]

/** What a password must be, as a sentence and by rule. */
export function requirements(call: Call<unknown>): object {
  const { policy, person } = call.caller
  const rules = policy.password
  return {
    description: requirementsSentence(rules, person.profile),
    complexity: {
      minLength: rules.minLength,
      minLowerCase: rules.minLowerCase,
      minUpperCase: rules.minUpperCase,
      minNumber: rules.minNumber,
      minSymbol: rules.minSymbol,
      excludeUsername: rules.excludeUsername,
      excludeAttributes: rules.excludeAttributes,
    },
    _links: { self: link(call, '/password/complexity-requirements', 'GET') },
  }
}
