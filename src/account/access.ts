import { apiError, type ProtocolError } from '../base/index.ts'
import { findClient } from '../clients/index.ts'
import { type Enrollment, findMember } from '../directory/index.ts'
import type { Authenticator } from '../flow/index.ts'
import { ownerProof, ownFactors } from '../people/index.ts'
import type { Session, SessionProof } from '../sessions/index.ts'
import type { AccountCaller, AccountParts, AccountUser, Operation, StepUp } from './operation.ts'

/** What stands for two factors of a user who has two, as Okta names it. */
export const twoIfPossible = 'urn:okta:loa:2fa:any:ifpossible'

const scheme = 'Bearer realm="IdpMyAccountAPI"'

/** The parts of a request by which its caller is known. */
interface Presenting {
  readonly headers: {
    readonly authorization?: string | undefined
    readonly accept?: string | undefined
    readonly dpop?: string | readonly string[] | undefined
  }
  readonly method: string
  readonly url: string
}

/**
 * The user who calls, by the access token of an app with the scope of the operation. Throws 401 `E0000011` where the token is
 * none, 403 `E0000006` where its scopes do not suffice, 406 where the call names no version.
 */
export async function authorizeCall(
  parts: AccountParts,
  { headers, method, url }: Presenting,
  operation: Operation,
): Promise<AccountUser> {
  const [, named = '', token] = /^(Bearer|DPoP) ([\w.-]{1,8000})$/i.exec(headers.authorization ?? '') ?? []
  const presented = {
    ...{ scheme: named.toLowerCase() === 'dpop' ? ('DPoP' as const) : ('Bearer' as const) },
    ...{ proof: headers.dpop, method, path: url },
  }
  const user = token === undefined ? undefined : await parts.findUserCaller(token, presented)
  if (user === undefined) {
    throw apiError('E0000011', { headers: { 'WWW-Authenticate': `${scheme}, error="invalid_token"` } })
  }
  if (!coversScope(user.scopes, operation.scope)) {
    throw apiError('E0000006', {
      headers: {
        'WWW-Authenticate': `${scheme}, error="insufficient_scope", scope="okta.myAccount.${operation.scope}"`,
      },
    })
  }
  if (!/okta-version=1\.0\.0(?![\d.])/.test(headers.accept ?? '')) throw apiError('E0000149')
  return user
}

/** Okta's clients ask for `authenticator` and for `authenticators`. */
function coversScope(scopes: readonly string[], wanted: string): boolean {
  const own = scopes.map((scope) =>
    scope.replace('okta.myAccount.', '').replace(/^authenticator\./, 'authenticators.'),
  )
  return own.includes(wanted) || own.includes(wanted.replace(/\.read$/, '.manage'))
}

/** Whether an enrollment can be used on this installation at all. */
export const isUsable = (
  { authenticators, orgName, baseUrl }: Pick<AccountParts, 'authenticators' | 'orgName' | 'baseUrl'>,
  enrollment: Enrollment,
): boolean =>
  authenticators
    .get(enrollment.authenticator)
    ?.isUsable?.(enrollment, { name: orgName, baseUrl: baseUrl() }) ?? true

/** Whether an authenticator is one of the user's own: neither the password, nor what every account has. */
export const isOwnFactor =
  (authenticators: ReadonlyMap<string, Authenticator>, usable: readonly string[]) =>
  (key: string): boolean => {
    const authenticator = authenticators.get(key)
    return authenticator?.reset === undefined && authenticator?.implicit === false && usable.includes(key)
  }

/**
 * What applies to the user at the app, and what the sign-in that the token came from has proven. All of it stands with the
 * session, which a refresh does not renew: new tokens are as old, and as strong, as the sign-in was (A74).
 */
export async function callerOf(parts: AccountParts, user: AccountUser, now: number): Promise<AccountCaller> {
  const { db } = parts.storage
  const { person, session, clientId } = user
  const [{ groupIds }, client] = await Promise.all([findMember(db, person.id), findClient(db, clientId)])
  const policy = await parts.policies.for(
    { groupIds, personId: person.id },
    { accessPolicyId: client?.settings.accessPolicyId, clientId },
  )
  const isOwn = isOwnFactor(parts.authenticators, policy.signOn.authenticators)
  const { proofs = [] } = session.details
  // A passkey of an earlier RP ID cannot be proven any more: to ask for it would be to ask without end. What this sign-in has used
  // up, the last recovery code, was proven all the same.
  const own = await ownFactors(
    db,
    person.id,
    (enrollment) =>
      isOwn(enrollment.authenticator) &&
      (isUsable(parts, enrollment) || proofs.some(({ enrollmentId }) => enrollmentId === enrollment.id)),
  )
  const proof = ownerProof(person, own, recentProofs(parts, session, now), {
    now,
    settledMs: parts.waitingMs,
    recovering: policy.recovery.authenticators,
  })
  // A question is no second factor beside the password: there would be no way to meet the demand.
  const hasSecond = own.some(({ authenticator }) =>
    parts.authenticators.get(authenticator)?.factors.some((factor) => factor !== 'knowledge'),
  )
  return { ...user, policy, proof, stepUp: stepUpFor(parts, session, hasSecond, now) }
}

/**
 * What the sign-in has proven, without what the browser's session had carried into it for longer than a change of the account may be after a
 * proof: the sign-in itself says nothing of that (A74).
 */
export const recentProofs = (
  { stepUpMs }: Pick<AccountParts, 'stepUpMs'>,
  { details: { proofs = [] } }: Session,
  now: number,
): readonly SessionProof[] => proofs.filter(({ carried, at }) => carried !== true || now - at <= stepUpMs)

/** When something was last proven: not when a token was issued. */
const provenAt = ({ createdAt, details: { proofs = [] } }: Session): number =>
  proofs.length === 0 ? createdAt : Math.min(createdAt, Math.max(...proofs.map(({ at }) => at)))

function stepUpFor(
  { stepUpMs }: AccountParts,
  session: Session,
  hasSecondFactor: boolean,
  now: number,
): StepUp | undefined {
  const isRecent = now - provenAt(session) <= stepUpMs
  const isStrong = !hasSecondFactor || session.details.amr.includes('mfa')
  if (isRecent && isStrong) return undefined
  // Also where only the age is wrong: a sign-in by the password alone would be the next one that is refused.
  return { maxAgeSeconds: Math.floor(stepUpMs / 1000), ...(hasSecondFactor && { acrValues: twoIfPossible }) }
}

/**
 * Refuses what changes the account unless the token came from a recent and strong enough sign-in (RFC 9470). A user who cannot
 * prove the second factor any more says so (`wait=true`): then the sign-in must be recent alone, and the change waits. Answers whether
 * it passed by that alone: then nothing counts at once, whatever was proven (A69).
 */
export function requireStepUp(
  { stepUp }: AccountCaller,
  { waits }: { readonly waits: boolean },
  stepUpMs: number,
  age: number,
): boolean {
  if (stepUp === undefined) return false
  if (waits && age <= stepUpMs) return true
  throw insufficient(stepUp)
}

/** The SDK reads the header alone, and takes no quotes within a value. */
export const insufficient = ({ maxAgeSeconds, acrValues }: StepUp): ProtocolError =>
  apiError('E0000006', {
    headers: {
      'WWW-Authenticate': [
        scheme,
        'error="insufficient_authentication_context"',
        'error_description="The access token requires additional assurance to access the resource"',
        `max_age=${maxAgeSeconds}`,
        ...(acrValues === undefined ? [] : [`acr_values="${acrValues}"`]),
      ].join(', '),
    },
  })

export const ageOf = (session: Session, now: number): number => now - provenAt(session)
