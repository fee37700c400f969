import { deviceHash, newDeviceSecret, rememberDevice } from '../../directory/index.ts'
import { type Evidence, evidenceOf } from '../../policies/index.ts'
import type { Progress } from '../progress.ts'
import { demandOf, type Situation } from '../situation.ts'
import type { Completion } from './complete.ts'

/** What a device keeps: a secret that the engine drew, which is stored as its hash alone. */
export interface RememberedSecret {
  readonly secret: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** For a confidential client to store, in a header; otherwise for the browser, as a cookie. */
  readonly vouched: boolean
}

/** A cookie lives this long at most (RFC 6265bis). */
const longest = 400 * 86_400_000

/**
 * Remembers the device of a sign-in, where the policy remembers devices, the user wished it (or the policy does it for everyone), and
 * a second factor was proven just now: what is remembered is that proof, with its time. What was remembered before does not live on by being
 * used. Undefined: there is nothing to remember.
 */
export async function remember(
  { tx, random, interaction, now }: Completion,
  progress: Progress,
  situation: Situation,
): Promise<RememberedSecret | undefined> {
  const { signOn } = situation.ownPolicy
  const { remembered } = demandOf(progress, situation)
  const personId = progress.subject?.userId
  const isWished = progress.remember === true || signOn.remembersByDefault === true
  if (remembered === undefined || !isWished || personId === undefined) return undefined
  const evidence = secondOf(progress, situation)
  if (evidence.length === 0) return undefined

  const createdAt = Math.min(...evidence.map(({ at }) => at))
  const lasts = Math.max(remembered.factors ?? 0, remembered.alternatives ?? 0)
  const expiresAt = createdAt + Math.min(lasts, longest)
  if (expiresAt <= now) return undefined
  const secret = newDeviceSecret(random)
  const { vouched, device: before } = interaction.origin
  const hash = deviceHash(secret) ?? ''
  const stored = evidence.map(({ at: _, ...one }) => one)
  await rememberDevice(
    tx,
    { personId, clientId: interaction.clientId, hash, evidence: stored, createdAt, expiresAt },
    { random, before },
  )
  return { secret, expiresAt, vouched }
}

/**
 * What was proven besides the first factor. Only as what the user possesses: a passkey that verified its user would else be both factors of a
 * later sign-in by itself.
 */
function secondOf(
  { proofs, intent }: Progress,
  situation: Situation,
): readonly (Evidence & { at: number })[] {
  if (intent !== 'sign-in') return []
  const isKnowledgeProven = proofs.some(({ factors }) => factors.includes('knowledge'))
  if (!isKnowledgeProven) return []
  return proofs.flatMap(({ authenticator: key, method, factors, traits, at, carried }) => {
    // What the browser's session carries was remembered when it was proven, if at all: nothing of that changes by a silent sign-in.
    if (carried) return []
    const authenticator = situation.authenticators.get(key)
    const isAllowed = situation.ownPolicy.signOn.notAllowed?.includes(key) !== true
    if (authenticator === undefined || !factors.includes('possession') || !isAllowed) return []
    return [{ ...evidenceOf(authenticator, method), factors: ['possession' as const], traits, at }]
  })
}
