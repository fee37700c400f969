import { record, sessionsCleared } from '../audit/index.ts'
import { lockPerson } from '../directory/index.ts'
import { revokeSessionsOf } from '../sessions/index.ts'
import { type Operation, operation } from './operation.ts'

export const sessionOperations: readonly Operation[] = [
  operation({
    ...{ method: 'DELETE', path: '/sessions', scope: 'sessions.manage', answers: false },
    summary:
      'End the sessions of the user, with their tokens; `excludeCurrentAuthorizationContext=true` leaves that of the token',
    async handle({ parts, caller, query, now }) {
      const { person, session } = caller
      const except = query.excludeCurrentAuthorizationContext === 'true' ? session.id : undefined
      await parts.storage.transaction(async (tx) => {
        // The user's row first, as in every transaction about a user (A50).
        await lockPerson(tx, person.id)
        const ended = await revokeSessionsOf(tx, person.id, now, { except })
        if (ended === 0) return
        const by = { id: person.id, type: 'User', alternateId: person.profile.login } as const
        await record(tx, sessionsCleared(person.id, ended, by), { random: parts.random, now })
      })
      return {}
    },
  }),
]
