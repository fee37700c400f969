import type { Kit } from '../../src/testing/index.ts'
import { ion, type Json } from './visitor.ts'

/**
 * The protocol in words of this repository: what each state's tables are written with. Values that differ from run to
 * run stand here as names in angle brackets; `masked` puts the same names into what the engine answered.
 */

const json = 'application/json; okta-version=1.0.0'

export const stateHandle = {
  name: 'stateHandle',
  required: true,
  value: '<state>',
  visible: false,
  mutable: false,
}

export const form = (name: string, path: string, fields: readonly Json[] = [], more: Json = {}): Json => ({
  rel: ['create-form'],
  name,
  href: `<engine>/idp/idx/${path}`,
  method: 'POST',
  produces: ion,
  accepts: json,
  value: [...fields, stateHandle],
  ...more,
})

export const identifier = { name: 'identifier', label: 'Username', required: true }
export const rememberMe = { name: 'rememberMe', label: 'Keep me signed in', type: 'boolean' }

export const credentials = (...fields: readonly Json[]): Json => ({
  name: 'credentials',
  type: 'object',
  required: true,
  form: { value: fields },
})
export const passwordField = { name: 'passcode', label: 'Password', secret: true }
export const codeField = { name: 'passcode', label: 'Enter code' }
export const longCodeField = { ...codeField, minLength: 10, maxLength: 10, format: 'alphanumeric' }
export const newPasswordField = { name: 'passcode', label: 'New password', secret: true }

export const cancel = form('cancel', 'cancel')
export const recover = form('recover', 'recover')
export const resend = form('resend', 'challenge/resend')
export const poll = form('poll', 'challenge/poll', [], { refresh: 4000 })

export const password = {
  type: 'password',
  key: 'okta_password',
  id: '<okta_password>',
  displayName: 'Password',
  methods: [{ type: 'password' }],
}
export const email = {
  type: 'email',
  key: 'okta_email',
  id: '<okta_email>',
  displayName: 'Email',
  methods: [{ type: 'email' }],
}
/** The visitor's own: with the address as she typed it, masked, and nothing where she typed none. */
export const ownEmail = (masked?: string): Json => ({
  ...(masked !== undefined && { profile: { email: masked } }),
  ...email,
  id: '<her okta_email>',
})
export const ownPassword = { ...password, id: '<her okta_password>' }

export const object = (value: Json): Json => ({ type: 'object', value })
export const array = (...value: readonly unknown[]): Json => ({ type: 'array', value })

/** The choice between authenticators, with what the options point to. */
export function selection(...own: readonly Json[]): { readonly form: Json; readonly members: Json } {
  const options = own.map(({ key, displayName, type }, index) => ({
    label: displayName,
    value: {
      form: {
        value: [
          { name: 'id', required: true, value: `<${key}>`, mutable: false },
          { name: 'methodType', required: false, value: type, mutable: false },
        ],
      },
    },
    relatesTo: `$.authenticatorEnrollments.value[${index}]`,
  }))
  return {
    form: form('select-authenticator-authenticate', 'challenge', [
      { name: 'authenticator', type: 'object', options },
    ]),
    members: {
      authenticators: array(...own.map(({ profile: _, ...kind }) => ({ ...kind, id: `<${kind.key}>` }))),
      authenticatorEnrollments: array(...own),
    },
  }
}

export const answering = (field: Json): Json =>
  form('challenge-authenticator', 'challenge/answer', [credentials(field)], {
    relatesTo: ['$.currentAuthenticatorEnrollment'],
  })

export const resetting = (...fields: readonly Json[]): Json =>
  form('reset-authenticator', 'challenge/answer', [credentials(...fields)], {
    relatesTo: ['$.currentAuthenticator'],
  })

export const app = object({ name: 'oidc_client', label: 'Sample Web App', id: 'rekey-web' })
export const user = (typed: string): Json => object({ identifier: typed })

export const head = { version: '1.0.0', stateHandle: '<state>', expiresAt: '<time>', intent: 'LOGIN' }

/** A page: what every response has, its forms in order, and what they are about. */
export const page = (remediation: readonly Json[], more: Json = {}): Json => ({
  ...head,
  remediation: array(...remediation),
  app,
  cancel,
  ...more,
})

export const message = (kind: 'ERROR' | 'INFO', key: string, text: unknown, ...params: unknown[]): Json => ({
  message: text,
  i18n: { key, params },
  class: kind,
})

/** A field with a message on it. */
export const refused = (field: Json, told: Json): Json => ({ ...field, messages: array(told) })

/** The rules of the default password policy. */
export const settings = {
  complexity: {
    minLength: 12,
    minLowerCase: 0,
    minUpperCase: 0,
    minNumber: 0,
    minSymbol: 0,
    excludeUsername: true,
    excludeAttributes: ['firstName', 'lastName'],
  },
  age: { minAgeMinutes: 0, historyCount: 1 },
}
/** The end: an interaction code for the client, and for the first time who it is. */
/** Of Mary, as the kit makes her. */
const profile = { firstName: 'Mary', lastName: 'Major', timeZone: 'UTC', locale: 'en_US' }

export const end = (
  typed: string,
  at: { readonly server?: string; readonly client?: string; readonly profile?: Json } = {},
): Json => ({
  ...head,
  app,
  user: object({ id: '<person>', identifier: typed, profile: at.profile ?? profile }),
  successWithInteractionCode: {
    rel: ['create-form'],
    name: 'issue',
    href: `<engine>/oauth2${at.server ?? '/default'}/v1/token`,
    method: 'POST',
    produces: 'application/json',
    value: [
      { name: 'grant_type', required: true, value: 'interaction_code' },
      { name: 'interaction_code', required: true, value: '<code>' },
      { name: 'client_id', required: true, value: at.client ?? 'rekey-web' },
      { name: 'code_verifier', required: true },
    ],
    accepts: 'application/x-www-form-urlencoded',
  },
})

/** What cannot go on: no form, no `cancel`, only what is to be said. */
export const terminal = (told: Json): Json => ({ ...head, messages: array(told) })

/** Errors that are about no transaction. */
export const apiError = (code: string, summary: unknown): Json => ({
  errorCode: code,
  errorSummary: summary,
  errorLink: code,
  errorId: '<error>',
  errorCauses: [],
})

export const blank = message('ERROR', 'model.validation.field.blank', 'This field cannot be left blank')
export const badRequest = message('ERROR', 'E0000020', 'Bad request.')
export const sessionExpired = message(
  'ERROR',
  'idx.session.expired',
  'You have been logged out due to inactivity. Refresh or return to the sign in screen.',
)
export const tooMany = message('ERROR', 'tooManyRequests', 'Too many requests')
export const wrongCode = message('ERROR', 'api.authn.error.PASSCODE_INVALID', 'Invalid code. Try again.')
export const wrongPassword = message('ERROR', 'errors.E0000004', 'Authentication failed')

/** A transaction that is over. */
export const over = { version: '1.0.0', intent: 'LOGIN', messages: array(sessionExpired) }

/** A body with what differs from run to run replaced by names. An id that the response does not explain stays. */
export function masked(idp: Kit, body: Json): Json {
  let text = JSON.stringify(body)
    .replaceAll(idp.engineUrl, '<engine>')
    .replace(/02\.id\.[\w-]{43}/g, '<state>')
    .replace(/"expiresAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"/g, '"expiresAt":"<time>"')
    .replace(/"oae\w{17}"/g, '"<error>"')
    .replace(/"(interaction_code","required":true,"value":")\w{43}"/g, '"$1<code>"')
    .replace(/"00u\w{17}"/g, '"<person>"')
  for (const [, key = '', id = ''] of text.matchAll(/"key":"(\w+)","id":"((?:aut|eae|lae|uft)\w{17})"/g)) {
    text = text.replaceAll(id, id.startsWith('aut') ? `<${key}>` : `<her ${key}>`)
  }
  return JSON.parse(text)
}
