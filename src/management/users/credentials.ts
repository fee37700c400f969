import { ProtocolError } from '../../base/index.ts'
import type { PersonStatus } from '../../directory/index.ts'
import { notFound, wrongStatus } from '../errors.ts'
import { fieldsIn, newReader, requiredText } from '../input.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { getUser } from './read.ts'
import { handOut, linkOf, recoveryOf } from './recovery.ts'
import { credentialsOf } from './wire.ts'

const mayChange: readonly PersonStatus[] = ['STAGED', 'ACTIVE', 'PASSWORD_EXPIRED', 'RECOVERY']

/** A new password by somebody who knows the old one. Her sessions end, as after any new password. */
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
  const { parts, actor } = call
  const person = await getUser(call)
  if (!mayChange.includes(person.status)) throw wrongStatus()
  if (!(await parts.people.hasPassword(person.id, old))) {
    throw new ProtocolError(403, 'E0000014', 'Update of credentials failed', {
      causes: ['oldPassword: Old Password is not correct'],
    })
  }
  const status = person.status === 'STAGED' ? 'STAGED' : 'ACTIVE'
  const changed = await parts.people.change(
    person.id,
    { password, status },
    { by: actor, from: { statuses: mayChange, refused: wrongStatus() } },
  )
  if (changed === undefined) throw notFound(person.id, 'User')
  return { body: credentialsOf(changed, true) }
}

/** The mail that she could have asked for herself; her password stays good until she has set a new one. */
async function forgotPassword(call: Call): Promise<Answer> {
  const { parts, actor } = call
  const handout = recoveryOf(call, 'ForgotPassword')
  const person = await getUser(call)
  let token = ''
  await parts.people.change(
    person.id,
    {},
    {
      by: actor,
      from: { statuses: ['ACTIVE', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'RECOVERY'], refused: wrongStatus() },
      with: async (tx, changed, now) => {
        token = await handOut({ ...call, now }, tx, changed, handout)
      },
    },
  )
  parts.onCommitted()
  if (handout.mails) return { body: {} }
  return { body: { resetPasswordUrl: linkOf(parts.baseUrl(), 'recovery', token) } }
}

const post = (name: string, summary: string, handle: Operation['handle']): Operation => ({
  method: 'POST',
  path: `/users/:userId/credentials/${name}`,
  role: 'users',
  summary,
  handle,
})

export const credentials: readonly Operation[] = [
  post('change_password', 'Sets a new password for somebody who knows the old one.', changePassword),
  post(
    'forgot_password',
    'Mails a link to set a new password; `sendEmail=false` answers the link.',
    forgotPassword,
  ),
]
