import { type AccessRuleBody, unmetAlternatives } from './assurance.ts'
import { isNeutral, unsupportedConditions } from './conditions.ts'
import type { DeepPartial } from './deep-partial.ts'
import type { AuthenticatorFacts } from './demand.ts'
import { classicFactors } from './enrollment-policy.ts'
import { passwordRulePaths } from './password-rules.ts'

/** Types of policies that are stored and not evaluated. */
const storedOnly = ['IDP_DISCOVERY']

const classicPaths = Object.keys(classicFactors).map((name) => `settings.factors.${name}`)

/**
 * The members below `settings` and `actions` that the engine evaluates, by type. A path includes all members below it.
 */
const supported: Readonly<Record<string, readonly string[]>> = {
  PASSWORD: [
    ...passwordRulePaths.map((path) => `settings.${path}`),
    ...['maxAttempts', 'autoUnlockMinutes'].map((name) => `settings.password.lockout.${name}`),
    'settings.recovery.factors',
    'actions.selfServicePasswordReset.access',
    'actions.selfServicePasswordReset.requirement.primary.methods',
    'actions.selfServicePasswordReset.requirement.primary.methodConstraints',
    'actions.selfServicePasswordReset.requirement.stepUp.required',
    'actions.selfServicePasswordReset.requirement.stepUp.methods',
    'actions.selfServiceUnlock.access',
  ],
  MFA_ENROLL: ['settings.type', 'settings.authenticators', ...classicPaths, 'actions.enroll.self'],
  OKTA_SIGN_ON: [
    'actions.signon.access',
    'actions.signon.primaryFactor',
    'actions.signon.requireFactor',
    'actions.signon.factorPromptMode',
    'actions.signon.factorLifetime',
    'actions.signon.rememberDeviceByDefault',
    'actions.signon.session.usePersistentCookie',
    'actions.signon.session.maxSessionIdleMinutes',
    'actions.signon.session.maxSessionLifetimeMinutes',
  ],
  PROFILE_ENROLLMENT: [
    'access',
    'unknownUserAction',
    'profileAttributes',
    'targetGroupIds',
    'activationRequirements.emailVerification',
    'progressiveProfilingAction',
    'enrollAuthenticatorTypes',
  ].map((name) => `actions.profileEnrollment.${name}`),
  ACCESS_POLICY: [
    'actions.appSignOn.access',
    'actions.appSignOn.verificationMethod.type',
    'actions.appSignOn.verificationMethod.factorMode',
    'actions.appSignOn.verificationMethod.constraints',
    'actions.appSignOn.verificationMethod.reauthenticateIn',
    'actions.appSignOn.verificationMethod.inactivityPeriod',
    'actions.appSignOn.verificationMethod.chains',
    'actions.appSignOn.keepMeSignedIn',
  ],
}

/** Whether a value requires nothing. */
const requiresNothing = (value: unknown): boolean =>
  isNeutral(value) || [0, 'ALLOW', 'INACTIVE'].includes(value as 0)

interface Body {
  readonly settings?: unknown
  readonly actions?: unknown
  readonly conditions?: unknown
}

function leaves(value: unknown, path: string): readonly (readonly [path: string, value: unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([name, below]) => leaves(below, `${path}.${name}`))
}

/** The members of a policy or rule that the engine does not support, as lines for the log of their author. */
export function unsupportedSettings(
  type: string,
  body: Body,
  catalogue: readonly AuthenticatorFacts[],
  /** Those of them that may be used for a sign-in. */
  inUse: readonly AuthenticatorFacts[] = catalogue,
): readonly string[] {
  if (storedOnly.includes(type)) return [`type ${type}: stored, not evaluated`]
  const paths = supported[type] ?? []
  const members = [...leaves(body.settings, 'settings'), ...leaves(body.actions, 'actions')]
  return [
    ...unsupportedConditions(body).map(
      (name) => `conditions.${name}: cannot be evaluated, so it applies to no user`,
    ),
    ...members.flatMap(([path, value]) =>
      requiresNothing(value) || paths.some((known) => path === known || path.startsWith(`${known}.`))
        ? []
        : [path],
    ),
    ...unsupportedMethods(members, catalogue),
    ...unmetConstraints(members, body, inUse),
  ]
}

type Members = ReturnType<typeof leaves>
const valueAt = (members: Members, end: string): unknown => members.find(([path]) => path.endsWith(end))?.[1]

function unsupportedMethods(members: Members, catalogue: readonly AuthenticatorFacts[]): readonly string[] {
  const methods = valueAt(members, 'requirement.primary.methods')
  return (Array.isArray(methods) ? methods : [])
    .filter(
      (method) =>
        !catalogue.some(
          (one) => (one.recovers || one.recoversIfNamed) && one.methods.some(({ type }) => type === method),
        ),
    )
    .map((method) => `requirement.primary.methods: ${String(method).slice(0, 40)} is not supported`)
}

function unmetConstraints(
  members: Members,
  body: Body,
  inUse: readonly AuthenticatorFacts[],
): readonly string[] {
  const type = valueAt(members, 'verificationMethod.type')
  if (type !== undefined && type !== 'ASSURANCE' && type !== 'AUTH_METHOD_CHAIN') {
    return ['verificationMethod.type: not supported, so access is denied']
  }
  const list = type === 'AUTH_METHOD_CHAIN' ? 'chains' : 'constraints'
  return unmetAlternatives(body as DeepPartial<AccessRuleBody>, inUse).map(
    (index) => `verificationMethod.${list}.${index}: no authenticator in use satisfies it`,
  )
}
