import type { IdxResponse } from '../../pages/index.ts'

type Form = NonNullable<IdxResponse['remediation']>['value'][number]
type Fields = NonNullable<Form['value']>

const form = (name: string, value: Fields = []): Form => ({ name, href: `/idp/idx/${name}`, value })
const credentials = (...value: Fields): Fields[number] => ({
  ...{ name: 'credentials', type: 'object', required: true },
  form: { value },
})
const code = credentials({ name: 'passcode', label: 'Enter code', required: true })
const password = credentials({ name: 'passcode', label: 'Password', secret: true, required: true })
const app = { value: { id: 'shop', label: 'Shop' } }
const user = { value: { identifier: 'mary@example.com' } }
const cancel = form('cancel')
const mail = { key: 'okta_email', type: 'email', profile: { email: 'm***y@example.com' } }
const rules = { complexity: { minLength: 8, minNumber: 1, excludeUsername: true }, age: { historyCount: 4 } }
const own = { key: 'okta_password', type: 'password', settings: rules }
const error = (key: string, message: string) => ({ value: [{ message, i18n: { key }, class: 'ERROR' }] })

const signIn: IdxResponse = {
  app,
  remediation: {
    value: [
      form('identify', [
        { name: 'identifier', label: 'Username', required: true },
        password,
        { name: 'rememberMe', label: 'Keep me signed in', type: 'boolean' },
      ]),
      form('select-enroll-profile'),
      form('unlock-account'),
    ],
  },
  currentAuthenticator: { value: { key: 'okta_password', recover: form('recover') } },
}
const choices = (...keys: readonly string[]): Fields => [
  {
    name: 'authenticator',
    type: 'object',
    options: keys.map((key, index) => ({
      label: key,
      value: { form: { value: [{ name: 'id', value: key, mutable: false }] } },
      relatesTo: `$.authenticators.value[${index}]`,
    })),
  },
]
const methods = [
  'okta_email',
  'google_otp',
  'webauthn',
  'recovery_codes',
  'security_question',
  'phone_number',
]
const authenticators = { value: methods.map((key) => ({ key })) }

/** A response for each kind of page, with made-up users, in the order in which a user sees them. */
export const pageSamples: Readonly<Record<string, IdxResponse>> = {
  'sign-in': signIn,
  'sign-in-refused': { ...signIn, messages: error('errors.E0000004', 'Authentication failed') },
  recovery: {
    ...{ app, cancel },
    remediation: {
      value: [form('identify-recovery', [{ name: 'identifier', label: 'Username', required: true }])],
    },
  },
  choose: {
    ...{ app, user, cancel, authenticators },
    remediation: { value: [form('select-authenticator-authenticate', choices(...methods))] },
  },
  'code-of-a-mail': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticatorEnrollment: { value: { ...mail, resend: form('resend') } },
  },
  'code-of-an-app': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticator: { value: { key: 'google_otp' } },
  },
  'new-password': {
    ...{ app, user, cancel },
    remediation: { value: [form('reset-authenticator', [password])] },
    currentAuthenticator: { value: own },
  },
  'sign-up': {
    ...{ app, cancel },
    remediation: {
      value: [
        form('enroll-profile', [
          {
            ...{ name: 'userProfile', type: 'object' },
            form: {
              value: ['email', 'firstName', 'lastName'].map((name) => ({
                name,
                label: name,
                required: true,
              })),
            },
          },
        ]),
        form('select-identify'),
      ],
    },
  },
  'set-up': {
    ...{ app, user, cancel, authenticators },
    remediation: { value: [form('select-authenticator-enroll', choices(...methods)), form('skip')] },
  },
  'expired-invitation': {
    user,
    remediation: { value: [form('request-activation-email')] },
    messages: error('idx.expired.activation.token', 'Your account activation link is no longer valid.'),
  },
  done: {
    messages: { value: [{ message: 'Your password is changed.', i18n: { key: 'idx.recovery.completed' } }] },
  },
  refused: { messages: error('security.access_denied', 'You do not have permission.') },
}
