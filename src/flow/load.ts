import { type Clock, ProtocolError, type Random, type Secrets, secretVersionOf } from '../base/index.ts'
import { type Client, isAssigned, isAssignedByGroup, isOwnPages, ownPagesClient } from '../clients/index.ts'
import {
  compareKey,
  type Enrollment,
  findEnrollment,
  findEnrollments,
  findMember,
  findMemberByIdentifier,
  findPerson,
  findPersonTokenById,
  findRememberedDevice,
  findSkips,
  findUserSchema,
  holderOfHandle,
  isSlotTaken,
  isUnclaimed,
  type Member,
  mailboxKey,
  type Person,
} from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'
import {
  type Budgets,
  peek,
  type Refusals,
  type RequestLimits,
  type RequestSource,
  sourceOf,
  usedOf,
} from '../limits/index.ts'
import { isProvenBy, isSettled, type NoticeSettings, provingEnrollments, settledOf } from '../people/index.ts'
import { type Evidence, evidenceOf, type Policies, type RegistrationPolicy } from '../policies/index.ts'
import { missingFields, type ProfileField, profileFields } from '../registration/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import type { Authenticator, StepContext, View } from './authenticator.ts'
import type { BeforeRegistration } from './before-registration.ts'
import { checkedCarried } from './carried.ts'
import { consentAsked } from './consent.ts'
import type { FlowOutcome } from './flow-outcomes.ts'
import { intents } from './intents.ts'
import { isKnownSource } from './known-sources.ts'
import { isLockOver } from './lockout.ts'
import type { Refusal } from './outcome.ts'
import {
  begin,
  beginByToken,
  beginEnrolment,
  beginLapsed,
  identify,
  type Progress,
  prove,
  recover,
  register,
  unlock,
} from './progress.ts'
import { memberOf } from './registration.ts'
import { type Owner, openingProofs, policyOf, replaceable, type Situation } from './situation.ts'
import type { SprayWatch } from './spray.ts'
import { decide, methodsOf, offeredAt, type Stage } from './stage.ts'
import {
  findRecordByInteraction,
  findRecordByState,
  findTransactionOfInteraction,
  openTransaction,
  type Transaction,
  type TransactionRecord,
} from './transactions.store.ts'

/** What the flow is built from. */
export interface FlowParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly policies: Policies
  readonly budgets: Budgets
  readonly limits: RequestLimits
  readonly spray: SprayWatch
  /** Counts what budgets refuse, for metrics. */
  readonly refusals?: Refusals
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** Where a magic link leads, for the client and the link's token. */
  linkFor(clientId: string, token: string): string
  readonly org: StepContext['org']
  /** Which changes users are notified of. */
  readonly notices: NoticeSettings
  /** Called when something was written: a mail may be waiting, or, where `texts` says so, a text or a call. */
  onCommitted(written: { readonly texts: boolean }): void
  /**
   * Asked before a sign-up is accepted, once its form is. Absent: nothing is asked. Here a hook that runs before a registration
   * has its place.
   */
  readonly beforeRegistration?: BeforeRegistration
  /** Called with what becomes of transactions, for metrics. */
  onFlowOutcome?(outcome: FlowOutcome): void
  /** In milliseconds. */
  readonly lifetimes: {
    readonly transaction: number
    readonly code: number
    readonly notice: number
    readonly interactionCode: number
    readonly session: number
    /** For how long a change that no factor was proven for can be stopped. */
    readonly ownChanges: number
    /** How long a browser's session lives after its last use. */
    readonly browserIdle: number
    /** How old the sign-in may be when users change their own account. */
    readonly stepUp: number
  }
}

/** A transaction with everything that its next step may read, as it was at one moment. */
export interface TransactionContext {
  readonly transaction: Transaction
  readonly stage: Stage
  readonly situation: Situation
  readonly interaction: Interaction
  readonly client: Client
  /** Of a user whose lockout has elapsed the status is ACTIVE, whatever is stored. */
  readonly person: Person | undefined
  readonly lockIsOver: boolean
  /** Empty before a proof: what is shown must not depend on them. */
  readonly enrollments: readonly Enrollment[]
  /** The fields of the form by which a visitor makes an account, while it is asked for. */
  readonly profileForm: readonly ProfileField[] | undefined
}

/** The one answer to handles that are unknown, expired or used up: callers do not learn which. */
export const sessionExpired = (detail: string): ProtocolError =>
  new ProtocolError(
    401,
    'idx.session.expired',
    'You have been logged out due to inactivity. Refresh or return to the sign in screen.',
    { detail },
  )

/** Called with where a request comes from and what it is about, as soon as that is known: charges it, or throws. */
export type RequestCharge = (
  source: Omit<RequestSource, 'address'> & {
    /** The user's own, where a confidential client vouched for it. */
    readonly address?: string | undefined
  },
) => Promise<void>

const uncharged: RequestCharge = async () => {}

/** Charges a request to its source and to the transaction, before it has cost much. */
async function charged(
  charge: RequestCharge,
  { clientId, origin }: Interaction,
  transaction: Transaction | undefined,
): Promise<void> {
  const { app, vouched, ip, deviceToken } = origin
  const typed = transaction?.progress.subject?.identifier
  await charge({
    address: vouched && !app ? ip : undefined,
    app: app ? clientId : undefined,
    client: clientId,
    device: deviceToken,
    transaction: transaction?.id,
    identifier: typed === undefined ? undefined : compareKey(typed),
  })
}

/** The transaction of a state handle. Throws `idx.session.expired` where it is unknown or has expired. */
export async function loadByState(
  parts: FlowParts,
  stateHandle: string,
  charge = uncharged,
): Promise<TransactionContext> {
  const record = await findRecordByState(parts.storage.db, stateHandle, parts)
  if (record?.transaction === undefined) throw sessionExpired('unknown state handle')
  await charged(charge, record.interaction, record.transaction)
  return contextFrom(parts, record, record.transaction)
}

/** The latest transaction of an interaction handle; the first call opens the first one. */
export async function loadByInteraction(
  parts: FlowParts,
  handle: string,
  charge = uncharged,
): Promise<TransactionContext> {
  const { clock, random, secrets, storage, lifetimes, authenticators } = parts
  const now = clock.now()
  const record = await findRecordByInteraction(storage.db, handle, { secrets, authenticators, now })
  if (record === undefined) throw sessionExpired('unknown or expired interaction handle')
  const { transaction, interaction } = record
  await charged(charge, interaction, transaction)
  if (transaction !== undefined) return contextFrom(parts, record, transaction)

  const { id: interactionId, clientId } = interaction
  const token = await tokenOf(parts, interaction, now)
  const expiresAt = Math.min(now + lifetimes.transaction, interaction.expiresAt, token?.expiresAt ?? Infinity)
  const made = await openTransaction(
    storage.db,
    {
      interactionId,
      clientId,
      ordinal: 0,
      expiresAt,
      progress: token?.progress ?? beginningOf(parts, interaction),
    },
    { secrets, authenticators, random, now },
  )
  // Of two callers that open it at once one has made it; with a token something has begun, too.
  if (made !== undefined && token !== undefined) {
    parts.onFlowOutcome?.({ intent: token.progress.intent, outcome: 'started' })
  }
  const opened = made ?? (await findTransactionOfInteraction(storage.db, interactionId, parts))
  if (opened === undefined)
    throw new Error(`interaction ${interactionId} has no transaction after opening one`)
  // The record was read before its user was known.
  if (token !== undefined) return loadByInteraction(parts, handle)
  return contextFrom(parts, record, opened)
}

/** The beginning of a transaction without a token: a sign-in, or, where the app asks for it, an enrolment. */
export const beginningOf = (
  { authenticators }: Pick<FlowParts, 'authenticators'>,
  { request }: Pick<Interaction, 'request'>,
): Progress =>
  request.enroll === undefined
    ? request.create
      ? register(begin())
      : beginningAs(request.classic?.begins)
    : beginEnrolment(request.enroll.filter((key) => authenticators.has(key)))

const beginningAs = (begins: 'recovery' | 'unlock' | undefined): Progress =>
  begins === undefined ? begin() : begins === 'unlock' ? unlock(begin()) : recover(begin())

/** The beginning that a token given to `interact` leads to. Throws where it has ended since. */
async function tokenOf(parts: FlowParts, { request }: Interaction, now: number) {
  const { storage } = parts
  const { recoveryTokenId, activationTokenId, owner } = request
  const intent = activationTokenId === undefined ? 'recovery' : 'activation'
  const id = activationTokenId ?? recoveryTokenId
  if (id === undefined) return undefined
  const token = await findPersonTokenById(storage.db, id)
  const person = token && (await findPerson(storage.db, token.personId))
  if (token === undefined || person === undefined) throw sessionExpired(`the ${intent} token has ended`)
  const subject = { identifier: person.profile.login, userId: person.id }
  const isMailed = token.mailedTo !== undefined && token.mailedTo === mailboxKey(person.profile.email)
  if (token.expiresAt <= now) {
    if (intent !== 'activation' || !isMailed) throw sessionExpired(`the ${intent} token has expired`)
    return { expiresAt: Infinity, progress: beginLapsed(subject) }
  }
  const proof = { tokenId: token.id, at: now, ...(isMailed && { mailed: true as const }) }
  if (owner !== undefined) {
    const authenticator = parts.authenticators.get(owner.authenticator)
    if (authenticator === undefined) throw sessionExpired('the authenticator is not there')
    const proven = { ...evidenceOf(authenticator, owner.method), ...proof, at: owner.at }
    return { expiresAt: token.expiresAt, progress: prove(recover(identify(begin(), subject)), proven) }
  }
  return { expiresAt: token.expiresAt, progress: beginByToken(subject, proof, intent) }
}

async function contextFrom(
  parts: FlowParts,
  { interaction, client: found, member }: TransactionRecord,
  stored: Transaction,
): Promise<TransactionContext> {
  const client = isOwnPages(interaction.clientId) ? ownPagesClient(parts.org.name) : found
  if (stored.expiresAt <= parts.clock.now()) throw sessionExpired('the transaction has expired')
  if (client?.status !== 'ACTIVE') throw sessionExpired('the client is not active')
  // A transaction that was ended goes on as that of an unknown user, whether its user was known or not (`ended`).
  const { everyoneId } = member
  const progress = await checkedCarried(parts, parts.storage.db, stored.progress, member.person)
  const transaction = progress === stored.progress ? stored : { ...stored, progress }
  const registration = await registrationAt(parts, client)
  const about = await aboutUser(
    parts,
    client,
    memberOf(
      parts.secrets,
      progress,
      progress.decoy ? { person: undefined, groupIds: [everyoneId], everyoneId } : member,
      registration,
    ),
    registration,
  )
  return withFacts(parts, { transaction, interaction, client, ...about }, progress, {
    checksAccess: false,
  })
}

/**
 * The context of a transaction that is not written yet, with what the session of a browser carries into it: whether anything is to be asked is
 * known before anything is written.
 */
export async function contextOfDraft(
  parts: FlowParts,
  {
    interaction,
    client,
    member,
    progress,
  }: {
    readonly interaction: Interaction
    readonly client: Client
    readonly member: Member
    readonly progress: Progress
  },
): Promise<TransactionContext> {
  const now = parts.clock.now()
  const transaction: Transaction = {
    ...{ id: '', stateHandle: '', keyVersion: parts.secrets.version, interactionId: '', ordinal: 0 },
    ...{ version: 1, progress, stepsTaken: [], createdAt: now, updatedAt: now, expiresAt: now },
  }
  const registration = await registrationAt(parts, client)
  const about = await aboutUser(parts, client, member, registration)
  return withFacts(parts, { transaction, interaction, client, ...about }, progress, { checksAccess: true })
}

type AboutUser = Pick<TransactionContext, 'person' | 'lockIsOver'> &
  Pick<Situation, 'ownPolicy' | 'policyBeforeProof'> & {
    readonly registration: RegistrationPolicy
    /** Of a user who is not there yet: the groups that the user will be in. */
    readonly groupIds: readonly string[]
  }

/** Whether the user is being made: then what is read of users is what the transaction says of the new one. */
const isRegistration = ({ intent }: Progress): boolean => intent === 'registration'

/** Which sign-up an app has. */
const registrationAt = (
  { policies }: FlowParts,
  { id: clientId, settings: { profileEnrollmentPolicyId } }: Client,
): Promise<RegistrationPolicy> => policies.registration({ clientId, profileEnrollmentPolicyId })

/** A user as of now, with the policies that apply at a client; of an unknown user, those of Everyone. */
async function aboutUser(
  { policies, clock }: FlowParts,
  { id: clientId, settings: { accessPolicyId } }: Client,
  { person, groupIds, everyoneId }: Member,
  registration: RegistrationPolicy,
): Promise<AboutUser> {
  const app = { accessPolicyId, clientId }
  const ownPolicy = await policies.for({ groupIds, personId: person?.id }, app)
  const policyBeforeProof = await policies.beforeProof(everyoneId, app)
  const lockIsOver = isLockOver(person, ownPolicy, clock.now())
  return {
    ownPolicy,
    policyBeforeProof,
    lockIsOver,
    registration,
    groupIds,
    person: person && lockIsOver ? { ...person, status: 'ACTIVE' } : person,
  }
}

/** Adds what matters only once something has been proven: enrollments, and whether the user may use the client. */
async function withFacts(
  parts: FlowParts,
  loaded: Omit<TransactionContext, 'stage' | 'situation' | 'enrollments' | 'profileForm'> & AboutUser,
  progress: Progress,
  { checksAccess }: { readonly checksAccess: boolean },
): Promise<TransactionContext> {
  const { db } = parts.storage
  const { ownPolicy, policyBeforeProof, registration, groupIds, transaction, ...others } = loaded
  const { client, person } = others
  const isProven = progress.proofs.length > 0 && person !== undefined
  const isNew = isRegistration(progress)
  const found =
    isProven && (isNew || enrollmentsMatter(parts, ownPolicy))
      ? await findEnrollments(db, person.id)
      : undefined
  const countsSkips =
    isProven && ownPolicy.enrollment.some(({ gracePeriod }) => gracePeriod?.type === 'BY_SKIP_COUNT')
  // What was proven in this transaction stays one of the user's own, even where that has used it up: the last recovery code.
  const enrollments = found?.filter(
    (one) =>
      !isClaiming(parts, person, progress) &&
      (progress.proofs.some(({ enrollmentId }) => enrollmentId === one.id) ||
        (parts.authenticators.get(one.authenticator)?.isUsable?.(one, parts.org) ?? true)),
  )
  const renewing = found?.filter((one) => parts.authenticators.get(one.authenticator)?.isUsed?.(one))
  const situation: Situation = {
    now: parts.clock.now(),
    opensForMs: parts.lifetimes.stepUp,
    ...wishOf(loaded.interaction),
    ...(isProven &&
      ownPolicy.signOn.demand.remembered !== undefined &&
      (await rememberedOn(parts, loaded, person.id))),
    ...(isProven && (await missingOf(parts, client, person, progress))),
    ...(isProven && (await consentAsked(db, loaded.interaction, person.id, progress))),
    ...(countsSkips && { skips: await findSkips(db, person.id) }),
    ownPolicy,
    policyBeforeProof,
    authenticators: parts.authenticators,
    person,
    registration,
    assigned:
      isProven && checksAccess
        ? isOwnPages(client.id) ||
          (await (person.prospective
            ? isAssignedByGroup(db, client.id, groupIds)
            : isAssigned(db, client.id, person.id)))
        : undefined,
    enrolled: enrolledIn(parts, {
      enrollments: isNew ? (enrollments ?? []) : enrollments,
      person,
      ownPolicy,
      progress,
      isNew,
    }),
    ...(renewing?.length && { renewing: new Set(renewing.map(({ authenticator }) => authenticator)) }),
    ...(person !== undefined &&
      enrollments !== undefined && {
        owner: ownerOf(parts, person, enrollments, ownPolicy),
      }),
    asksFirst: {
      has: (key) =>
        parts.authenticators.get(key)?.challenge?.asksFirst?.(
          client,
          (enrollments ?? []).filter(({ authenticator }) => authenticator === key),
        ) === true,
    },
  }
  return {
    ...others,
    transaction: { ...transaction, progress },
    situation,
    enrollments: enrollments ?? [],
    profileForm:
      isNew && progress.subject === undefined
        ? profileFields(registration, await findUserSchema(db))
        : undefined,
    stage: decide(progress, situation).stage,
  }
}

/**
 * Whether the mailbox has just been proven of an account that a visitor made without it, so that nothing that was enrolled
 * in it counts (A63): it is removed with that proof, or at the end of what a mailed token has begun.
 */
function isClaiming(
  { authenticators }: FlowParts,
  person: Person | undefined,
  { proofs }: Progress,
): boolean {
  const [first] = proofs
  if (person === undefined || first === undefined || !isUnclaimed(person)) return false
  return first.mailed === true || authenticators.get(first.authenticator)?.implicit === true
}

/** What proves that it is the user who adds a method. What no policy lets a sign-in use cannot be asked for. */
function ownerOf(
  { authenticators, clock, lifetimes }: FlowParts,
  person: Person,
  enrollments: readonly Enrollment[],
  { signOn, recovery, methodsOff }: Situation['ownPolicy'],
): Owner {
  const now = clock.now()
  const own = enrollments.filter(({ authenticator: key }) => {
    const authenticator = authenticators.get(key)
    const off = methodsOff[key] ?? []
    return (
      authenticator?.reset === undefined &&
      !authenticator?.implicit &&
      signOn.authenticators.includes(key) &&
      authenticator?.methods.every(({ type }) => off.includes(type)) !== true
    )
  })
  const settledMs = lifetimes.ownChanges
  const { recoveredAt } = person
  const rules = { now, settledMs, recovering: recovery.authenticators }
  const found = provingEnrollments(person, own, rules)
  return {
    own,
    // What may have begun the recovery is asked for all the same: a thief with the new password alone stops there (A69).
    proving: found.isOlder
      ? found.enrollments
      : own.filter(({ createdAt }) => recoveredAt !== undefined && createdAt < recoveredAt),
    settled: settledOf(found.enrollments, rules),
    isRecovered: recoveredAt !== undefined && now < recoveredAt + settledMs && !found.isOlder,
  }
}

/**
 * What of the profile is asked for, or, in a recovery, would be asked for by the activation that the user waits for. Nothing
 * is read for it where the app's policy does not ask.
 */
async function missingOf(
  { policies, storage }: FlowParts,
  { id: clientId, settings }: Client,
  { profile, status, terms: agreed }: Person,
  { intent }: Progress,
): Promise<Pick<Situation, 'missing'>> {
  const isWaiting = status === 'PROVISIONED' && intents[intent].needsCompleted === true
  const { completes, activates } = intents[isWaiting ? 'activation' : intent]
  const { profileEnrollmentPolicyId, profileCompletion = true } = settings
  if (completes === undefined || !profileCompletion) return {}
  const registration = await policies.registration({ profileEnrollmentPolicyId, clientId })
  const terms =
    completes === 'profile-and-terms' && registration.terms?.version !== agreed?.version
      ? registration.terms
      : undefined
  const asks = registration.progressiveProfiling || (registration.byInvitation && activates === true)
  if (!asks && terms === undefined) return {}
  const schema = await findUserSchema(storage.db)
  return {
    missing: missingFields({ attributes: asks ? registration.attributes : [], terms }, schema, profile),
  }
}

/** What the app wishes of this sign-in. */
function wishOf({
  request: { acrValues, maxAge, owner, hosted },
}: Interaction): Pick<Situation, 'wish' | 'endsInMessage' | 'returnsToApp'> {
  const isWish = acrValues !== undefined || maxAge !== undefined
  return {
    ...(isWish && { wish: { acrValues, maxAge } }),
    ...(isWish && hosted !== undefined && { returnsToApp: true as const }),
    ...(owner !== undefined && { endsInMessage: true as const }),
  }
}

/**
 * What was proven on a remembered device. Looked for only after a proof, and only where the policy remembers devices: no answer before it
 * depends on it.
 */
async function rememberedOn(
  { storage, clock }: FlowParts,
  { interaction, client }: Pick<TransactionContext, 'interaction' | 'client'>,
  personId: string,
): Promise<Pick<Situation, 'remembered'>> {
  const { device: hash } = interaction.origin
  if (hash === undefined) return {}
  const by = { personId, clientId: client.id, hash }
  const found = await findRememberedDevice<readonly Evidence[]>(storage.db, by, clock.now())
  if (found === undefined) return {}
  const { evidence, createdAt: at } = found
  return { remembered: evidence.map((one) => ({ ...one, at, remembered: true as const })) }
}

/** Whether some authenticator in use is one that a user may or may not have: else there is nothing to look up. */
const enrollmentsMatter = (
  { authenticators }: FlowParts,
  { signOn, enrollment }: Situation['ownPolicy'],
): boolean =>
  enrollment.length > 0 ||
  signOn.authenticators.some((key) => {
    const authenticator = authenticators.get(key)
    const { enroll, implicit, reset } = authenticator ?? {}
    return enroll !== undefined && reset === undefined && !implicit
  })

/** The authenticators that a user has. Without a look-up: those of every account, and the password. */
const enrolledIn = (
  { authenticators }: FlowParts,
  {
    enrollments,
    person,
    ownPolicy,
    progress: { proofs },
    isNew,
  }: Pick<Situation, 'ownPolicy'> & {
    readonly progress: Progress
    /** The user is being made: what every account has must be proven, too. */
    readonly isNew: boolean
    readonly enrollments: readonly Enrollment[] | undefined
    readonly person: Person | undefined
  },
): ReadonlySet<string> =>
  new Set([
    ...[...authenticators.values()].flatMap(({ key, implicit, hasEnrolled, reset }) => {
      const isAsked = implicit && (isNew || ownPolicy.enrollment.some((one) => one.key === key))
      // Who holds what was mailed reads the mailbox: written with the end of the transaction, as the token is used up then.
      const isMailed = proofs.some(({ mailed }) => mailed)
      const isOwn = isAsked ? person !== undefined && (isMailed || hasEnrolled?.(person) !== false) : implicit
      return isOwn || (enrollments === undefined && reset !== undefined) ? [key] : []
    }),
    ...(enrollments ?? []).map(({ authenticator }) => authenticator),
  ])

/** Who was looked up last by a name while a context was answered: the user that the answer names need not be read again. */
const namedIn = new WeakMap<TransactionContext, Member>()

/** The user that a progress names; as many statements whether or not there is one, and whether or not the answer names the one found. */
async function memberNamed(db: Db, before: TransactionContext, { subject }: Progress): Promise<Member> {
  const named = namedIn.get(before)
  if (named === undefined) return findMember(db, subject?.userId ?? '')
  if (named.person?.id === subject?.userId) return named
  const { everyoneId } = named
  return subject?.userId === undefined
    ? { person: undefined, groupIds: [everyoneId], everyoneId }
    : findMember(db, subject.userId)
}

/** The context of what an outcome has made of the transaction: an answer may have named a user, or proven something. */
export async function contextAfter(
  parts: FlowParts,
  before: TransactionContext,
  progress: Progress,
): Promise<TransactionContext> {
  const { client, situation } = before
  const registration = await registrationAt(parts, client)
  // Read with the transaction a moment ago. Whatever changes a user since then raises the user's version (A49).
  const { ownPolicy, policyBeforeProof } = situation
  const about =
    progress.subject === before.transaction.progress.subject &&
    isRegistration(progress) === isRegistration(before.transaction.progress)
      ? { ownPolicy, policyBeforeProof, registration, groupIds: [] }
      : await aboutUser(
          parts,
          client,
          memberOf(
            parts.secrets,
            progress,
            await memberNamed(parts.storage.db, before, progress),
            registration,
            before.transaction.progress.subject?.userId === undefined,
          ),
          registration,
        )
  return withFacts(parts, { ...before, ...about }, progress, { checksAccess: true })
}

/** By the secret of the transaction, so that nodes with the secrets in another order make the same value. */
const derivedWith = (secrets: Secrets, keyVersion: string, purpose: string, id: string): string =>
  secrets.hashes(purpose, id).find((hash) => secretVersionOf(hash) === keyVersion) ??
  secrets.hash(purpose, id)

/** What a step may read of a transaction. */
export function viewOf(
  { authenticators, secrets }: Pick<FlowParts, 'authenticators' | 'secrets'>,
  {
    transaction,
    stage,
    situation,
    person,
    enrollments,
    interaction,
    client,
    profileForm,
  }: TransactionContext,
): View {
  const { id, keyVersion, progress } = transaction
  const isProven = progress.proofs.length > 0
  const known = (keys: readonly string[]) => keys.flatMap((key) => authenticators.get(key) ?? [])
  const offered = offeredAt(stage, progress, situation)
  const { choices, provenBy } = offered
  // What does not open the enrolment is not asked for: a client would offer a newer passkey as well as the older one.
  const isAnswer = ({ id, authenticator }: Enrollment) =>
    provenBy === undefined || !choices.includes(authenticator) || provenBy.includes(id)
  return {
    progress,
    stage,
    authenticators,
    policy: policyOf(progress, situation),
    methodsOf: (authenticator) => methodsOf(authenticator, progress, situation),
    choices: known(choices),
    enrollable: known(offered.enrollable),
    skippable: offered.skippable,
    gracePeriods: offered.gracePeriods,
    ...(situation.missing && { missing: situation.missing }),
    ...(situation.consent && { consent: situation.consent }),
    replaceable: known(replaceable(situation).map(({ key }) => key))[0],
    enrollments: isProven ? enrollments.filter(isAnswer) : [],
    user: isProven ? person : undefined,
    registration: situation.registration,
    profileForm: profileForm ?? [],
    client,
    loginHint: interaction.request.loginHint,
    transaction: { id, derived: (purpose) => derivedWith(secrets, keyVersion, `derived ${purpose}`, id) },
  }
}

/** What a submission has of its own. */
interface SubmissionPorts {
  readonly signal?: AbortSignal | undefined
  claim(): void
}

/** Read ports and values for a step. */
export function contextOf(parts: FlowParts, loaded: TransactionContext, ports: SubmissionPorts): StepContext {
  const { db } = parts.storage
  const now = parts.clock.now()
  const { interaction, client, person, situation } = loaded
  const source = sourceOf(interaction)
  const { progress } = loaded.transaction
  // Nothing that the user added a moment ago without an older proof begins a recovery or an unlock (A77).
  const begins = progress.proofs.length === 0 && isSelfService(progress)
  const counts = (one: Enrollment) => !begins || isSettled(one, now)
  return {
    ...viewOf(parts, loaded),
    now,
    referenceTime: parts.clock.reference?.() ?? now,
    interaction,
    person,
    ownPolicy: situation.ownPolicy,
    random: parts.random,
    secrets: parts.secrets,
    budgets: parts.budgets,
    source,
    signal: ports.signal,
    claim: ports.claim,
    countRefusal: (budget) => parts.refusals?.count(budget),
    attackFrom: parts.spray.attackFrom,
    signInsFromSource: parts.spray.signInsFrom(source),
    beginAnswer: () => parts.spray.begin(source),
    isKnownSource: (user) => isKnownSource(user?.knownSources, parts.secrets, interaction),
    chargeMail: () => chargeSource(parts, interaction, 'mail'),
    chargeText: () => chargeSource(parts, interaction, 'text'),
    chargeSuccessor: () => chargeSource(parts, interaction, 'successor'),
    chargeSignUp: () => chargeSource(parts, interaction, 'sign-up'),
    ...(parts.beforeRegistration && { beforeRegistration: parts.beforeRegistration }),
    org: parts.org,
    lifetimes: parts.lifetimes,
    ...settlingFrom(parts, loaded, now),
    directory: {
      async findByIdentifier(identifier) {
        const member = await findMemberByIdentifier(db, identifier)
        namedIn.set(loaded, member)
        return member.person
      },
      find: (personId) => findPerson(db, personId),
      async enrollment<Data>(personId: string, authenticator: string) {
        const found = await findEnrollment<Data>(db, personId, authenticator)
        return found !== undefined && counts(found) ? found : undefined
      },
      async enrollments<Data>(personId: string, authenticator: string) {
        const all = await findEnrollments(db, personId)
        return all.filter(
          (one) => one.authenticator === authenticator && counts(one),
        ) as readonly Enrollment<Data>[]
      },
      findByHandle: async (handle) => findPerson(db, (await holderOfHandle(db, handle)) ?? ''),
      isSlotTaken: (authenticator, slot) => isSlotTaken(db, authenticator, slot),
      userSchema: () => findUserSchema(db),
    },
    about: async (progress) => contextOf(parts, await contextAfter(parts, loaded, progress), ports),
    used: (uses) => usedOf(db, uses, now),
    peek: (uses) => peek(db, uses, now),
    linkFor: (token) => parts.linkFor(client.id, token),
  }
}

/** Whether it ends in a new credential or an open account, by what it begins with. */
const isSelfService = ({ intent }: Progress): boolean =>
  intents[intent].unlocks === true || intents[intent].replaces !== undefined

/**
 * From when what the user enrols now counts, where no factor that counts was proven before it (A77). At once in an account that is being
 * made: there is nothing in it yet to take over.
 */
function settlingFrom(
  { lifetimes }: FlowParts,
  { situation, transaction: { progress } }: TransactionContext,
  now: number,
): Pick<StepContext, 'settlesAt'> {
  const { owner } = situation
  const { enrolsFirst, activates } = intents[progress.intent]
  const isOwner =
    owner !== undefined && isProvenBy(owner.settled, openingProofs(progress, situation), owner.own)
  return isOwner || enrolsFirst || activates || lifetimes.ownChanges === 0
    ? {}
    : { settlesAt: now + lifetimes.ownChanges }
}

async function chargeSource(
  { limits, clock }: FlowParts,
  { clientId, origin }: Interaction,
  what: 'mail' | 'text' | 'successor' | 'sign-up',
): Promise<Refusal | undefined> {
  const { app, ip = '' } = origin
  try {
    await limits.charge(what, { address: ip, client: clientId, app: app ? clientId : undefined })
    return undefined
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.status !== 429) throw error
    const seconds = Number(error.headers['Retry-After'])
    return { status: 429, key: 'tooManyRequests', retryAt: clock.now() + seconds * 1000 }
  }
}
