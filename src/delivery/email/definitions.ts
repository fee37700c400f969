/**
 * The kind of a variable, which decides how its value is rendered. `link`: a complete address of the engine or a client.
 * `code`: digits or letters to type. `fact`: text of the engine or the administrator. `client`: data from a client.
 * `name`, `email`, `ip`: values that a user, or an attacker, has chosen.
 */
export type Kind = 'link' | 'code' | 'fact' | 'client' | 'name' | 'email' | 'ip'

/** The variables of all mails. The names are those of Okta's templates, except `request.system` and `lifetime`. */
export const generalVariables = {
  'user.profile.firstName': 'name',
  'user.profile.lastName': 'name',
  'user.profile.login': 'email',
  'user.profile.email': 'email',
  'org.name': 'fact',
  'org.subDomain': 'fact',
  'org.locale': 'fact',
  'app.id': 'fact',
  'app.name': 'fact',
  'app.label': 'fact',
  baseURL: 'link',
  'request.ipAddress': 'ip',
  'request.browser': 'name',
  'request.system': 'name',
  'request.location': 'name',
  'request.date': 'fact',
  'request.time': 'fact',
  'request.relayState': 'client',
  lifetime: 'fact',
} as const satisfies Record<string, Kind>

interface Definition {
  readonly variables: Readonly<Record<string, Kind>>
  /** A mail must contain at least one of these. Empty for a notice. */
  readonly oneOf: readonly string[]
  /** Alternative names that templates for Okta use. */
  readonly aliases: Readonly<Record<string, string>>
}

/** All mails. To add one, add an entry here, its files in `templates/` and its sentences in the catalogue. */
export const definitions = {
  ForgotPassword: {
    variables: {
      resetPasswordLink: 'link',
      oneTimePassword: 'code',
      resetPasswordTokenExpirationDate: 'fact',
    },
    oneOf: ['resetPasswordLink', 'oneTimePassword'],
    aliases: { resetPasswordUrl: 'resetPasswordLink' },
  },
  EmailChallenge: {
    variables: { emailAuthenticationLink: 'link', verificationToken: 'code' },
    oneOf: ['emailAuthenticationLink', 'verificationToken'],
    aliases: { oneTimePassword: 'verificationToken' },
  },
  SelfServiceUnlock: {
    variables: {
      unlockAccountLink: 'link',
      oneTimePassword: 'code',
      unlockAccountTokenExpirationDate: 'fact',
    },
    oneOf: ['unlockAccountLink', 'oneTimePassword'],
    aliases: { recoveryToken: 'oneTimePassword' },
  },
  RegistrationEmailVerification: {
    variables: { verificationLink: 'link', verificationToken: 'code' },
    oneOf: ['verificationLink', 'verificationToken'],
    aliases: {
      registrationEmailVerificationLink: 'verificationLink',
      registrationEmailVerificationToken: 'verificationToken',
      oneTimePassword: 'verificationToken',
    },
  },
  // In its place where the address is a user's already: without a code, and without a link that does anything.
  RegistrationTaken: { variables: {}, oneOf: [], aliases: {} },
  Welcome: { variables: {}, oneOf: [], aliases: {} },
  PasswordResetByAdmin: {
    variables: { resetPasswordLink: 'link' },
    oneOf: ['resetPasswordLink'],
    aliases: { resetPasswordUrl: 'resetPasswordLink' },
  },
  UserActivation: {
    variables: { activationLink: 'link', activationToken: 'code' },
    oneOf: ['activationLink', 'activationToken'],
    aliases: {},
  },
  PasswordChanged: { variables: { administrator: 'fact' }, oneOf: [], aliases: {} },
  PasswordExpired: { variables: { administrator: 'fact' }, oneOf: [], aliases: {} },
  EmailChanged: {
    variables: { administrator: 'fact', newEmail: 'email', newLogin: 'email' },
    oneOf: [],
    aliases: {},
  },
  LoginChanged: { variables: { administrator: 'fact', newLogin: 'email' }, oneOf: [], aliases: {} },
  AuthenticatorEnrolled: {
    variables: { administrator: 'fact', 'request.factors': 'fact' },
    oneOf: [],
    aliases: {},
  },
  AuthenticatorReset: {
    variables: { administrator: 'fact', 'request.factors': 'fact' },
    oneOf: [],
    aliases: {},
  },
  AccountUnlocked: { variables: { administrator: 'fact' }, oneOf: [], aliases: {} },
  PendingEmailChange: {
    variables: { verificationToken: 'code', newEmail: 'email' },
    oneOf: ['verificationToken'],
    aliases: {},
  },
  AccountChangeWaiting: {
    variables: {
      stopLink: 'link',
      change: 'fact',
      changeDate: 'fact',
      newEmail: 'email',
      'request.factors': 'fact',
    },
    oneOf: ['stopLink'],
    aliases: {},
  },
} as const satisfies Record<string, Definition>

export type TemplateName = keyof typeof definitions

/** The mails that report a change of what a user signs in with. They have neither link nor code. */
export const noticeTemplates = [
  'PasswordChanged',
  'PasswordExpired',
  'EmailChanged',
  'LoginChanged',
  'AuthenticatorEnrolled',
  'AuthenticatorReset',
  'AccountUnlocked',
] as const satisfies readonly TemplateName[]

export type NoticeTemplate = (typeof noticeTemplates)[number]

/** The mails that a user waits for in front of a page: their codes are good for minutes. */
export const codeTemplates = [
  'ForgotPassword',
  'EmailChallenge',
  'SelfServiceUnlock',
  'RegistrationEmailVerification',
  'PendingEmailChange',
] as const satisfies readonly TemplateName[]

type OwnVariable = {
  [Name in TemplateName]: keyof (typeof definitions)[Name]['variables']
}[TemplateName]

export type VariableName = keyof typeof generalVariables | OwnVariable

/** The values by variable name. An empty value counts as absent in `#with` and `#without`. */
export type MailVariables = { readonly [Name in VariableName]?: string | undefined }

export const definitionOf = (name: TemplateName): Definition => definitions[name]

export const templateNames = Object.keys(definitions) as readonly TemplateName[]
