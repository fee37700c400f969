import { Type } from 'typebox'
import { apiError, isoTime } from '../../base/index.ts'
import type { AccountChange } from '../../people/index.ts'
import { notFound } from '../errors.ts'
import { type Context, type Operation, operation, prefix } from '../operation.ts'
import { getUser } from './read.ts'
import { accountChange } from './schema.ts'

// What Okta's API does not have, as it has no waiting time: what users have asked for and what waits (A76, A77). Its owner stops it by
// the link of the notice. A user who has lost the mailbox as well calls an administrator, who must be able to do the same.

function renderChange(
  { parts }: Context,
  personId: string,
  { id, kind, status, data, createdAt, dueAt }: AccountChange,
): object {
  const self = `${parts.baseUrl()}${prefix}/users/${personId}/account-changes/${id}`
  const link = (action: string) => ({ href: `${self}/lifecycle/${action}`, hints: { allow: ['POST'] } })
  return {
    id,
    kind,
    status,
    created: isoTime(createdAt),
    ...(dueAt !== undefined && { dueAt: isoTime(dueAt) }),
    ...(data.enrollmentId !== undefined && { enrollmentId: data.enrollmentId }),
    ...(data.authenticator !== undefined && { key: data.authenticator }),
    ...(data.email !== undefined && { email: data.email }),
    _links: { stop: link('stop'), ...(status === 'WAITING' && { carryOut: link('carry_out') }) },
  }
}

const all = '/users/:userId/account-changes'

/** The open change of a path, which is of the user of the path. Throws 404. */
async function getChange(
  call: Context,
): Promise<{ readonly personId: string; readonly change: AccountChange }> {
  const { changeId = '' } = call.params
  const { id: personId } = await getUser(call)
  const change = (await call.parts.changes?.open(personId))?.find(({ id }) => id === changeId)
  if (change === undefined) throw notFound(changeId, 'AccountChange')
  return { personId, change }
}

export const userChanges: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary:
      'List what a user has asked for and what is not done yet: a new address, the removal of a factor. At most ten are open',
    response: Type.Array(accountChange),
    async handle(call) {
      const { id } = await getUser(call)
      const open = (await call.parts.changes?.open(id)) ?? []
      return { body: open.map((change) => renderChange(call, id, change)) }
    },
  }),
  operation({
    method: 'POST',
    path: `${all}/:changeId/lifecycle/stop`,
    role: 'users',
    summary: 'Stop a change that a user has asked for, as the link of its notice does',
    status: 204,
    async handle(call) {
      const { personId, change } = await getChange(call)
      if (!(await call.parts.changes?.stopFor(personId, change.id, call.actor)))
        throw notFound(change.id, 'AccountChange')
      return { status: 204 }
    },
  }),
  operation({
    method: 'POST',
    path: `${all}/:changeId/lifecycle/carry_out`,
    role: 'users',
    summary: 'Carry out a change that waits for its time, at once',
    status: 204,
    async handle(call) {
      const { personId, change } = await getChange(call)
      if (change.status !== 'WAITING') {
        throw apiError('E0000157', {
          causes: ['change: its address is not confirmed yet: set it with POST /api/v1/users/{id} instead'],
        })
      }
      if (!(await call.parts.changes?.carryOutFor(personId, change.id, call.actor))) {
        throw apiError('E0000157', {
          causes: ['change: the account has changed meanwhile, which has stopped it'],
        })
      }
      return { status: 204 }
    },
  }),
]
