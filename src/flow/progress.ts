/**
 * What is known in one conversation: facts, not a position. One readonly JSON value on the transaction's row, changed
 * only by the functions below; `stageOf` alone says what is asked next.
 */
export interface Progress {
  /** Version of this shape: an older one means that the transaction has expired. */
  readonly format: 1
  readonly intent: 'sign-in' | 'recovery'
  /** Who the visitor says they are. */
  readonly subject?: Subject
  /** What has been proven of it. */
  readonly proofs: readonly Proof[]
  /** What is being asked at the moment. */
  readonly challenge?: Challenge
  /** Wrong answers so far, whatever they were wrong about. */
  readonly misses: number
  /** Authenticators whose credential was replaced in this conversation. */
  readonly replaced: readonly string[]
  /** Authenticators that were proven by a credential whose time is over: it must be replaced first. */
  readonly expired?: readonly string[]
  readonly closed?: Closing
}

export interface Subject {
  /** As typed. */
  readonly identifier: string
  /** Absent: nobody is known by it. The conversation goes on just the same. */
  readonly userId?: string
}

export interface Proof {
  readonly authenticator: string
  readonly at: number
  /** The token it was proven by: spent with what it leads to, not before. */
  readonly tokenId?: string
}

export interface Challenge {
  readonly authenticator: string
  readonly startedAt: number
  readonly expiresAt: number
  /** Hash of the magic link's token, if there is a link. */
  readonly linkHash?: string
  /** The authenticator's own: hashes and sealed values, nothing that could be used from a database dump. */
  readonly data: unknown
}

/** Why a conversation is over. */
export type Closing = 'cancelled' | 'completed' | 'recovered' | 'locked' | 'denied' | 'superseded'

export const begin = (): Progress => ({ format: 1, intent: 'sign-in', proofs: [], misses: 0, replaced: [] })

/** What stands in the place of an authenticator where somebody came with a token that she was given. */
export const recoveryToken = 'recovery_token'

/** A recovery that begins at its end: a token says who it is, and is proof enough. */
export const beginByToken = (
  subject: Subject,
  proof: { readonly tokenId: string; readonly at: number },
): Progress => ({
  ...begin(),
  intent: 'recovery',
  subject,
  proofs: [{ authenticator: recoveryToken, ...proof }],
})

/** Takes note of who the visitor says they are. */
export const identify = (progress: Progress, subject: Subject): Progress => ({ ...progress, subject })

/** Turns a sign-in into a recovery. What was being asked is dropped, who it is about is kept. */
export const recover = ({ challenge: _, ...progress }: Progress): Progress => ({
  ...progress,
  intent: 'recovery',
})

/** Opens a challenge in place of the one before. */
export const challenge = (progress: Progress, opened: Challenge): Progress => ({
  ...progress,
  challenge: opened,
})

/** Takes note of a right answer; the challenge is over and its code is spent with it. */
export const prove = ({ challenge: _, ...progress }: Progress, proof: Proof): Progress => ({
  ...progress,
  proofs: [...progress.proofs, proof],
})

/** Takes note that what was proven by is too old to go on with. */
export const expire = (progress: Progress, authenticator: string): Progress => ({
  ...progress,
  expired: [...(progress.expired ?? []), authenticator],
})

/** How many wrong answers a conversation survives: the fifth one closes it. */
export const missesAllowed = 5

/** Takes note of a wrong answer; too many close the conversation. */
export function miss(progress: Progress): Progress {
  const missed = { ...progress, misses: progress.misses + 1 }
  return missed.misses >= missesAllowed ? close(missed, 'locked') : missed
}

/** Takes note of a new credential, which also proves that the person has it. */
export const replace = (progress: Progress, authenticator: string, at: number): Progress => ({
  ...prove(progress, { authenticator, at }),
  replaced: [...progress.replaced, authenticator],
})

export const cancel = (progress: Progress): Progress => close(progress, 'cancelled')

/** Ends the conversation; whatever was being asked is worth nothing any more. */
export const close = ({ challenge: _, ...progress }: Progress, closed: Closing): Progress => ({
  ...progress,
  closed,
})
