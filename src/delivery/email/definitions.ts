/**
 * What a variable holds, which decides how its value may appear. `link`: an address of the engine or the client, whole.
 * `code`: digits or letters to type. `fact`: the engine's or the administrator's own words. `client`: what a client sent
 * along. `name`, `email`, `ip`: what a person, or an attacker in her place, has chosen.
 */
export type Kind = 'link' | 'code' | 'fact' | 'client' | 'name' | 'email' | 'ip'

/** Named as in Okta's templates, except `request.system` and `lifetime`, which those lack. */
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
  /** A mail without any of these would be of no use; empty: a notice. */
  readonly oneOf: readonly string[]
  /** Other names that templates written for Okta may use. */
  readonly aliases: Readonly<Record<string, string>>
}

/** Every mail there is. A new one is a line here, its files in `templates/` and its sentences in the catalogue. */
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
  PasswordChanged: { variables: {}, oneOf: [], aliases: {} },
} as const satisfies Record<string, Definition>

export type TemplateName = keyof typeof definitions

type OwnVariable = {
  [Name in TemplateName]: keyof (typeof definitions)[Name]['variables']
}[TemplateName]

export type VariableName = keyof typeof generalVariables | OwnVariable

/** Values by the names that templates know. An absent or empty one counts as absent in `#with` and `#without`. */
export type MailVariables = { readonly [Name in VariableName]?: string | undefined }

export const definitionOf = (name: TemplateName): Definition => definitions[name]

export const templateNames = Object.keys(definitions) as readonly TemplateName[]
