import { type AuthenticatorFacts, type Evidence, evidenceOf } from '../policies/index.ts'

/** What a transaction is for. `intents.ts` says what each asks for. */
export type IntentName = 'sign-in' | 'recovery' | 'unlock' | 'activation' | 'enrolment' | 'registration'

/**
 * What is known in one transaction: facts, not a position. One readonly JSON value on the transaction's row, changed
 * only by the functions below; `decide` alone says what is asked next.
 */
export interface Progress {
  /** Version of this shape: rows of older ones are read by `upgraded`. */
  readonly format: 2
  readonly intent: IntentName
  /** Who the visitor claims to be. */
  readonly subject?: Subject
  /** What has been proven of it. */
  readonly proofs: readonly Proof[]
  /** The browser's session that carries some of the proofs, by its id: they count for as long as it lives (`carried.ts`). */
  readonly carriedBy?: string
  /** What is being asked at the moment. */
  readonly challenge?: Challenge
  /** Wrong answers so far, to any challenge. */
  readonly misses: number
  /** Authenticators whose credential was replaced in this transaction. */
  readonly replaced: readonly string[]
  /** Authenticators that were proven by a credential that has expired: it must be replaced first. */
  readonly expired?: readonly string[]
  /** The user wishes this device to be remembered. */
  readonly remember?: true
  /** What was enrolled in this transaction, by authenticator. */
  readonly enrolled?: readonly string[]
  /** The token that it began with had expired: all that is offered is another mail with one. */
  readonly lapsed?: true
  /** What is written when the transaction completes an account, not before: effects, each sealed. */
  readonly deferred?: readonly string[]
  /** What is to be enrolled, by the keys of authenticators: of an enrolment alone. */
  readonly wanted?: readonly string[]
  /** What a visitor has filled in to make an account; absent: nothing yet. Of a registration alone. */
  readonly registration?: Registration
  /** A credential that was proven, and in how many days it expires; absent: none does soon, or the warning was declined. */
  readonly expiring?: { readonly authenticator: string; readonly days: number }
  /** The enrolments that may be declined were declined. */
  readonly skipped?: true
  /** The attributes that the user did not have were filled in. */
  readonly profileCompleted?: true
  /** The scopes that the user has allowed the app in this transaction. */
  readonly consented?: readonly string[]
  /**
   * Set where something else ended the transaction: a reset in another browser, a new status. It goes on as that of an
   * unknown user, so that a caller who only watches it does not learn that anything happened.
   */
  readonly decoy?: true
  readonly closed?: Closing
}

export interface Subject {
  /** As typed. */
  readonly identifier: string
  /** Absent: no user has this name. The transaction goes on just the same. */
  readonly userId?: string
}

/** Something that was proven, and when. */
export interface Proof extends Evidence {
  readonly at: number
  /** Which of the user's enrollments proved it. */
  readonly enrollmentId?: string
  /** The token it was proven by: used up by what it leads to, not before. */
  readonly tokenId?: string
  /** The token was mailed to the user's address: the mailbox is proven with it. */
  readonly mailed?: true
  /** The authenticator that could have set this credential, where policy counts the two as one factor. */
  readonly setBy?: string
  /** What it was proven by, as it was then (`credentialOf`): another transaction counts it for as long as that is the same. */
  readonly credential?: string
}

export interface Challenge {
  readonly authenticator: string
  readonly method: string
  /** To prove something, or to enrol something new. */
  readonly purpose: 'verify' | 'enroll'
  /** More must be known before anything is sent: which method, which number. */
  readonly pending?: true
  /** Which of the user's enrollments is challenged, where there are several of a kind. */
  readonly enrollmentId?: string
  readonly startedAt: number
  readonly expiresAt: number
  /** Hash of the magic link's token, if there is a link. */
  readonly linkHash?: string
  /** The authenticator's own: hashes and sealed values, nothing that could be used from a database dump. */
  readonly data: unknown
}

/**
 * A user who is not there yet: all of it stands here until the mailbox, or what else is asked for first, is proven. Before
 * that no row, no name and no membership is written, so a stranger reserves nothing (A63).
 */
export interface Registration {
  /** The id that the user will have. */
  readonly id: string
  /** The profile as JSON, sealed: it is personal, and may be about another user. */
  readonly profile: string
  /** The enrollment of the password that the form asked for, as JSON, sealed. Absent: the password is enrolled by itself. */
  readonly password?: string
  /** The terms that were agreed to, and when. */
  readonly terms?: { readonly version: string; readonly url: string; readonly at: number }
  /** When the form was accepted. */
  readonly at: number
}

/** Why a transaction is over. */
export type Closing =
  | 'cancelled'
  | 'completed'
  | 'recovered'
  | 'unlocked'
  /** Another activation mail was asked for. */
  | 'requested'
  | 'locked'
  | 'denied'
  /** The user does not allow the app what it wants: the browser goes back to it with that. */
  | 'declined'
  /** The user cannot prove what the app wishes: the browser goes back to it with that. */
  | 'unmet'
  | 'superseded'

export const begin = (): Progress => ({
  format: 2,
  intent: 'sign-in',
  proofs: [],
  misses: 0,
  replaced: [],
})

/** The beginning of a transaction in which a signed-in user adds a method to the account. */
export const beginEnrolment = (wanted: readonly string[]): Progress => ({
  ...begin(),
  intent: 'enrolment',
  wanted,
})

/** Takes the place of an authenticator's key where a user came with a token that an administrator made. */
export const recoveryToken = 'recovery_token'

/** The same for a user who has no password yet. */
const activationToken = 'activation_token'

/**
 * A recovery or an activation that begins at its end: a token says who it is, and is proof enough. It is no factor: its
 * maker has it, too.
 */
export const beginByToken = (
  subject: Subject,
  proof: { readonly tokenId: string; readonly at: number; readonly mailed?: true },
  intent: 'recovery' | 'activation' = 'recovery',
): Progress => ({
  ...begin(),
  intent,
  subject,
  proofs: [
    {
      authenticator: intent === 'recovery' ? recoveryToken : activationToken,
      ...{ type: 'token', method: 'token', factors: [], traits: [] },
      ...proof,
    },
  ],
})

/** An activation whose mailed token had expired when it began: it proves nothing, and another mail can be asked for. */
export const beginLapsed = (subject: Subject): Progress => ({
  ...begin(),
  intent: 'activation',
  subject,
  lapsed: true,
})

/** Notes who the visitor claims to be. */
export const identify = (progress: Progress, subject: Subject, remember = false): Progress => ({
  ...progress,
  subject,
  ...(remember && { remember }),
})

/**
 * Without what the browser's session has carried into it: that is for signing in alone. To set a password, or to open an account,
 * takes a proof of now (A74).
 */
const uncarried = ({ carriedBy: _, ...progress }: Progress): Progress => ({
  ...progress,
  proofs: progress.proofs.filter(({ carried }) => carried !== true),
})

/** Turns a sign-in into a recovery. What was being asked is dropped, who it is about stays. */
export const recover = ({ challenge: _, ...progress }: Progress): Progress => ({
  ...uncarried(progress),
  intent: 'recovery',
})

/** Turns the first page into that of an unlock: whose account it is, and how that is proven. */
export const unlock = ({ challenge: _, ...progress }: Progress): Progress => ({
  ...uncarried(progress),
  intent: 'unlock',
})

/** Turns the first page into the form by which a visitor makes an account. */
export const register = ({ challenge: _, ...progress }: Progress): Progress => ({
  ...uncarried(progress),
  intent: 'registration',
})

/** Turns that form into the first page again. Wrong answers stay counted. */
export const backToSignIn = ({ misses }: Progress): Progress => ({ ...begin(), misses })

/** Notes what a visitor has filled in. */
export const fillIn = (progress: Progress, subject: Subject, registration: Registration): Progress => ({
  ...progress,
  subject,
  registration,
})

/** Notes that the user of a registration is there from now on. */
export const createUser = (progress: Progress): Progress =>
  progress.subject === undefined || progress.registration === undefined
    ? progress
    : { ...progress, subject: { ...progress.subject, userId: progress.registration.id } }

/** The sign-in that an unlock goes on to. Nothing is proven in it: what opened the account signs no user in. */
export const continueToSignIn = ({ subject, misses }: Progress): Progress => ({
  ...begin(),
  ...(subject && { subject }),
  misses,
})

/** Opens a challenge in place of the one before. */
export const challenge = (progress: Progress, opened: Challenge): Progress => ({
  ...progress,
  challenge: opened,
})

/** Drops what was being asked. */
export const withdraw = ({ challenge: _, ...progress }: Progress): Progress => progress

/** Notes a right answer; the challenge is over and its code is used up with it. */
export const prove = ({ challenge: _, ...progress }: Progress, proof: Proof): Progress => ({
  ...progress,
  proofs: [...progress.proofs, proof],
})

/** Notes that the credential that was proven has expired. */
export const expire = (progress: Progress, authenticator: string): Progress => ({
  ...progress,
  expired: [...(progress.expired ?? []), authenticator],
})

/** Notes that the credential that was proven expires soon. */
export const expireSoon = (progress: Progress, authenticator: string, days: number): Progress => ({
  ...progress,
  expiring: { authenticator, days },
})

/** Declines to replace the credential that expires soon. */
export const postpone = ({ expiring: _, ...progress }: Progress): Progress => progress

/** How many wrong answers a transaction survives: the fifth one closes it. */
export const missesAllowed = 5

/** Notes a wrong answer; too many close the transaction. */
export function miss(progress: Progress): Progress {
  const missed = { ...progress, misses: progress.misses + 1 }
  return missed.misses >= missesAllowed ? close(missed, 'locked') : missed
}

/** Notes a new credential. It is no proof: it was chosen a moment ago. */
export const replace = ({ challenge: _, ...progress }: Progress, authenticator: string): Progress => ({
  ...progress,
  replaced: [...progress.replaced, authenticator],
})

/** Notes that something was enrolled, which counts as proven in this transaction. */
export const enrolls = (progress: Progress, proof: Proof): Progress => {
  const proven = prove(progress, proof)
  return { ...proven, enrolled: [...(progress.enrolled ?? []), proof.authenticator] }
}

/** Declines the enrolments that are optional, and those that may be put off. */
export const skip = ({ challenge: _, ...progress }: Progress): Progress => ({ ...progress, skipped: true })

/** Notes that the attributes that were asked for are there. */
export const completeProfile = (progress: Progress): Progress => ({ ...progress, profileCompleted: true })

/** Notes that the user allows the app these scopes. */
export const consentTo = (progress: Progress, scopes: readonly string[]): Progress => ({
  ...progress,
  consented: scopes,
})

export const cancel = (progress: Progress): Progress => close(progress, 'cancelled')

/** Ends the transaction; what was being asked can no longer be answered. */
export const close = ({ challenge: _, ...progress }: Progress, closed: Closing): Progress => ({
  ...progress,
  closed,
})

/**
 * What a transaction that was ended from outside goes on as: with something proven it is closed; with
 * nothing proven it becomes that of an unknown user.
 */
export function ended(progress: Progress): Progress {
  if (progress.closed !== undefined || progress.decoy) return progress
  if (progress.subject === undefined || progress.proofs.length > 0) return close(progress, 'superseded')
  return { ...progress, subject: { identifier: progress.subject.identifier }, decoy: true }
}

/** The first shape: proofs and challenges named their authenticator only. */
interface ProgressOfFormat1 extends Omit<Progress, 'format' | 'proofs' | 'challenge'> {
  readonly format: 1
  readonly proofs: readonly Pick<Proof, 'authenticator' | 'at' | 'tokenId'>[]
  readonly challenge?: Omit<Challenge, 'method' | 'purpose'>
}

/**
 * A progress of any earlier shape as one of today's: an upgrade loses no transaction. In the first shape a replaced
 * credential stood among the proofs, too.
 */
export function upgraded(
  stored: Progress | ProgressOfFormat1,
  authenticators: ReadonlyMap<string, AuthenticatorFacts>,
): Progress {
  if (stored.format === 2) return stored
  const { proofs, challenge: asked, ...same } = stored
  const firstMethod = (key: string): string => authenticators.get(key)?.methods[0].type ?? ''
  return {
    ...same,
    format: 2,
    proofs: proofs
      .filter(({ authenticator }) => !same.replaced.includes(authenticator))
      .map(({ authenticator: key, ...proof }) => {
        const authenticator = authenticators.get(key)
        const evidence =
          authenticator === undefined
            ? { authenticator: key, type: 'token', method: 'token', factors: [], traits: [] }
            : evidenceOf(authenticator)
        return { ...evidence, ...proof }
      }),
    ...(asked && {
      challenge: { ...asked, method: firstMethod(asked.authenticator), purpose: 'verify' as const },
    }),
  }
}
