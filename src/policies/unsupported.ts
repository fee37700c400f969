import { authenticatorsFor } from './assurance.ts'
import { isNeutral, unsupportedConditions } from './conditions.ts'

/** Types whose policies are kept as they come and never asked. */
const storedOnly = ['MFA_ENROLL', 'PROFILE_ENROLLMENT', 'IDP_DISCOVERY']

/** The members below `settings` and `actions` that the engine acts by, by type. A path obeys all that stands below it. */
const supported: Readonly<Record<string, readonly string[]>> = {
  PASSWORD: [
    ...[
      'minLength',
      'minLowerCase',
      'minUpperCase',
      'minNumber',
      'minSymbol',
      'excludeUsername',
      'excludeAttributes',
      'dictionary.common.exclude',
    ].map((name) => `settings.password.complexity.${name}`),
    ...['maxAgeDays', 'minAgeMinutes', 'historyCount'].map((name) => `settings.password.age.${name}`),
    ...['maxAttempts', 'autoUnlockMinutes'].map((name) => `settings.password.lockout.${name}`),
    'settings.recovery.factors.okta_email.status',
    'actions.selfServicePasswordReset.access',
    'actions.selfServicePasswordReset.requirement.primary.methods',
    'actions.selfServicePasswordReset.requirement.stepUp.required',
    'actions.selfServiceUnlock.access',
  ],
  OKTA_SIGN_ON: [
    'actions.signon.access',
    'actions.signon.primaryFactor',
    'actions.signon.requireFactor',
    // Each sign-in asks for every factor, so nothing that asks less often is left out.
    'actions.signon.factorPromptMode',
    'actions.signon.factorLifetime',
    'actions.signon.rememberDeviceByDefault',
    'actions.signon.session.usePersistentCookie',
  ],
  ACCESS_POLICY: [
    'actions.appSignOn.access',
    'actions.appSignOn.verificationMethod.type',
    'actions.appSignOn.verificationMethod.factorMode',
    'actions.appSignOn.verificationMethod.constraints',
    'actions.appSignOn.verificationMethod.reauthenticateIn',
    'actions.appSignOn.verificationMethod.inactivityPeriod',
  ],
}

/** Values that ask for nothing. */
const isIdle = (value: unknown): boolean => isNeutral(value) || [0, 'ALLOW', 'INACTIVE'].includes(value as 0)

interface Body {
  readonly settings?: unknown
  readonly actions?: unknown
  readonly conditions?: unknown
}

function leaves(value: unknown, path: string): readonly (readonly [path: string, value: unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([name, below]) => leaves(below, `${path}.${name}`))
}

/** What a policy or rule asks for that the engine does not do, for the log and whoever set it: empty where all is obeyed. */
export function unsupportedSettings(type: string, body: Body): readonly string[] {
  if (storedOnly.includes(type)) return [`type ${type}: kept, never asked`]
  const paths = supported[type] ?? []
  const asked = [...leaves(body.settings, 'settings'), ...leaves(body.actions, 'actions')]
  return [
    ...unsupportedConditions(body).map((name) => `conditions.${name}: holds for nobody`),
    ...asked.flatMap(([path, value]) =>
      isIdle(value) || paths.some((known) => path === known || path.startsWith(`${known}.`)) ? [] : [path],
    ),
    ...methodsNotThere(asked),
    ...constraintsNotMet(asked),
  ]
}

type Asked = ReturnType<typeof leaves>
const valueAtEnd = (asked: Asked, end: string): unknown => asked.find(([path]) => path.endsWith(end))?.[1]

function methodsNotThere(asked: Asked): readonly string[] {
  const methods = valueAtEnd(asked, 'requirement.primary.methods')
  return (Array.isArray(methods) ? methods : [])
    .filter((method) => method !== 'email')
    .map((method) => `requirement.primary.methods: there is no ${String(method).slice(0, 40)}`)
}

function constraintsNotMet(asked: Asked): readonly string[] {
  const type = valueAtEnd(asked, 'verificationMethod.type')
  const constraints = valueAtEnd(asked, 'verificationMethod.constraints')
  const unmet = (Array.isArray(constraints) ? constraints : []).flatMap((constraint, index) =>
    authenticatorsFor(constraint) === undefined
      ? [`verificationMethod.constraints.${index}: nobody can meet it`]
      : [],
  )
  return [
    ...(type === undefined || type === 'ASSURANCE' ? [] : ['verificationMethod.type: lets nobody in']),
    ...unmet,
  ]
}
