import { namesOf } from '../../authenticators/index.ts'
import { apiError } from '../../base/index.ts'
import type { Person, PersonStatus } from '../../directory/index.ts'
import { tokenLink } from '../../people/index.ts'
import { retryStale } from '../../storage/index.ts'
import { notFound, wrongStatus } from '../errors.ts'
import { type Answer, type Call, type Context, type Operation, operation } from '../operation.ts'
import { prepareQuestion, questionsOf, readQuestion } from './question.ts'
import { getUser } from './read.ts'
import { issueUserToken, recoveryTokenRequest } from './recovery.ts'
import {
  type Mailing,
  mailing,
  type PasswordChange,
  passwordChange,
  type QuestionChange,
  questionChange,
  type Strictness,
  shownCredentials,
  strictness,
  token,
} from './schema.ts'
import { renderCredentials } from './wire.ts'

const changeableStatuses: readonly PersonStatus[] = ['STAGED', 'ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY']

/** Throws 403 unless this is the user's password. */
async function requirePassword(
  { parts }: Context,
  { id }: Person,
  password: string,
  field: string,
): Promise<void> {
  if (await parts.people.hasPassword(id, password)) return
  throw apiError('E0000014', {
    causes: [`${field}: ${field === 'oldPassword' ? 'Old Password' : 'Password'} is not correct`],
  })
}

/**
 * A new password by a user who knows the old one. The user's sessions end, as after any new password. The old one must
 * still be the password when the new one is written: a thief who knows it must not undo a reset in flight (A49).
 */
async function changePassword(call: Call<PasswordChange, Strictness>): Promise<Answer> {
  const { oldPassword, newPassword } = call.body
  const { strict } = call.query
  const { parts, actor } = call
  const changed = await retryStale(async () => {
    const person = await getUser(call)
    if (!changeableStatuses.includes(person.status)) throw wrongStatus()
    await requirePassword(call, person, oldPassword.value, 'oldPassword')
    const status = person.status === 'STAGED' ? 'STAGED' : 'ACTIVE'
    const from = { statuses: changeableStatuses, refused: wrongStatus() }
    const context = { by: actor, own: { strict }, from, version: person.version }
    const result = await parts.people.change(person.id, { password: newPassword.value, status }, context)
    if (result === undefined) throw notFound(person.id, 'User')
    return result
  })
  return { body: await credentialsIn(call, changed) }
}

async function credentialsIn({ parts }: Context, person: Person): Promise<object> {
  const question = (await questionsOf(parts.storage.db, [person.id])).get(person.id)
  return renderCredentials(person, { password: true, question })
}

/** Sets another security question for a caller that knows the password. */
async function changeQuestion(call: Call<QuestionChange, unknown>): Promise<Answer> {
  readQuestion(call.body.recovery_question)
  const { parts, actor } = call
  const changed = await retryStale(async () => {
    const person = await getUser(call)
    if (!changeableStatuses.includes(person.status)) throw wrongStatus()
    const wanted = readQuestion(call.body.recovery_question, namesOf(person))
    await requirePassword(call, person, call.body.password.value, 'password')
    const result = await parts.people.change(
      person.id,
      {},
      {
        by: actor,
        from: { statuses: changeableStatuses, refused: wrongStatus() },
        version: person.version,
        with: await prepareQuestion(parts, wanted),
      },
    )
    if (result === undefined) throw notFound(person.id, 'User')
    return result
  })
  return { body: await credentialsIn(call, changed) }
}

/** Sends the mail that the user could have requested. The password stays valid until a new one is set. */
async function forgotPassword(call: Call<unknown, Mailing>): Promise<Answer> {
  const { parts, actor } = call
  const request = recoveryTokenRequest(call.query.sendEmail, 'ForgotPassword')
  const person = await getUser(call)
  let issued = ''
  await parts.people.change(
    person.id,
    {},
    {
      by: actor,
      from: { statuses: ['ACTIVE', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY'], refused: wrongStatus() },
      with: async (tx, changed, now) => {
        issued = await issueUserToken({ ...call, now }, tx, changed, request)
      },
    },
  )
  parts.onCommitted()
  if (request.sendsMail) return { body: {} }
  return { body: { resetPasswordUrl: tokenLink(parts.baseUrl(), 'recovery', issued) } }
}

const path = (name: string): string => `/users/:userId/credentials/${name}`

export const credentials: readonly Operation[] = [
  operation({
    method: 'POST',
    path: path('change_password'),
    role: 'users',
    summary: 'Change a password, given the old one; `strict=true` enforces the minimum age',
    body: passwordChange,
    query: strictness,
    response: shownCredentials,
    handle: changePassword,
  }),
  operation({
    method: 'POST',
    path: path('change_recovery_question'),
    role: 'users',
    summary: 'Change the recovery question, given the password: the answer is stored as a hash',
    body: questionChange,
    response: shownCredentials,
    handle: changeQuestion,
  }),
  operation({
    method: 'POST',
    path: path('forgot_password'),
    role: 'users',
    summary: 'Send a link to set a new password; with `sendEmail=false` return it',
    query: mailing,
    response: token,
    handle: forgotPassword,
  }),
]
