import { record } from '../../audit/index.ts'
import { apiError } from '../../base/index.ts'
import {
  ifUnchanged,
  newEnrollmentId,
  type Person,
  putEnrollment,
  putFactorChallenge,
  removeEnrollment,
  updatePerson,
} from '../../directory/index.ts'
import {
  alreadySetUp,
  carryOutFactorEffects,
  type FactorChallenge,
  type FactorKind,
  factorId,
  type NewFactor,
} from '../../flow/index.ts'
import { isUniqueViolation, retryStale, StaleRead, type Tx } from '../../storage/index.ts'
import { invalid, notFound, wrongStatus } from '../errors.ts'
import type { Answer, Call, Context } from '../operation.ts'
import { chargeSending } from './budgets.ts'
import {
  askedFor,
  enrollmentIn,
  factorContext,
  getFactor,
  loadFactors,
  type ManagedAuthenticator,
  managedOf,
  type PendingData,
  type UserFactors,
} from './find.ts'
import type { Enrolling, NewFactorBody, ResentFactorBody, Sending } from './schema.ts'
import { activationOf, renderFactor } from './wire.ts'

/** For so long an enrolment waits to be confirmed. */
const pendingMs = 24 * 3_600_000

interface Wanted extends ManagedAuthenticator {
  readonly kind: FactorKind
}

/** What a body names. Throws 400 where there is no such factor. */
function wantedOf(call: Context, { factorType, provider }: NewFactorBody): Wanted {
  const all = managedOf(call).flatMap((one) => one.managed.kinds.map((kind) => ({ ...one, kind })))
  const ofType = all.filter(({ kind }) => kind.factorType === factorType)
  const found = ofType.find(({ kind }) => (provider ?? kind.provider) === kind.provider)
  if (found !== undefined) return found
  const listed = all.filter(({ managed }) => !managed.isUnlisted)
  const types = [...new Set(listed.map(({ kind }) => kind.factorType))].join(', ')
  if (ofType.length === 0) throw invalid([`factorType: must be one of ${types}; others are not supported`])
  const providers = ofType.map(({ kind }) => kind.provider).join(' or ')
  throw invalid([`provider: must be ${providers} for ${factorType}`])
}

/** Throws 403 where the authenticator is off, or no policy lets the user enrol it. */
function requireAllowed(loaded: UserFactors, wanted: Wanted): void {
  const { authenticator, kind, managed } = wanted
  const refusal = managed.refuses?.enroll
  if (refusal !== undefined) throw invalid([`factorType: ${refusal}`])
  if (enrollmentIn(loaded, wanted) !== undefined) return
  const { key } = authenticator
  const isOff = loaded.methodsOff.get(key)?.includes(kind.method) === true
  const why = isOff
    ? `the method ${kind.method} of ${key} is switched off`
    : loaded.policy.signOn.active.includes(key)
      ? `no enrolment policy of the user has ${key} as REQUIRED or OPTIONAL`
      : `the authenticator ${key} is not active`
  throw apiError('E0000006', { causes: [`${kind.factorType}: ${why}`] })
}

/** Refuses a second factor of a kind of which a user has one. */
function requireNew({ factors }: UserFactors, { kind, managed }: Wanted): void {
  if (managed.several) return
  if (factors.some((factor) => factor.kind === kind && factor.status === 'ACTIVE')) throw duplicate()
}

const duplicate = () =>
  apiError('E0000001', { summary: 'Api validation failed: factorEnrollRequest', causes: [alreadySetUp] })

/** Enrols a factor: active at once, or pending until a code confirms it. */
export function enrollFactor(call: Call<NewFactorBody, Enrolling>): Promise<Answer> {
  const { body, query } = call
  return retryStale(async () => {
    const loaded = await loadFactors(call)
    const { person } = loaded
    if (person.status === 'DEPROVISIONED') throw wrongStatus()
    const wanted = wantedOf(call, body)
    requireAllowed(loaded, wanted)
    requireNew(loaded, wanted)
    const { authenticator, managed, kind } = wanted
    const context = factorContext(call, loaded, authenticator, { ...query, language: call.language })
    const request = {
      kind,
      profile: body.profile ?? {},
      body,
      activates: query.activate,
      updates: query.updatePhone,
    }
    const made = await managed.enroll?.(request, context)
    if (made === undefined) throw invalid([`factorType: ${kind.factorType} cannot be enrolled here`])
    if ('problems' in made) throw made.problems.includes(alreadySetUp) ? duplicate() : invalid(made.problems)
    return made.isActive || query.activate
      ? enrolActive(call, loaded, wanted, made)
      : enrolPending(call, loaded, wanted, made, context)
  })
}

/** Where the enrollment is that a new factor belongs to. */
const enrollmentIdOf = (
  { parts }: Context,
  { person }: UserFactors,
  { authenticator, managed }: Wanted,
  { enrollment, isImplied }: NewFactor,
): string =>
  isImplied
    ? person.id
    : (enrollment?.id ??
      newEnrollmentId(parts.random, {
        personId: person.id,
        prefix: authenticator.enrollmentPrefix,
        ...(managed.several && { several: true }),
      }))

async function enrolActive(
  call: Context,
  loaded: UserFactors,
  wanted: Wanted,
  made: NewFactor,
): Promise<Answer> {
  const { parts, actor } = call
  const { person } = loaded
  const enrollmentId = enrollmentIdOf(call, loaded, wanted, made)
  const changed = await parts.people.change(
    person.id,
    {},
    {
      by: actor,
      version: person.version,
      with: (tx, _, now) => writeEnrollment(call, tx, now, { ...wanted, person, enrollmentId, ...made }),
    },
  )
  if (changed === undefined) throw notFound(person.id, 'User')
  parts.onCommitted()
  const after = await loadFactors(call)
  const factor = getFactor(withFactor(call, factorId(wanted.kind, enrollmentId)), after)
  // Of an app that is active at once the secret is shown here, or it is shown nowhere.
  const embedded = made.isActive ? undefined : await activationOf(call, after, factor)
  return { body: renderFactor(call, after, factor, embedded) }
}

/** What an enrolment that is complete writes, in the transaction that holds the user's row. */
export async function writeEnrollment(
  { parts, actor }: Context,
  tx: Tx,
  now: number,
  wanted: Wanted &
    Pick<
      NewFactor,
      'data' | 'counter' | 'name' | 'slot' | 'handle' | 'replaces' | 'effects' | 'isImplied'
    > & {
      readonly person: Person
      readonly enrollmentId: string
    },
): Promise<void> {
  const { random, secrets } = parts
  const { authenticator, managed, kind, person, enrollmentId, data, effects = [] } = wanted
  const { counter, name, slot, handle } = wanted
  if (wanted.isImplied) {
    // No enrollment changes, so that nothing else records it.
    await record(
      tx,
      {
        eventType: 'user.mfa.factor.activate',
        displayMessage: 'Activate factor for user',
        outcome: { result: 'SUCCESS' },
        actor,
        target: [{ id: person.id, type: 'User', alternateId: person.profile.login }],
        debugData: { authenticator: authenticator.key },
      },
      { random, now },
    )
  } else {
    const enrollment = {
      personId: person.id,
      authenticator: authenticator.key,
      prefix: authenticator.enrollmentPrefix,
      id: enrollmentId,
      method: kind.method,
      data,
      ...(managed.several && { several: true }),
      ...(counter !== undefined && { counter }),
      ...(name !== undefined && { name }),
      ...(slot !== undefined && { slot }),
      ...(handle !== undefined && { handle }),
    }
    // Another thing under the same id: the row of before is of another slot.
    if (wanted.replaces) await removeEnrollment(tx, { id: enrollmentId, personId: person.id })
    try {
      await putEnrollment(tx, enrollment, { random, now })
    } catch (error) {
      // Another user has enrolled the same a moment ago: checked anew, and found taken (A67).
      throw isUniqueViolation(error) ? new StaleRead(`enrollment ${enrollmentId}`) : error
    }
    await updatePerson(tx, person.id, { secretChanged: true }, now)
  }
  await carryOutFactorEffects({ tx, secrets, random, now, by: actor }, effects)
}

const withFactor = <C extends Context>(call: C, id: string): C => ({
  ...call,
  params: { ...call.params, factorId: id },
})

async function enrolPending(
  call: Context,
  loaded: UserFactors,
  wanted: Wanted,
  made: NewFactor,
  context: ReturnType<typeof factorContext>,
): Promise<Answer> {
  const { parts, now } = call
  const { random } = parts
  const { person } = loaded
  const { authenticator, managed, kind } = wanted
  const enrollmentId = enrollmentIdOf(call, loaded, wanted, made)
  const id = factorId(kind, enrollmentId)
  const asked = { kind, id, data: made.data, enrollment: undefined, challenge: undefined }
  const challenge = await managed.challenge?.(asked, context)
  const data: PendingData = {
    enrolled: made.data,
    challenge: challenge?.data ?? null,
    name: made.name,
    isImplied: made.isImplied,
    slot: made.slot,
    handle: made.handle,
    replaces: made.replaces,
  }
  await ifUnchanged(parts.storage, person, async (tx) => {
    await putFactorChallenge(
      tx,
      {
        personId: person.id,
        factorId: id,
        enrollmentId,
        authenticator: authenticator.key,
        method: kind.method,
        purpose: 'activate',
        data,
        expiresAt: now + pendingMs,
      },
      { random, now },
    )
    await sendChallenge(call, tx, { personId: person.id, kind }, challenge)
  })
  parts.onCommitted()
  const after = await loadFactors(call)
  const factor = getFactor(withFactor(call, id), after, 'PENDING_ACTIVATION')
  return { body: renderFactor(call, after, factor, await activationOf(call, after, factor)) }
}

/** Queues what a challenge sends, and charges it. */
export async function sendChallenge(
  call: Context,
  tx: Tx,
  to: { readonly personId: string; readonly kind: FactorKind },
  challenge: FactorChallenge | undefined,
): Promise<void> {
  if (challenge === undefined) return
  const { parts, actor, now } = call
  const { secrets, random } = parts
  await chargeSending(call, tx, to, challenge.charges)
  await carryOutFactorEffects({ tx, secrets, random, now, by: actor }, challenge.effects)
}

/** Sends the code of a pending enrolment again: another one, and the one of before is good for nothing. */
export function resendFactor(call: Call<ResentFactorBody, Sending>): Promise<Answer> {
  return retryStale(async () => {
    const { parts, now, body } = call
    const loaded = await loadFactors(call)
    const factor = getFactor(call, loaded, 'PENDING_ACTIVATION')
    const { managed, authenticator, kind, pending, id } = factor
    if (pending === undefined)
      throw invalid(['factor: is active already; verify with an empty body sends a code'])
    if (kind.sends === undefined || managed.challenge === undefined)
      throw invalid([`factor: nothing is sent for ${kind.factorType}`])
    if ((body.factorType ?? kind.factorType) !== kind.factorType)
      throw invalid([`factorType: must be ${kind.factorType}`])
    const context = factorContext(call, loaded, authenticator, { ...call.query, language: call.language })
    const challenge = await managed.challenge(askedFor(factor), context)
    const before = pending.data as PendingData
    await ifUnchanged(parts.storage, loaded.person, async (tx) => {
      await putFactorChallenge(
        tx,
        { ...pending, data: { ...before, challenge: challenge.data }, expiresAt: now + pendingMs },
        { random: parts.random, now },
      )
      await sendChallenge(call, tx, { personId: loaded.person.id, kind }, challenge)
    })
    parts.onCommitted()
    const after = await loadFactors(call)
    return { body: renderFactor(call, after, getFactor(withFactor(call, id), after, 'PENDING_ACTIVATION')) }
  })
}
