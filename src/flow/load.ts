import { type Clock, ProtocolError, type Random, type Secrets } from '../base/index.ts'
import { type Client, isAssigned } from '../clients/index.ts'
import {
  compareKey,
  findCredential,
  findMember,
  findPerson,
  findPersonByIdentifier,
  findPersonTokenById,
  type Member,
  type Person,
} from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'
import {
  type Budgets,
  peek,
  type RequestLimits,
  type RequestSource,
  sourceOf,
  usedOf,
} from '../limits/index.ts'
import type { Policies, Policy } from '../policies/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Authenticator, StepContext } from './authenticator.ts'
import type { FlowOutcome } from './flow-outcomes.ts'
import { isKnownSource } from './known-sources.ts'
import { isLockOver } from './lockout.ts'
import type { Refusal } from './outcome.ts'
import { beginByToken } from './progress.ts'
import { type Stage, stageOf } from './stage.ts'
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
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** Where a magic link leads, for the client and the link's token. */
  linkFor(clientId: string, token: string): string
  readonly org: StepContext['org']
  /** Called when something was written: a mail may be waiting. */
  onCommitted(): void
  /** Told what becomes of conversations, for figures. */
  onFlowOutcome?(turn: FlowOutcome): void
  /** In milliseconds. */
  readonly lifetimes: {
    readonly transaction: number
    readonly code: number
    readonly notice: number
    readonly interactionCode: number
    readonly session: number
  }
}

/** Where a transaction stands, with everything that its next step may look at, read afresh. */
export interface TransactionContext {
  readonly transaction: Transaction
  readonly stage: Stage
  readonly policy: Policy
  readonly interaction: Interaction
  readonly client: Client
  /** As she counts now: one whose lock is over is active, whatever is stored. */
  readonly person: Person | undefined
  readonly lockIsOver: boolean
}

/** The one answer to handles that are unknown, expired or spent: which of these it was is not told. */
export const sessionExpired = (detail: string): ProtocolError =>
  new ProtocolError(
    401,
    'idx.session.expired',
    'You have been logged out due to inactivity. Refresh or return to the sign in screen.',
    { detail },
  )

/** Told where a request comes from and what it is about, as soon as that is known: charges it, or throws. */
export type RequestCharge = (
  source: Omit<RequestSource, 'address'> & {
    /** The person's own, where a confidential client vouched for it. */
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

/** The standing of a state handle. Throws `idx.session.expired` where it is unknown or its time is over. */
export async function loadByState(
  parts: FlowParts,
  stateHandle: string,
  charge = uncharged,
): Promise<TransactionContext> {
  const scene = await findRecordByState(parts.storage.db, stateHandle, parts.secrets)
  if (scene?.transaction === undefined) throw sessionExpired('unknown state handle')
  await charged(charge, scene.interaction, scene.transaction)
  return contextFrom(parts, scene, scene.transaction)
}

/** The standing of an interaction handle: its latest conversation; the first look opens the first one. */
export async function loadByInteraction(
  parts: FlowParts,
  handle: string,
  charge = uncharged,
): Promise<TransactionContext> {
  const { clock, random, secrets, storage, lifetimes } = parts
  const now = clock.now()
  const scene = await findRecordByInteraction(storage.db, handle, { secrets, now })
  if (scene === undefined) throw sessionExpired('unknown or expired interaction handle')
  const { transaction, interaction } = scene
  await charged(charge, interaction, transaction)
  if (transaction !== undefined) return contextFrom(parts, scene, transaction)

  const { id: interactionId, clientId } = interaction
  const token = await tokenOf(parts, interaction, now)
  const expiresAt = Math.min(now + lifetimes.transaction, interaction.expiresAt, token?.expiresAt ?? Infinity)
  const made = await openTransaction(
    storage.db,
    { interactionId, clientId, turn: 0, expiresAt, ...(token && { progress: token.progress }) },
    { secrets, random, now },
  )
  // Of two that open it at once one has made it; a token is a recovery that has begun.
  if (made !== undefined && token !== undefined)
    parts.onFlowOutcome?.({ intent: 'recovery', outcome: 'started' })
  const opened = made ?? (await findTransactionOfInteraction(storage.db, interactionId, secrets))
  if (opened === undefined)
    throw new Error(`interaction ${interactionId} has no transaction after opening one`)
  // The scene was read before anybody was known by it.
  if (token !== undefined) return loadByInteraction(parts, handle)
  return contextFrom(parts, scene, opened)
}

/** What a recovery token that `interact` was given tells of its person. Throws where it has ended since. */
async function tokenOf({ storage }: FlowParts, { request }: Interaction, now: number) {
  if (request.recoveryTokenId === undefined) return undefined
  const token = await findPersonTokenById(storage.db, request.recoveryTokenId, now)
  const person = token && (await findPerson(storage.db, token.personId))
  if (token === undefined || person === undefined) throw sessionExpired('the recovery token has ended')
  const subject = { identifier: person.profile.login, userId: person.id }
  return { expiresAt: token.expiresAt, progress: beginByToken(subject, { tokenId: token.id, at: now }) }
}

async function contextFrom(
  parts: FlowParts,
  { interaction, client, member }: TransactionRecord,
  transaction: Transaction,
): Promise<TransactionContext> {
  const { progress } = transaction
  if (transaction.expiresAt <= parts.clock.now()) throw sessionExpired('the transaction has expired')
  if (progress.format !== 1) throw sessionExpired('the transaction is of an older format')
  if (client?.status !== 'ACTIVE') throw sessionExpired('the client is not active')
  const counting = await userAndPolicy(parts, client, member)
  return { transaction, stage: stageOf(progress, counting.policy), interaction, client, ...counting }
}

type UserAndPolicy = Pick<TransactionContext, 'person' | 'policy' | 'lockIsOver'>

/** A person as she is now, with the policy for her groups at a client; Everyone's for nobody. */
export const userAndPolicyOf = async (
  parts: FlowParts,
  client: Client,
  personId: string | undefined,
): Promise<UserAndPolicy> => userAndPolicy(parts, client, await findMember(parts.storage.db, personId ?? ''))

async function userAndPolicy(
  { policies, clock }: FlowParts,
  { settings }: Client,
  { person, groupIds }: Member,
): Promise<UserAndPolicy> {
  const policy = await policies.for({ groupIds, personId: person?.id }, settings)
  const lockIsOver = isLockOver(person, policy, clock.now())
  return { policy, lockIsOver, person: person && lockIsOver ? { ...person, status: 'ACTIVE' } : person }
}

/** What a submission has of its own. */
export interface SubmissionPorts {
  readonly signal?: AbortSignal | undefined
  claim(): void
}

/** Read ports and values for a step. */
export function contextOf(
  parts: FlowParts,
  standing: TransactionContext,
  { signal, claim }: SubmissionPorts,
): StepContext {
  const { db } = parts.storage
  const now = parts.clock.now()
  const { transaction, interaction, client, person, policy, stage } = standing
  return {
    transactionId: transaction.id,
    progress: transaction.progress,
    policy,
    stage,
    now,
    client,
    interaction,
    person,
    authenticators: parts.authenticators,
    random: parts.random,
    secrets: parts.secrets,
    budgets: parts.budgets,
    source: sourceOf(interaction),
    signal,
    claim,
    isKnownSource: (user) => isKnownSource(user?.knownSources, parts.secrets, interaction),
    chargeMail: () => chargeMail(parts, interaction),
    org: parts.org,
    lifetimes: parts.lifetimes,
    directory: {
      findByIdentifier: (identifier) => findPersonByIdentifier(db, identifier),
      credential: (personId, authenticator) => findCredential(db, personId, authenticator),
    },
    memberFor: (personId) => userAndPolicyOf(parts, client, personId),
    used: (uses) => usedOf(db, uses, now),
    peek: (uses) => peek(db, uses, now),
    linkFor: (token) => parts.linkFor(client.id, token),
  }
}

async function chargeMail(
  { limits, clock }: FlowParts,
  { clientId, origin }: Interaction,
): Promise<Refusal | undefined> {
  const { app, ip = '' } = origin
  try {
    await limits.charge('mail', { address: ip, client: clientId, app: app ? clientId : undefined })
    return undefined
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.status !== 429) throw error
    const seconds = Number(error.headers['Retry-After'])
    return { status: 429, key: 'tooManyRequests', retryAt: clock.now() + seconds * 1000 }
  }
}

/** Whether the person an outcome is about may use the client. */
export const assignmentOf = (
  parts: FlowParts,
  clientId: string,
  personId: string | undefined,
): Promise<boolean> => isAssigned(parts.storage.db, clientId, personId ?? '')
