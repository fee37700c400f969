import type { IdxResponse } from '../../pages/index.ts'
import { qrCode } from './qr-code.ts'

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
const appWithLinks = {
  value: {
    ...app.value,
    termsOfService: { href: 'https://shop.example/terms' },
    privacyPolicy: { href: 'https://shop.example/privacy' },
  },
}
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

const number = { key: 'phone_number', type: 'phone', profile: { phoneNumber: '+1 XXX-XXX-4567' } }
const phoneMethods: Fields[number] = {
  ...{ name: 'methodType', required: true },
  options: [
    { label: 'SMS', value: 'sms' },
    { label: 'Voice call', value: 'voice' },
  ],
}
const answer = credentials({ name: 'answer', label: 'Answer', secret: true, required: true })
const challenge = { challenge: 'bWFkZS11cA', userVerification: 'preferred', extensions: {} }
const activation = {
  ...{ challenge: 'bWFkZS11cA', rp: { id: 'localhost', name: 'Shop' } },
  ...{ user: { id: 'bWFyeQ', name: 'mary@example.com', displayName: 'Mary' }, pubKeyCredParams: [] },
}
const passkey = credentials(
  { name: 'authenticatorData', required: true, visible: false },
  { name: 'clientData', required: true, visible: false },
  { name: 'signatureData', required: true, visible: false },
)
const otherWays = form('select-authenticator-authenticate', choices(...methods.slice(0, 3)))
const profile = (...fields: Fields): Fields[number] => ({
  ...{ name: 'userProfile', type: 'object' },
  form: { value: fields },
})
const attribute = (name: string, more: Partial<Fields[number]> = {}): Fields[number] => ({
  ...{ name, label: name, required: true },
  ...more,
})
const scope = (name: string, label: string) => ({ name, label, i18n: { key: `core.auth.${name}` } })
const text = (key: string, message: string) => ({ message, i18n: { key }, class: 'ERROR' })

/** A response for each kind of page, with made-up users, in the order in which a user sees them. */
export const pageSamples: Readonly<Record<string, IdxResponse>> = {
  'sign-in': signIn,
  'sign-in-refused': { ...signIn, messages: error('errors.E0000004', 'Authentication failed') },
  'sign-in-with-a-passkey': {
    ...signIn,
    remediation: {
      value: [...(signIn.remediation?.value ?? []), form('launch-passkeys-authenticator', [passkey])],
    },
    webauthnAutofillUIChallenge: { value: { challengeData: challenge } },
  },
  'sign-in-name-first': {
    app,
    remediation: {
      value: [
        form('identify', [{ name: 'identifier', label: 'Username', required: true }]),
        form('select-enroll-profile'),
      ],
    },
  },
  password: {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [password]), otherWays] },
    authenticators,
    currentAuthenticator: { value: { key: 'okta_password', recover: form('recover') } },
  },
  recovery: {
    ...{ app, cancel },
    remediation: {
      value: [form('identify-recovery', [{ name: 'identifier', label: 'Username', required: true }])],
    },
  },
  unlock: {
    ...{ app, cancel, authenticators },
    remediation: {
      value: [
        form('select-authenticator-unlock-account', [
          { name: 'identifier', label: 'Username', required: true },
          ...choices('okta_email', 'google_otp'),
        ]),
      ],
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
  'code-refused': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('challenge-authenticator', [
          credentials({
            ...{ name: 'passcode', label: 'Enter code', required: true },
            messages: { value: [text('api.authn.error.PASSCODE_INVALID', 'Invalid code. Try again.')] },
          }),
        ]),
      ],
    },
    currentAuthenticatorEnrollment: { value: { ...mail, resend: form('resend') } },
  },
  'code-of-an-app': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticator: { value: { key: 'google_otp' } },
  },
  'text-or-call': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('authenticator-verification-data', [
          { name: 'authenticator', type: 'object', form: { value: [phoneMethods] } },
        ]),
      ],
    },
    currentAuthenticatorEnrollment: { value: number },
  },
  'code-of-a-text': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticatorEnrollment: {
      value: { ...number, methods: [{ type: 'sms' }], resend: form('resend') },
    },
  },
  'code-of-a-call': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticatorEnrollment: {
      value: { ...number, methods: [{ type: 'voice' }], resend: form('resend') },
    },
  },
  'security-question': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [answer])] },
    currentAuthenticatorEnrollment: {
      value: {
        key: 'security_question',
        contextualData: {
          enrolledQuestion: { questionKey: 'custom', question: 'Where did the kettle come from?' },
        },
      },
    },
  },
  'recovery-code': {
    ...{ app, user, cancel },
    remediation: { value: [form('challenge-authenticator', [code])] },
    currentAuthenticatorEnrollment: { value: { key: 'recovery_codes' } },
  },
  passkey: {
    ...{ app, user, cancel, authenticators },
    remediation: { value: [form('challenge-authenticator', [passkey]), otherWays] },
    currentAuthenticator: { value: { key: 'webauthn', contextualData: { challengeData: challenge } } },
  },
  'new-password': {
    ...{ app, user, cancel },
    remediation: { value: [form('reset-authenticator', [password])] },
    currentAuthenticator: { value: own },
  },
  'new-password-refused': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('reset-authenticator', [
          credentials({
            ...{ name: 'passcode', label: 'Password', secret: true, required: true },
            messages: {
              value: [text('password.passwordRequirementsNotMet', 'Password requirements were not met')],
            },
          }),
        ]),
      ],
    },
    currentAuthenticator: { value: own },
  },
  'expired-password': {
    ...{ app, user, cancel },
    remediation: { value: [form('reenroll-authenticator', [password])] },
    currentAuthenticator: { value: own },
  },
  'password-that-expires-soon': {
    ...{ app, user, cancel },
    remediation: { value: [form('reenroll-authenticator-warning', [password]), form('skip')] },
    currentAuthenticator: { value: own },
  },
  'sign-up': {
    ...{ app, cancel },
    remediation: {
      value: [
        {
          ...form('enroll-profile', [
            profile(attribute('email'), attribute('firstName'), attribute('lastName', { required: false })),
            password,
          ]),
          href: '/idp/idx/enroll/new',
        },
        form('select-identify'),
      ],
    },
    currentAuthenticator: { value: own },
  },
  'sign-up-refused': {
    ...{ app, cancel },
    remediation: {
      value: [
        {
          ...form('enroll-profile', [
            profile(
              attribute('email', {
                messages: {
                  value: [text('registration.error.invalidLoginEmail', 'This is no email address.')],
                },
              }),
              attribute('firstName'),
              attribute('lastName'),
            ),
          ]),
          href: '/idp/idx/enroll/new',
        },
        form('select-identify'),
      ],
    },
  },
  'more-about-you': {
    ...{ app, user, cancel },
    remediation: {
      value: [form('enroll-profile', [profile(attribute('city'), attribute('mobilePhone'))]), form('skip')],
    },
  },
  'set-up': {
    ...{ app, user, cancel, authenticators },
    remediation: { value: [form('select-authenticator-enroll', choices(...methods)), form('skip')] },
  },
  'set-up-an-app': {
    ...{ app, user, cancel },
    remediation: { value: [form('enroll-authenticator', [code])] },
    currentAuthenticator: {
      value: {
        key: 'google_otp',
        contextualData: {
          ...{ qrcode: { href: qrCode }, sharedSecret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' },
        },
      },
    },
  },
  'set-up-a-phone': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('authenticator-enrollment-data', [
          {
            ...{ name: 'authenticator', type: 'object' },
            form: {
              value: [phoneMethods, { name: 'phoneNumber', label: 'Phone number', required: true }],
            },
          },
        ]),
      ],
    },
    currentAuthenticator: { value: { key: 'phone_number', type: 'phone' } },
  },
  'set-up-a-security-question': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('enroll-authenticator', [
          {
            ...{ name: 'credentials', type: 'object', required: true },
            options: [
              {
                label: 'Choose a security question',
                value: {
                  form: {
                    value: [
                      {
                        ...{ name: 'questionKey', label: 'Question', required: true },
                        options: [
                          { label: 'What is the food you least liked as a child?', value: 'disliked_food' },
                          {
                            label: 'Where did you go for your favorite vacation?',
                            value: 'favorite_vacation',
                          },
                        ],
                      },
                      { name: 'answer', label: 'Answer', secret: true, required: true },
                    ],
                  },
                },
              },
              {
                label: 'Create my own security question',
                value: {
                  form: {
                    value: [
                      { name: 'questionKey', value: 'custom', mutable: false, required: true },
                      { name: 'question', label: 'Question', required: true },
                      { name: 'answer', label: 'Answer', secret: true, required: true },
                    ],
                  },
                },
              },
            ],
          },
        ]),
      ],
    },
    currentAuthenticator: { value: { key: 'security_question' } },
  },
  'set-up-recovery-codes': {
    ...{ app, user, cancel },
    remediation: { value: [form('enroll-authenticator', [code])] },
    currentAuthenticator: {
      value: {
        key: 'recovery_codes',
        contextualData: {
          recoveryCodes: [
            '6G5K-WXJM-2R8P-HVQT',
            'B3NZ-9DYC-LM4F-KE7R',
            'T8QA-V2HU-6JXS-PN5G',
            'MW4E-R7ZK-YB9C-3FDL',
          ],
        },
      },
    },
  },
  'set-up-a-passkey': {
    ...{ app, user, cancel },
    remediation: {
      value: [
        form('enroll-authenticator', [
          credentials(
            { name: 'clientData', required: true, visible: false },
            { name: 'attestation', required: true, visible: false },
          ),
        ]),
      ],
    },
    currentAuthenticator: { value: { key: 'webauthn', contextualData: { activationData: activation } } },
  },
  consent: {
    ...{ app, user, cancel },
    remediation: {
      value: [
        {
          ...form('consent', [{ name: 'consent', type: 'boolean', required: true }]),
          scopes: [
            scope('openid', 'openid'),
            scope('email', 'email'),
            scope('offline_access', 'offline_access'),
          ],
        } as Form,
      ],
    },
  },
  'consent-in-parts': {
    ...{ app: appWithLinks, user, cancel },
    remediation: {
      value: [
        form('granular-consent', [
          { name: 'consent', type: 'boolean', required: true },
          {
            ...{ name: 'optedScopes', type: 'object' },
            form: {
              value: [
                { ...scope('openid', 'openid'), type: 'boolean', mutable: false, value: true },
                { ...scope('email', 'email'), type: 'boolean', mutable: true, value: true },
                { ...scope('phone', 'phone'), type: 'boolean', mutable: true, value: true },
              ],
            },
          },
        ]),
      ],
    },
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
