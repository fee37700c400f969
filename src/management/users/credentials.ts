import { ProtocolError } from '../../base/index.ts'
import type { Person, PersonStatus } from '../../directory/index.ts'
import { retryStale } from '../../storage/index.ts'
import { notFound, wrongStatus } from '../errors.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { fieldsIn, flag, newReader, requiredText } from '../reader.ts'
import { prepareQuestion, questionsOf, readQuestion } from './question.ts'
import { getUser } from './read.ts'
import { issueUserToken, recoveryTokenRequest, tokenLink } from './recovery.ts'
import { credentialsOf } from './wire.ts'

const changeableStatuses: readonly PersonStatus[] = ['STAGED', 'ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY']

/** Throws 403 unless this is the user's password. */
async function requirePassword(
  { parts }: Call,
  { id }: Person,
  password: string,
  field: string,
): Promise<void> {
  if (await parts.people.hasPassword(id, password)) return
  throw new ProtocolError(403, 'E0000014', 'Update of credentials failed', {
    causes: [`${field}: ${field === 'oldPassword' ? 'Old Password' : 'Password'} is not correct`],
  })
}

/**
 * A new password by a user who knows the old one. The user's sessions end, as after any new password. The old one must
 * still be the password when the new one is written: a thief who knows it must not undo a reset in flight (A49).
 */
async function changePassword(call: Call): Promise<Answer> {
  const reader = newReader()
  const old = requiredText(reader, fieldsIn(reader, call.body, 'oldPassword'), 'value', {
    label: 'oldPassword',
    max: 256,
  })
  const password = requiredText(reader, fieldsIn(reader, call.body, 'newPassword'), 'value', {
    label: 'newPassword',
    max: 256,
  })
  reader.check()
  const strict = flag(call.query, 'strict', false)
  const { parts, actor } = call
  const changed = await retryStale(async () => {
    const person = await getUser(call)
    if (!changeableStatuses.includes(person.status)) throw wrongStatus()
    await requirePassword(call, person, old, 'oldPassword')
    const status = person.status === 'STAGED' ? 'STAGED' : 'ACTIVE'
    const from = { statuses: changeableStatuses, refused: wrongStatus() }
    const context = { by: actor, own: { strict }, from, version: person.version }
    const result = await parts.people.change(person.id, { password, status }, context)
    if (result === undefined) throw notFound(person.id, 'User')
    return result
  })
  return { body: await credentialsIn(call, changed) }
}

async function credentialsIn({ parts }: Call, person: Person): Promise<object> {
  const question = (await questionsOf(parts.storage.db, [person.id])).get(person.id)
  return credentialsOf(person, { password: true, question })
}

/** Sets another recovery question for a caller that knows the password. No authenticator asks it yet. */
async function changeQuestion(call: Call): Promise<Answer> {
  const reader = newReader()
  const password = requiredText(reader, fieldsIn(reader, call.body, 'password'), 'value', {
    label: 'password',
    max: 256,
  })
  const wanted = readQuestion(reader, fieldsIn(reader, call.body, 'recovery_question'))
  reader.check()
  const { parts, actor } = call
  const changed = await retryStale(async () => {
    const person = await getUser(call)
    if (!changeableStatuses.includes(person.status)) throw wrongStatus()
    await requirePassword(call, person, password, 'password')
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
  parts.log?.warn(
    { personId: changed.id },
    'a recovery question was stored, but no authenticator asks it yet',
  )
  return { body: await credentialsIn(call, changed) }
}

/** Sends the mail that the user could have requested. The password stays valid until a new one is set. */
async function forgotPassword(call: Call): Promise<Answer> {
  const { parts, actor } = call
  const request = recoveryTokenRequest(call, 'ForgotPassword')
  const person = await getUser(call)
  let token = ''
  await parts.people.change(
    person.id,
    {},
    {
      by: actor,
      from: { statuses: ['ACTIVE', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY'], refused: wrongStatus() },
      with: async (tx, changed, now) => {
        token = await issueUserToken({ ...call, now }, tx, changed, request)
      },
    },
  )
  parts.onCommitted()
  if (request.sendsMail) return { body: {} }
  return { body: { resetPasswordUrl: tokenLink(parts.baseUrl(), 'recovery', token) } }
}

const post = (name: string, summary: string, handle: Operation['handle']): Operation => ({
  method: 'POST',
  path: `/users/:userId/credentials/${name}`,
  role: 'users',
  summary,
  handle,
})

export const credentials: readonly Operation[] = [
  post(
    'change_password',
    'Change a password, given the old one; `strict=true` enforces the minimum age',
    changePassword,
  ),
  post(
    'change_recovery_question',
    'Change the recovery question, given the password; stored as a hash, not asked yet',
    changeQuestion,
  ),
  post(
    'forgot_password',
    'Send a link to set a new password; with `sendEmail=false` return it',
    forgotPassword,
  ),
]
