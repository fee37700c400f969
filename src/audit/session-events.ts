import type { NewEvent, Party } from './events.store.ts'

const system: Party = { id: 'system', type: 'SystemPrincipal' }

/** The event of revoked sessions. `actor` absent: the engine itself, after a new password. */
export const sessionsCleared = (personId: string, sessions: number, actor: Party = system): NewEvent => ({
  eventType: 'user.session.clear',
  displayMessage: 'Clear user session',
  outcome: { result: 'SUCCESS' },
  actor,
  target: [{ id: personId, type: 'User' }],
  debugData: { sessions: String(sessions) },
})
