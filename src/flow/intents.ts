import type { EventType } from '../audit/index.ts'
import type { TemplateName } from '../delivery/index.ts'
import type { PersonStatus } from '../directory/index.ts'
import type { MethodsByAuthenticator, Policy, SelfService } from '../policies/index.ts'
import { type IntentName, type Progress, recoveryToken } from './progress.ts'
import { replaceable, type Situation } from './situation.ts'

/** Why a transaction may not go on, as the visitor and the log are answered. */
export interface Denial {
  readonly status: number
  readonly key: string
  /** The rule, by its name in the system log. */
  readonly rule: string
  /** The first page comes back, so that another user may sign in; absent: the transaction is over. */
  readonly startsOver?: true
  /** The app is answered instead of the visitor: what it wishes of this sign-in, and nothing else, cannot be met. */
  readonly answersApp?: true
}

/** The end of a sign-in whose app wishes what its user has no way to prove (`acr_values`, `max_age`). */
export const unmetWish: Denial = {
  status: 403,
  key: 'security.access_denied',
  rule: 'unmet-authentication-requirements',
  answersApp: true,
}

/** What a transaction is for: a row of the table below. No stage and no step asks "is this a recovery". */
export interface Intent {
  /** How events and pages call it. */
  readonly noun: string
  /** What is asked while no user is named. */
  readonly firstStage: 'identify' | 'identify-recovery' | 'identify-unlock' | 'enroll-profile'
  /** Which authenticators may prove it, before the first proof and for each step towards it. */
  methods(progress: Progress, situation: Situation, policy: Policy): readonly string[]
  /** Which methods of them, as far as a rule names any; absent: all. */
  readonly methodsNamed?: (progress: Progress, policy: Policy) => MethodsByAuthenticator | undefined
  /** Whether enough has been proven to go on to the goal. */
  isProven(progress: Progress, situation: Situation): boolean
  /** What must be done once it is proven: the credential that must be replaced, by its authenticator's key. */
  readonly replaces?: (situation: Situation) => string | undefined
  /** Once it is proven the account is opened, and nothing else happens. */
  readonly unlocks?: true
  /**
   * Who is sent anything in it; all others see the same, and nothing leaves. Absent: every user, as far as the
   * authenticator has an address that is in use.
   */
  readonly reaches?: (person: Situation['person']) => boolean
  /**
   * It completes an account: what the enrolment policy requires is enrolled first, the first password with it, all of it is written at the
   * end, and the user is ACTIVE from then on.
   */
  readonly activates?: true
  /** Whether it may end in a sign-in; otherwise it ends in a message. */
  signsIn(situation: Situation): boolean
  /** Whether enrolments may be asked for in it: clients have no page for them in a recovery. */
  readonly enrols: boolean
  /**
   * The user has nothing yet: all that is proven is enrolled here, the password among it, and nothing is challenged. The
   * user's own policy counts from the beginning, as no user is named whom it could reveal. Absent: users have something.
   */
  readonly enrolsFirst?: true
  /** What of the profile it asks for before its end, where the app's policy says so. Absent: nothing. */
  readonly completes?: 'profile' | 'profile-and-terms'
  /**
   * Who waits for an activation may do it only where the account lacks nothing that the activation asks for, the terms among
   * it. Absent: nothing is read for it.
   */
  readonly needsCompleted?: true
  /** Whether it ends with a warning where a credential expires soon. */
  readonly warns: boolean
  /** What ends it after a proof: the user's status, the app. Undefined: nothing does. */
  deniedBy(progress: Progress, situation: Situation): Denial | undefined
  /** The answer where something has been proven and the user has no way to prove the rest. */
  readonly unprovable: Denial
  readonly mail: { readonly template: TemplateName; readonly code: string; readonly link: string }
  readonly events: {
    /** When a user is named. */
    readonly begun?: { readonly eventType: EventType; readonly displayMessage: string }
    readonly failed: EventType
    readonly denied: EventType
    readonly replaced: { readonly eventType: EventType; readonly displayMessage: string }
  }
}

/** Users who may set a new password once the mailbox is proven. */
const mayReset: readonly PersonStatus[] = [
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
]

/** Whether a user's password and codes are good for signing in. */
export const maySignIn = (person: Situation['person']): boolean => person?.status === 'ACTIVE'

const accessDenied = (rule: string): Denial => ({ status: 403, key: 'security.access_denied', rule })
const resetDenied = (rule: string): Denial => ({
  status: 403,
  key: 'oie.selfservice.reset.password.not.allowed',
  rule,
})
const unlockDenied = (key: 'failed.message' | 'challenge.failed.permissions', rule: string): Denial => ({
  status: 403,
  key: `oie.selfservice.unlock_user.${key}`,
  rule,
})
const notAssigned: Denial = {
  status: 400,
  key: 'idx.error.user.not.assigned.to.app',
  rule: 'not-assigned',
}

const statusRule = ({ person }: Situation): string => `status ${person?.status ?? 'REMOVED'}`

/** Different authenticators that were proven; a token that an administrator made counts as one. */
const provenBy = ({ proofs }: Progress): readonly string[] => [
  ...new Set(proofs.map(({ authenticator }) => authenticator)),
]

/**
 * How many authenticators a recovery takes: two where the policy says so, or where the user has one besides the one that
 * began it which is neither what is replaced nor what every account has (A34).
 */
function proofsNeeded(progress: Progress, situation: Situation): number {
  const { recovery } = situation.ownPolicy
  const proven = provenBy(progress)
  const hasToken = proven.includes(recoveryToken)
  // Where no user recovers a password without an administrator there is nothing to ask on top: the token is the only way.
  if (hasToken && recovery.authenticators.length === 0) return 1
  if (recovery.secondFactor === 'required') return 2
  return stepUpMethods(recovery, situation).some((key) => key !== proven[0] && isOwn(key, situation)) ? 2 : 1
}

const isOwn = (key: string, { authenticators, enrolled }: Situation): boolean =>
  authenticators.get(key)?.implicit === false && enrolled.has(key)

/** What may come on top of the first proof: what the rule names, else what the user signs in with; never what is replaced. */
const stepUpMethods = ({ stepUp }: SelfService, situation: Situation): readonly string[] =>
  (stepUp === undefined ? situation.ownPolicy.signOn.authenticators : Object.keys(stepUp)).filter(
    (key) => !replaceable(situation).some((one) => one.key === key),
  )

/** The authenticators that a self-service asks for: the same of every name before a proof, then what comes on top. */
const selfServiceMethods = (
  progress: Progress,
  situation: Situation,
  before: SelfService,
  own: SelfService,
): readonly string[] => (progress.proofs.length === 0 ? before.authenticators : stepUpMethods(own, situation))

const selfServiceNamed = (
  { proofs }: Progress,
  { methods, stepUp }: SelfService,
): MethodsByAuthenticator | undefined => (proofs.length === 0 ? methods : stepUp)

/** Whether what was proven is enough, and something that may begin it is among it. */
const hasBegun = (progress: Progress, { authenticators, methods }: SelfService): boolean =>
  progress.proofs.some(
    ({ authenticator: key, method }) =>
      key === recoveryToken || (authenticators.includes(key) && (methods[key]?.includes(method) ?? true)),
  )

const signIn: Intent = {
  noun: 'Sign-in',
  firstStage: 'identify',
  methods: (_, __, policy) => policy.signOn.authenticators,
  // What the app demands is asked for by the policy (`decide`).
  isProven: ({ proofs }) => proofs.length > 0,
  signsIn: () => true,
  enrols: true,
  completes: 'profile',
  warns: true,
  deniedBy(progress, situation) {
    const { person, assigned, ownPolicy } = situation
    if (ownPolicy.signOn.access === 'DENY') return accessDenied('policy signOn.access')
    const expired = person?.status === 'PASSWORD_EXPIRED' && progress.expired !== undefined
    // Guesses by others end no session (A29): what it has proven counts, and what is proven now does not while the lock lasts.
    const isCarried = person?.status === 'LOCKED_OUT' && progress.proofs.every(({ carried }) => carried)
    if (!maySignIn(person) && !expired && !isCarried) return accessDenied(statusRule(situation))
    return assigned ? undefined : { ...notAssigned, startsOver: true }
  },
  unprovable: accessDenied('policy signOn.factors'),
  mail: {
    template: 'EmailChallenge',
    code: 'verificationToken',
    link: 'emailAuthenticationLink',
  },
  events: {
    failed: 'user.session.start',
    denied: 'policy.evaluate_sign_on',
    replaced: { eventType: 'user.account.update_password', displayMessage: 'User updated password' },
  },
}

const { completes: _, ...enrolling } = signIn

export const intents: Readonly<Record<IntentName, Intent>> = {
  'sign-in': signIn,
  recovery: {
    noun: 'Recovery',
    firstStage: 'identify-recovery',
    methods: (progress, situation, policy) =>
      selfServiceMethods(progress, situation, policy.recovery, situation.ownPolicy.recovery),
    methodsNamed: (progress, { recovery }) => selfServiceNamed(progress, recovery),
    isProven: (progress, situation) =>
      provenBy(progress).length >= proofsNeeded(progress, situation) &&
      hasBegun(progress, situation.ownPolicy.recovery),
    replaces: (situation) => replaceable(situation)[0]?.key,
    signsIn: ({ endsInMessage, ownPolicy }) =>
      !endsInMessage && ownPolicy.recovery.signIn && ownPolicy.signOn.access === 'ALLOW',
    enrols: false,
    needsCompleted: true,
    warns: false,
    deniedBy(progress, situation) {
      const { person, assigned, ownPolicy, missing = [] } = situation
      if (!(person && mayReset.includes(person.status))) return resetDenied(statusRule(situation))
      // A new password makes the user active: without this an invitation would be used and its terms never seen.
      if (missing.length > 0) return resetDenied(statusRule(situation))
      if (person.status === 'LOCKED_OUT' && !ownPolicy.recovery.unlocks) {
        return resetDenied('policy selfServiceUnlock')
      }
      // Everyone was offered what some rule allows (A53); nothing more is asked of a user who may not recover alone.
      if (ownPolicy.recovery.authenticators.length === 0 && !provenBy(progress).includes(recoveryToken)) {
        return resetDenied('policy selfServicePasswordReset')
      }
      // What the enrolment policy forbids is set by an administrator's token alone.
      const isForbidden = replaceable(situation).some(({ key }) => ownPolicy.signOn.notAllowed?.includes(key))
      if (isForbidden && !provenBy(progress).includes(recoveryToken)) return resetDenied('policy enrollment')
      return assigned ? undefined : notAssigned
    },
    unprovable: resetDenied('policy recovery.secondFactor'),
    mail: {
      template: 'ForgotPassword',
      code: 'oneTimePassword',
      link: 'resetPasswordLink',
    },
    events: {
      begun: {
        eventType: 'user.account.reset_password',
        displayMessage: 'Recovery of an account began',
      },
      failed: 'user.account.reset_password',
      denied: 'user.account.reset_password',
      replaced: { eventType: 'user.account.reset_password', displayMessage: 'User reset password' },
    },
  },
  unlock: {
    noun: 'Unlock',
    firstStage: 'identify-unlock',
    methods: (progress, situation, policy) =>
      selfServiceMethods(progress, situation, policy.unlock, situation.ownPolicy.unlock),
    methodsNamed: (progress, policy) => selfServiceNamed(progress, policy.unlock),
    isProven(progress, situation) {
      const { recovery, unlock } = situation.ownPolicy
      const needed = recovery.secondFactor === 'required' ? 2 : 1
      return provenBy(progress).length >= needed && hasBegun(progress, unlock)
    },
    unlocks: true,
    // Only who is locked out is written to: any other mail would say so little that all users would learn to ignore it.
    reaches: (person) => person?.status === 'LOCKED_OUT',
    signsIn: () => false,
    enrols: false,
    warns: false,
    deniedBy(progress, situation) {
      const { person, ownPolicy } = situation
      // A lock that has ended since the mail left is as good as one that ends now.
      if (person?.status !== 'LOCKED_OUT' && !maySignIn(person)) {
        return unlockDenied('failed.message', statusRule(situation))
      }
      // Everyone was offered what some rule allows (A53), and what was proven may be of a method that the own one leaves out.
      if (!hasBegun(progress, ownPolicy.unlock)) {
        return {
          status: 400,
          key: 'oie.selfservice.user.unlock.not.allowed',
          rule: 'policy selfServiceUnlock',
          startsOver: true,
        }
      }
      return undefined
    },
    unprovable: unlockDenied('challenge.failed.permissions', 'policy recovery.secondFactor'),
    mail: { template: 'SelfServiceUnlock', code: 'oneTimePassword', link: 'unlockAccountLink' },
    events: {
      begun: { eventType: 'user.account.unlock', displayMessage: 'Unlock of an account began' },
      failed: 'user.account.unlock',
      denied: 'user.account.unlock',
      replaced: { eventType: 'user.account.unlock', displayMessage: 'User unlocked account' },
    },
  },
  activation: {
    noun: 'Activation',
    firstStage: 'identify',
    methods: (_, __, policy) => policy.signOn.authenticators,
    isProven: ({ proofs }) => proofs.length > 0,
    activates: true,
    signsIn: () => true,
    enrols: true,
    completes: 'profile-and-terms',
    warns: false,
    deniedBy(progress, situation) {
      const { person, assigned } = situation
      const isOpen = person?.status === 'PROVISIONED'
      // Begun in an earlier version, which made the user active with the first password.
      const isDone =
        maySignIn(person) && replaceable(situation).some(({ key }) => provenBy(progress).includes(key))
      if (!isOpen && !isDone) return accessDenied(statusRule(situation))
      if (situation.ownPolicy.signOn.access === 'DENY') return accessDenied('policy signOn.access')
      return assigned ? undefined : notAssigned
    },
    unprovable: accessDenied('policy signOn.factors'),
    mail: {
      template: 'EmailChallenge',
      code: 'verificationToken',
      link: 'emailAuthenticationLink',
    },
    events: {
      failed: 'user.session.start',
      denied: 'policy.evaluate_sign_on',
      replaced: { eventType: 'user.account.update_password', displayMessage: 'User set the first password' },
    },
  },
  // A visitor makes an account. Until something is proven there is none (`Progress.registration`), and the policy is that
  // of a user who will be in the groups of the app's profile enrollment policy.
  registration: {
    noun: 'Registration',
    firstStage: 'enroll-profile',
    methods: () => [],
    isProven: ({ proofs }) => proofs.length > 0,
    signsIn: () => true,
    enrols: true,
    enrolsFirst: true,
    warns: false,
    deniedBy(_, situation) {
      const { person, assigned } = situation
      if (situation.ownPolicy.signOn.access === 'DENY') return accessDenied('policy signOn.access')
      if (person?.status !== 'PROVISIONED' && !maySignIn(person)) return accessDenied(statusRule(situation))
      // Where the app is not for the new user there is no account either: it would be of no use here.
      return assigned ? undefined : notAssigned
    },
    unprovable: accessDenied('policy signOn.factors'),
    mail: {
      template: 'RegistrationEmailVerification',
      code: 'verificationToken',
      link: 'verificationLink',
    },
    events: {
      failed: 'user.lifecycle.create',
      denied: 'user.lifecycle.create',
      replaced: { eventType: 'user.account.update_password', displayMessage: 'User set the first password' },
    },
  },
  // A signed-in user adds a method: a sign-in of its own, so that the proofs are fresh, with what the app wants enrolled at its
  // end. `demandIn` says what it asks for besides.
  enrolment: { ...enrolling, noun: 'Enrolment' },
}
