import { authenticatorsWith } from '../../src/authenticators/index.ts'
import {
  begin,
  beginByToken,
  cancel,
  challenge,
  choicesOf,
  close,
  expire,
  identify,
  isStuck,
  miss,
  onOffer,
  type Progress,
  prove,
  recover,
  replace,
  type Step,
  stageOf,
  type View,
} from '../../src/flow/index.ts'
import { steps } from '../../src/idx/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import type { PasswordRules, Policy } from '../../src/policies/index.ts'

/**
 * Every way through a conversation, without a server: what each step of the table can make of a progress, by the
 * named functions alone. The property tests walk along it, and `docs/flow.md` is printed from it.
 */

export const authenticators = authenticatorsWith(
  createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 1 }),
)

/** What a password must be decides about no step. */
export const anyRules: PasswordRules = {
  minLength: 12,
  minLowerCase: 0,
  minUpperCase: 0,
  minNumber: 0,
  minSymbol: 0,
  excludeUsername: true,
  excludeAttributes: ['firstName', 'lastName'],
  excludeCommon: true,
  historyCount: 1,
  minAgeMinutes: 0,
  maxAgeDays: 0,
}

const both = [true, false]

const common: readonly Policy[] = both.flatMap((passwordFirst) =>
  both.flatMap((oneFactor) =>
    both.flatMap((mayRecover) =>
      both.flatMap((oneProof) =>
        both.map(
          (signIn): Policy => ({
            password: anyRules,
            recovery: {
              authenticators: mayRecover ? ['okta_email'] : [],
              offerRevokeSessions: false,
              revealUnknown: false,
              signIn,
              secondFactor: oneProof ? 'if-enrolled' : 'required',
              unlocks: true,
            },
            lockout: { maxAttempts: 0, autoUnlockMinutes: 0 },
            signOn: {
              start: passwordFirst ? 'password' : 'identifier',
              factors: oneFactor ? 1 : 2,
              access: 'ALLOW',
              authenticators: ['okta_password', 'okta_email'],
              alternatives: [],
            },
          }),
        ),
      ),
    ),
  ),
)

const [first] = common
if (first === undefined) throw new Error('there are no policies')
const asking = (signOn: Partial<Policy['signOn']>): Policy => ({
  ...first,
  signOn: { ...first.signOn, ...signOn },
})

/** Policies that differ in everything that decides about steps. The first is the default. */
export const policies: readonly Policy[] = [
  ...common,
  asking({ access: 'DENY' }),
  asking({ authenticators: ['okta_password'] }),
  ...(['password', 'identifier'] as const).flatMap((start) => [
    asking({ start, alternatives: [['okta_email']] }),
    asking({ start, alternatives: [['okta_password']] }),
    asking({ start, alternatives: [['okta_password', 'okta_email'], ['okta_email']] }),
  ]),
]

export const viewOf = (progress: Progress, policy: Policy): View => ({
  progress,
  policy,
  stage: stageOf(progress, policy),
  authenticators,
})

const password = 'okta_password'
const known = { identifier: 'mary@example.com', userId: '00u1' }
const unknown = { identifier: 'nora@example.com' }
const at = 0

/** What a right answer makes of it. Somebody whom nobody knows has none; a password may be right and too old. */
function rightAnswers(progress: Progress, authenticator: string): readonly Progress[] {
  if (progress.subject?.userId === undefined) return []
  const proven = prove(progress, { authenticator, at })
  return authenticator === password ? [proven, expire(proven, authenticator)] : [proven]
}

const opened = (progress: Progress, authenticator: string): Progress =>
  challenge(progress, { authenticator, startedAt: at, expiresAt: at, data: null })

type Moves = (progress: Progress, policy: Policy) => readonly Progress[]

const signIn: Moves = (progress) => {
  const { subject: _, ...unnamed } = miss(identify(progress, unknown))
  return [...rightAnswers(identify(progress, known), password), unnamed]
}

/** What each step of the table can lead to, the refusals that change nothing left out. */
export const moves: Readonly<Record<string, Moves>> = {
  identify: (progress, policy) =>
    policy.signOn.start === 'password'
      ? signIn(progress, policy)
      : [identify(progress, known), identify(progress, unknown)],
  'identify-recovery': (progress) => [identify(progress, known), identify(progress, unknown)],
  recover: (progress, policy) => (policy.recovery.authenticators.length > 0 ? [recover(progress)] : []),
  'challenge-authenticator': (progress) => [
    ...rightAnswers(progress, progress.challenge?.authenticator ?? ''),
    miss(progress),
  ],
  'reset-authenticator': (progress, policy) => {
    const replaced = replace(progress, password, at)
    const signsIn = policy.recovery.signIn && policy.signOn.access === 'ALLOW'
    return [signsIn ? replaced : close(replaced, 'recovered')]
  },
  'reenroll-authenticator': (progress) => [replace(progress, password, at)],
  'select-authenticator-authenticate': (progress, policy) =>
    choicesOf(progress, policy).map((key) => opened(progress, key)),
  resend: (progress) => [opened(progress, progress.challenge?.authenticator ?? '')],
  poll: () => [],
  cancel: (progress) => [cancel(progress)],
}

/** How a conversation begins: from nothing, or with a recovery token that was handed out, where that leads anywhere. */
export const beginningsUnder = (policy: Policy): readonly View[] =>
  [begin(), beginByToken(known, { tokenId: 'token', at })]
    .filter((progress) => !isStuck(progress, policy))
    .map((progress) => viewOf(progress, policy))

/** One step of one conversation, and where it leads. */
export interface Move {
  readonly from: View
  readonly step: Step
  readonly to: View
}

/** Where the steps on offer can lead from here. Nobody goes on who has proven something and has no method left. */
export const movesFrom = (from: View): readonly Move[] =>
  onOffer(steps, from).flatMap((step) =>
    (moves[step.name]?.(from.progress, from.policy) ?? []).map((progress) => {
      const isDenied =
        isStuck(progress, from.policy) ||
        (from.policy.signOn.access === 'DENY' &&
          ['granted', 'reenroll'].includes(stageOf(progress, from.policy)))
      const next = isDenied ? close(progress, 'denied') : progress
      return { from, step, to: viewOf(next, from.policy) }
    }),
  )

/** Everything that can be reached, under a policy, and every move between. */
export function explore(policy: Policy): {
  readonly views: readonly View[]
  readonly moves: readonly Move[]
} {
  const views = new Map<string, View>()
  const found: Move[] = []
  const waiting = [...beginningsUnder(policy)]
  for (let view = waiting.pop(); view !== undefined; view = waiting.pop()) {
    const key = JSON.stringify(view.progress)
    if (views.has(key)) continue
    views.set(key, view)
    for (const move of movesFrom(view)) {
      found.push(move)
      waiting.push(move.to)
    }
  }
  return { views: [...views.values()], moves: found }
}
