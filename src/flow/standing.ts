import { type Clock, ProtocolError, type Random, type Secrets } from '../base/index.ts'
import { type Client, findClient, isAssigned } from '../clients/index.ts'
import {
  findCredential,
  findPerson,
  findPersonByIdentifier,
  getEveryone,
  groupIdsOf,
  type Person,
} from '../directory/index.ts'
import { findInteraction, findInteractionByHandle, type Interaction } from '../interactions/index.ts'
import { type Budgets, usedOf } from '../limits/index.ts'
import type { Policies, Policy } from '../policies/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Authenticator } from './authenticator.ts'
import { type Stage, stageOf } from './stage.ts'
import type { StepContext } from './step.ts'
import {
  findTransactionByState,
  findTransactionOfInteraction,
  openTransaction,
  type Transaction,
} from './store.ts'

/** What the flow is built from. */
export interface FlowParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly policies: Policies
  readonly budgets: Budgets
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** Where a magic link leads, for the client and the link's token. */
  linkFor(clientId: string, token: string): string
  readonly org: StepContext['org']
  /** Called when something was written: a mail may be waiting. */
  onCommitted(): void
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
export interface Standing {
  readonly transaction: Transaction
  readonly stage: Stage
  readonly policy: Policy
  readonly interaction: Interaction
  readonly client: Client
  readonly person: Person | undefined
}

/** The one answer to handles that are unknown, expired or spent: which of these it was is not told. */
export const sessionExpired = (detail: string): ProtocolError =>
  new ProtocolError(
    401,
    'idx.session.expired',
    'You have been logged out due to inactivity. Refresh or return to the sign in screen.',
    { detail },
  )

/** The standing of a state handle. Throws `idx.session.expired` where it is unknown or its time is over. */
export async function standingByState(parts: FlowParts, stateHandle: string): Promise<Standing> {
  const transaction = await findTransactionByState(parts.storage.db, stateHandle, parts.secrets)
  if (transaction === undefined) throw sessionExpired('unknown state handle')
  const interaction = await findInteraction(parts.storage.db, transaction.interactionId)
  if (interaction === undefined) throw sessionExpired('the interaction is gone')
  return standing(parts, transaction, interaction)
}

/** The standing of an interaction handle: its latest conversation; the first look opens the first one. */
export async function standingByInteraction(parts: FlowParts, handle: string): Promise<Standing> {
  const { clock, random, secrets, storage, lifetimes } = parts
  const now = clock.now()
  const interaction = await findInteractionByHandle(storage.db, handle, now)
  if (interaction === undefined) throw sessionExpired('unknown or expired interaction handle')
  const known = await findTransactionOfInteraction(storage.db, interaction.id, secrets)
  if (known !== undefined) return standing(parts, known, interaction)

  const expiresAt = Math.min(now + lifetimes.transaction, interaction.expiresAt)
  const { id, clientId } = interaction
  await openTransaction(
    storage.db,
    { interactionId: id, clientId, turn: 0, expiresAt },
    { secrets, random, now },
  )
  const opened = await findTransactionOfInteraction(storage.db, id, secrets)
  if (opened === undefined) throw new Error(`interaction ${id} has no transaction after opening one`)
  return standing(parts, opened, interaction)
}

async function standing(
  parts: FlowParts,
  transaction: Transaction,
  interaction: Interaction,
): Promise<Standing> {
  const { progress } = transaction
  if (transaction.expiresAt <= parts.clock.now()) throw sessionExpired('the transaction has expired')
  if (progress.format !== 1) throw sessionExpired('the transaction is of an older format')
  const client = await findClient(parts.storage.db, interaction.clientId)
  if (client?.status !== 'ACTIVE') throw sessionExpired('the client is not active')
  // The same statements for people who exist and for people who do not.
  const person = await findPerson(parts.storage.db, progress.subject?.userId ?? '')
  const policy = await policyFor(parts, person?.id)
  return { transaction, stage: stageOf(progress, policy), policy, interaction, client, person }
}

/** The policy for a person's groups; Everyone's for nobody. */
export async function policyFor(parts: FlowParts, personId: string | undefined): Promise<Policy> {
  const own = await groupIdsOf(parts.storage.db, personId ?? '')
  const { id: everyone } = await getEveryone(parts.storage.db)
  return parts.policies.for([...own, everyone])
}

/** Read ports and values for a step. */
export function contextOf(parts: FlowParts, standing: Standing): StepContext {
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
    org: parts.org,
    lifetimes: parts.lifetimes,
    directory: {
      findByIdentifier: (identifier) => findPersonByIdentifier(db, identifier),
      credential: (personId, authenticator) => findCredential(db, personId, authenticator),
    },
    policyFor: (personId) => policyFor(parts, personId),
    used: (budget, subject) => usedOf(db, budget, subject, now),
    linkFor: (token) => parts.linkFor(client.id, token),
  }
}

/** Whether the person an outcome is about may use the client. */
export const assignmentOf = (
  parts: FlowParts,
  clientId: string,
  personId: string | undefined,
): Promise<boolean> => isAssigned(parts.storage.db, clientId, personId ?? '')
