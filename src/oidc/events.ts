import { type NewEvent, type Party, record, recordEvents } from '../audit/index.ts'
import { isoTime } from '../base/index.ts'
import type { Person } from '../directory/index.ts'
import type { Session } from '../sessions/index.ts'
import type { Tx } from '../storage/index.ts'
import type { Parts } from './parts.ts'

const partyOf = ({ id, profile }: Person): Party => ({ id, type: 'User', alternateId: profile.login })

/** Records granted tokens, one event for each, as Okta's System Log does. Events have ids of tokens, never tokens. */
export async function recordGrants(
  tx: Tx,
  parts: Parts,
  grant: {
    readonly person: Person
    readonly clientId: string
    readonly accessTokenId: string
    readonly idTokenId: string
    readonly familyId: string | undefined
    readonly openid: boolean
    /** Absent: one was granted. */
    readonly accessToken?: boolean
    readonly by: 'authorization_code' | 'implicit' | 'interaction_code' | 'refresh_token'
  },
): Promise<void> {
  const kinds = [
    { kind: 'access_token', id: grant.accessTokenId, granted: grant.accessToken !== false },
    { kind: 'id_token', id: grant.idTokenId, granted: grant.openid },
    { kind: 'refresh_token', id: grant.familyId, granted: grant.familyId !== undefined },
  ] as const
  const events = kinds.flatMap(({ kind, id, granted }): readonly NewEvent[] =>
    granted && id !== undefined
      ? [
          {
            eventType: `app.oauth2.token.grant.${kind}`,
            displayMessage: `A token was granted: ${kind}`,
            outcome: { result: 'SUCCESS' },
            actor: partyOf(grant.person),
            target: [{ id, type: kind }],
            client: { id: grant.clientId },
            debugData: { grantType: grant.by },
          },
        ]
      : [],
  )
  await recordEvents(tx, events, { random: parts.random, now: parts.clock.now() })
}

/** Records a revocation: by the client, or because a code or refresh token was used twice (A31). */
export async function recordRevocation(
  tx: Tx,
  parts: Parts,
  revocation: {
    readonly event: 'revoke' | 'detect_reuse'
    readonly kind: 'access_token' | 'refresh_token' | 'interaction_code' | 'authorization_code'
    /** Undefined: of a service, which acts for itself. */
    readonly personId: string | undefined
    readonly clientId: string
    readonly id: string
  },
): Promise<void> {
  const { personId, clientId } = revocation
  const reuse = revocation.event === 'detect_reuse'
  const event: NewEvent = {
    eventType: `app.oauth2.token.${revocation.event}`,
    displayMessage: reuse ? 'Something that is good for one use was used twice' : 'A token was revoked',
    ...(reuse && { severity: 'WARN' }),
    outcome: reuse ? { result: 'FAILURE', reason: `${revocation.kind} used twice` } : { result: 'SUCCESS' },
    actor:
      personId === undefined ? { id: clientId, type: 'PublicClientApp' } : { id: personId, type: 'User' },
    target: [{ id: revocation.id, type: revocation.kind }],
    client: { id: clientId },
  }
  await record(tx, event, { random: parts.random, now: parts.clock.now() })
}

/** Records that a signing key was made, or revoked. Events have the id of a key, never the key. */
export async function recordKeyChange(
  tx: Tx,
  parts: Pick<Parts, 'random' | 'clock'>,
  change: {
    readonly event: 'rollover' | 'revoke'
    readonly kid: string
    readonly by: Party
    readonly signsFrom?: number
  },
): Promise<void> {
  const { event, kid, by, signsFrom } = change
  const revoked = event === 'revoke'
  const entry: NewEvent = {
    eventType: `app.oauth2.as.key.${event}`,
    displayMessage: revoked ? 'A signing key was revoked' : 'A signing key was made',
    ...(revoked && { severity: 'WARN' }),
    outcome: { result: 'SUCCESS' },
    actor: by,
    target: [{ id: kid, type: 'JWK' }],
    ...(signsFrom !== undefined && { debugData: { signsFrom: isoTime(signsFrom) } }),
  }
  await record(tx, entry, { random: parts.random, now: parts.clock.now() })
}

/** Records that a user signed out. */
export async function recordSignOut(tx: Tx, parts: Parts, session: Session): Promise<void> {
  const event: NewEvent = {
    eventType: 'user.session.end',
    displayMessage: 'User logout from app',
    outcome: { result: 'SUCCESS' },
    actor: { id: session.personId, type: 'User' },
    target: [{ id: session.id, type: 'Session' }],
    client: { id: session.clientId },
  }
  await record(tx, event, { random: parts.random, now: parts.clock.now() })
}
