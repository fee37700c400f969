import { OktaAuth } from '@okta/okta-auth-js'
import { expect, test } from 'vitest'
import { layout } from '../layout.ts'
import { error } from '../messages.ts'
import { passingStorage } from '../okta.ts'
import { wordsFor } from '../words.ts'
import { internationalNumber } from './authenticator-enrollment-data.ts'
import { choicesOf, chosen } from './choices.ts'
import { pageOf, stepPages } from './index.ts'
import type { Field, Refusal, StepPage, View } from './page.ts'

const words = wordsFor(() => 'en')

const view = (changes: Partial<View> = {}): View => ({
  words,
  csrf: 'token',
  messages: [],
  field: () => '',
  transaction: undefined,
  step: undefined,
  resendIn: 0,
  inboxUrl: undefined,
  codeLifetime: undefined,
  signedIn: false,
  back: { path: '/login', label: 'Back to sign in' },
  ...changes,
})

const step = (name: string, input: object) => ({ name, inputs: [{ name: '', ...input }] })
const option = { label: 'Email', value: 'okta_email' }
const steps = {
  identify: undefined,
  'identify-recovery': undefined,
  'select-authenticator-authenticate': step('select', { name: 'authenticator', options: [option] }),
  'authenticator-verification-data': step('data', {
    name: 'methodType',
    options: [
      { label: 'SMS', value: 'sms' },
      { label: 'Voice call', value: 'voice' },
    ],
  }),
  'challenge-authenticator': { ...step('challenge', { name: 'verificationCode' }), canResend: true },
  'select-authenticator-enroll': {
    ...step('select', { name: 'authenticator', options: [option] }),
    canSkip: true,
  },
  'authenticator-enrollment-data': {
    ...step('data', { name: 'methodType', options: [{ label: 'SMS', value: 'sms' }] }),
    canSkip: true,
  },
  'enroll-authenticator': { ...step('enroll', { name: 'verificationCode' }), canSkip: true },
  'reset-authenticator': step('reset', { name: 'password' }),
  'reenroll-authenticator': step('reenroll', { name: 'newPassword' }),
  'reenroll-authenticator-warning': { ...step('reenroll', { name: 'newPassword' }), canSkip: true },
  'select-authenticator-unlock-account': step('unlock', { name: 'authenticator', options: [option] }),
  'enroll-profile': {
    name: 'enroll-profile',
    inputs: [
      { name: 'firstName', label: 'First name', required: true },
      { name: 'email', label: 'Email', required: true },
      { name: 'passcode', label: 'Enter Password', required: true, secret: true },
    ],
  },
}

test('every step has one page', () => {
  expect(stepPages.map((page) => page.step)).toEqual(Object.keys(steps))
})

test.each(Object.entries(steps))('every field of %s has a label and keeps its name', (name, nextStep) => {
  const page = pageOf(name) as StepPage
  const markup = layout(words, page.render(view({ step: nextStep })))
  const inputs = [...markup.matchAll(/<input (?!type="hidden")[^>]*>/g)].map(([input]) => input)
  expect(inputs.length).toBeGreaterThan(0)
  for (const input of inputs) {
    const id = /\bid="([^"]+)"/.exec(input)?.[1]
    const labelled = id
      ? markup.includes(`<label for="${id}">`)
      : markup.includes(`<label class="option">\n${input}`)
    expect(labelled, input).toBe(true)
  }
  expect(markup.match(/<h1>/g)).toHaveLength(1)
  expect(markup.match(/class="primary"/g)).toHaveLength(1)
  expect(markup).not.toMatch(/ style=| on[a-z]+=|<style|<script>/)
})

test.each(Object.entries(steps))('every form of %s carries the token and is posted', (name, nextStep) => {
  const { markup } = (pageOf(name) as StepPage).render(view({ step: nextStep })).body
  const forms = markup.match(/<form [^>]*>\s*<[^>]*>/g) ?? []
  expect(forms.length).toBeGreaterThan(0)
  for (const form of forms) {
    expect(form).toMatch(/method="post"/)
    expect(form).toMatch(/name="csrf" value="token"/)
  }
})

test('a message about a field is tied to it', () => {
  const messages = [error('No such code', 'verificationCode')]
  const page = pageOf('challenge-authenticator') as StepPage
  const { markup } = page.render(view({ step: steps['challenge-authenticator'], messages })).body
  expect(markup).toContain('<p class="field-error" id="verificationCode-error">No such code</p>')
  expect(markup).toMatch(
    /<input id="verificationCode"[^>]* aria-invalid="true" aria-describedby="verificationCode-error sent"/,
  )
})

test('the previous input is shown again, escaped, except passwords', () => {
  const { markup } = (pageOf('identify') as StepPage).render(view({ field: () => '"><script>' })).body
  expect(markup).toContain('value="&quot;&gt;&lt;script&gt;"')
  expect(markup).toMatch(/type="password" value=""/)
})

test('an unmet rule of the password policy is marked after a refusal, and only then', () => {
  const settings = { complexity: { minLength: 12, minNumber: 1 } }
  const authenticator = {
    id: '',
    key: 'okta_password',
    type: 'password',
    displayName: '',
    methods: [],
    settings,
  }
  const page = pageOf('reset-authenticator') as StepPage
  const before = page.render(view({ step: { ...steps['reset-authenticator'], authenticator } })).body.markup
  expect(before).toContain('<li>At least 12 characters</li>')

  const messages = [error('Too short', 'password')]
  const after = page.render(
    view({ step: { ...steps['reset-authenticator'], authenticator }, messages, field: () => 'abc1' }),
  ).body.markup
  expect(after).toContain(
    '<li class="not-met"><span class="visually-hidden">Not met: </span>At least 12 characters</li>',
  )
  expect(after).toContain('<li class="met"><span class="visually-hidden">Met: </span>A number</li>')
  expect(after).not.toContain('abc1')
})

test.each([
  ['the rules that failed', 'abc1', 'Not met: At least 12 characters; A symbol'],
  [
    'a rule that only the server can check',
    'Lighthouse-77',
    'Choose another password: it contains a part of your username.',
  ],
])('a refused password is answered with %s alone', (_what, password, text) => {
  const settings = { complexity: { minLength: 12, minNumber: 1, minSymbol: 1, excludeUsername: true } }
  const authenticator = { ...googleOtp, key: 'okta_password', settings }
  const everyRule = error('Password requirements: at least 12 characters, a number, a symbol, …', 'password')
  const { markup } = (pageOf('reset-authenticator') as StepPage).render(
    view({
      step: { ...steps['reset-authenticator'], authenticator },
      messages: [{ ...everyRule, key: 'password.passwordRequirementsNotMet' }],
      field: () => password,
    }),
  ).body
  expect(markup).toContain(`id="password-error">${text}</p>`)
})

test('the box for other sessions is there only if the server offers it', () => {
  const page = pageOf('reset-authenticator') as StepPage
  const offered = { name: 'reset', inputs: [{ name: 'password' }, { name: 'revokeSessions' }] }
  expect(page.render(view({ step: steps['reset-authenticator'] })).body.markup).not.toContain(
    'revokeSessions',
  )
  expect(page.render(view({ step: offered })).body.markup).toContain('name="revokeSessions"')
})

test('the code page polls for the used link only if the server offers it', () => {
  const page = pageOf('challenge-authenticator') as StepPage
  const transaction = { availableSteps: [{ name: 'currentAuthenticatorEnrollment-poll', refresh: 4000 }] }
  const nextStep = steps['challenge-authenticator']
  expect(page.render(view({ step: nextStep })).body.markup).not.toContain('data-poll')
  expect(page.render(view({ step: nextStep, transaction: transaction as never })).body.markup).toContain(
    'data-poll="4000"',
  )
})

test('a phone shows its digits for a code, unless the server sends letters too', () => {
  const page = pageOf('challenge-authenticator') as StepPage
  const letters = step('challenge', { name: 'verificationCode', format: 'alphanumeric', maxLength: 10 })
  expect(page.render(view({ step: steps['challenge-authenticator'] })).body.markup).toContain(
    'inputmode="numeric"',
  )
  expect(page.render(view({ step: letters })).body.markup).not.toContain('inputmode')
})

const googleOtp = {
  id: '',
  key: 'google_otp',
  type: 'app',
  displayName: 'Google Authenticator',
  methods: [],
}

test('the code of an authenticator app is not said to be in a mail', () => {
  const page = pageOf('challenge-authenticator') as StepPage
  const nextStep = { ...step('challenge', { name: 'verificationCode' }), authenticator: googleOtp }
  const { title, badge, body } = page.render(view({ step: nextStep, inboxUrl: 'http://localhost/inbox' }))
  expect([title, badge]).toEqual(['Enter the code from your app', 'lock'])
  expect(body.markup).toContain('Open Google Authenticator and enter the code')
  expect(body.markup).not.toMatch(/mail|inbox|resend|poll/)
})

const enrolling = (contextualData: object) => ({
  ...step('enroll', { name: 'verificationCode' }),
  authenticator: { ...googleOtp, contextualData },
})
const markupOf = (nextStep: object) =>
  (pageOf('enroll-authenticator') as StepPage).render(view({ step: nextStep as never })).body.markup

test('the key of an authenticator app is an image with a description, and a text', () => {
  const shown = markupOf(
    enrolling({ sharedSecret: 'JBSWY3', qrcode: { href: 'data:image/png;base64,AA==' } }),
  )
  expect(shown).toContain('src="data:image/png;base64,AA==" alt="QR code for your authenticator app"')
  expect(shown).toContain('<code><span>JBSW</span><wbr><span>Y3</span><wbr></code>')
  expect(shown).not.toContain('autofocus')
  expect(
    markupOf(enrolling({ sharedSecret: 'JBSW', qrcode: { href: 'https://other.invalid' } })),
  ).not.toContain('<img')
  expect(markupOf(enrolling({}))).toContain('Enter the code that was sent to you.')
})

test('an enrolment can be declined only if the server offers it', async () => {
  for (const name of ['select-authenticator-enroll', 'enroll-authenticator'] as const) {
    const page = pageOf(name) as StepPage
    const required = { ...steps[name], canSkip: false }
    expect(page.render(view({ step: steps[name] })).body.markup).toContain('name="skip"')
    expect(page.render(view({ step: required })).body.markup).not.toContain('name="skip"')
    expect((await submit(name, { skip: 'yes' }, required)).refused).toHaveLength(1)
    expect((await submit(name, { skip: 'yes' })).refused).toBeUndefined()
  }
})

test('every authenticator that can be chosen has a hint', () => {
  const page = pageOf('select-authenticator-authenticate') as StepPage
  const options = [
    'okta_email',
    'okta_password',
    'google_otp',
    'phone_number',
    'security_question',
    'webauthn',
    'recovery_codes',
    'okta_verify',
  ].map((value) => ({ label: value, value }))
  const nextStep = step('select', { name: 'authenticator', options })
  expect(page.render(view({ step: nextStep })).body.markup.match(/<small>/g)).toHaveLength(options.length)
})

/** Submits a form with an SDK client that records its requests. */
async function submit(
  name: keyof typeof steps,
  form: Record<string, string>,
  nextStep: View['step'] = steps[name],
) {
  const requests: string[] = []
  const storageProvider = passingStorage()
  const client = new OktaAuth({
    issuer: 'https://engine.invalid/oauth2/default',
    clientId: 'app',
    redirectUri: 'https://app.invalid/login/callback',
    idx: { enableLegacyMode: true },
    storageManager: { transaction: { storageProvider }, token: { storageProvider } },
    httpRequestClient: (_method, url) => {
      requests.push(url)
      return Promise.reject(new Error('no network'))
    },
  })
  const field: Field = (key) => form[key] ?? ''
  const answer = (pageOf(name) as StepPage).submit({ client, field, words, step: nextStep })
  const refusal = await Promise.resolve(answer).catch(() => undefined)
  return { requests, refused: (refusal as Refusal | undefined)?.refused }
}

test('a first password is for the named user, and not compared with a current one', () => {
  const authenticator = {
    key: 'okta_password',
    settings: { complexity: { minLength: 12 }, age: { historyCount: 1 } },
  }
  const transaction = { context: { user: { value: { identifier: 'ada@example.com' } } } } as never
  const shown = (name: 'enroll-authenticator' | 'reset-authenticator') =>
    (pageOf(name) as StepPage).render(view({ step: { name, authenticator } as never, transaction })).body
      .markup

  expect(shown('enroll-authenticator')).toContain('For ada@example.com')
  expect(shown('enroll-authenticator')).toContain('At least 12 characters')
  expect(shown('enroll-authenticator')).not.toContain('Not your current password')
  expect(shown('reset-authenticator')).toContain('Not your current password')
})

test('two different passwords are refused and nothing is sent', async () => {
  const { requests, refused } = await submit('reset-authenticator', {
    password: 'one',
    confirmPassword: 'two',
  })
  expect(refused).toEqual([error('Passwords do not match.', 'confirmPassword')])
  expect(requests).toEqual([])
})

test.each([
  ['identify', { username: ' ', password: 'x' }, 'username'],
  ['identify', { username: 'mary', password: '' }, 'password'],
  ['identify-recovery', { username: '' }, 'username'],
  ['select-authenticator-authenticate', { authenticator: 'phone_number' }, 'authenticator'],
  ['challenge-authenticator', { verificationCode: '  ' }, 'verificationCode'],
  ['select-authenticator-enroll', { authenticator: 'phone_number' }, 'authenticator'],
  ['enroll-authenticator', { verificationCode: ' ' }, 'verificationCode'],
  ['reset-authenticator', { password: '', confirmPassword: '' }, 'password'],
  ['reenroll-authenticator', { newPassword: 'one', confirmPassword: 'two' }, 'confirmPassword'],
  ['reenroll-authenticator-warning', { newPassword: 'one', confirmPassword: 'two' }, 'confirmPassword'],
  ['authenticator-verification-data', { methodType: 'pigeon' }, 'methodType'],
  ['authenticator-enrollment-data', { phoneNumber: ' ', country: 'AT' }, 'phoneNumber'],
  ['authenticator-enrollment-data', { phoneNumber: '12', country: 'AT' }, 'phoneNumber'],
  ['select-authenticator-unlock-account', { username: '', authenticator: 'okta_email' }, 'username'],
  ['select-authenticator-unlock-account', { username: 'mary', authenticator: 'webauthn' }, 'authenticator'],
  ['enroll-profile', { firstName: 'Ada', email: ' ', passcode: 'x' }, 'email'],
  ['enroll-profile', { firstName: 'Ada', email: 'ada@example.com', passcode: '' }, 'passcode'],
] as const)('%s refuses %j without a request', async (name, form, field) => {
  const { requests, refused } = await submit(name, form)
  expect(refused?.map((message) => message.field)).toEqual([field])
  expect(requests).toEqual([])
})

test('a complete form is sent', async () => {
  const { requests } = await submit('identify-recovery', { username: 'mary' })
  expect(requests).toEqual(['https://engine.invalid/oauth2/default/.well-known/openid-configuration'])
})

const withKey = (name: keyof typeof steps, key: string, more: object = {}, of: object = {}) => ({
  ...steps[name],
  ...of,
  authenticator: { ...googleOtp, key, ...more },
})
const shownFor = (nextStep: object, changes: Partial<View> = {}) =>
  (pageOf((nextStep as { readonly name: string }).name) as StepPage).render(
    view({ ...changes, step: nextStep as never }),
  )

test.each([
  [
    'phone_number',
    { methods: [{ type: 'sms' }], profile: { phoneNumber: '+1 XXX-XXX-0123' } },
    'sent to +1 XXX',
  ],
  ['phone_number', { methods: [{ type: 'voice' }] }, 'in the call to your phone'],
  [
    'security_question',
    { contextualData: { enrolledQuestion: { question: 'First toy?' } } },
    'First toy?</label>',
  ],
  ['webauthn', { contextualData: { challengeData: { challenge: 'AA' } } }, 'data-passkey="get"'],
  ['recovery_codes', {}, 'Recovery code</label>'],
])('the page that asks for %s, %#, has its own words', (key, more, text) => {
  const nextStep = { ...withKey('challenge-authenticator', key, more), name: 'challenge-authenticator' }
  const { markup } = shownFor(nextStep).body
  expect(markup).toContain(text)
  expect(markup).not.toMatch(/mail with a code/)
})

test.each([
  [
    'security_question',
    { contextualData: { questions: [{ questionKey: 'toy', question: 'First toy?' }] } },
    '<option value="toy">First toy?',
  ],
  ['webauthn', { contextualData: { activationData: { challenge: 'AA' } } }, 'data-passkey="create"'],
  ['recovery_codes', { contextualData: { recoveryCodes: ['AAAA-BBBB'] } }, '<code>AAAA-BBBB</code>'],
])('the page that sets up %s has its own words', (key, more, text) => {
  const nextStep = { ...withKey('enroll-authenticator', key, more), name: 'enroll-authenticator' }
  expect(shownFor(nextStep).body.markup).toContain(text)
})

test('a browser without passkeys, or without JavaScript, is told so and led on', () => {
  const nextStep = { ...withKey('enroll-authenticator', 'webauthn'), name: 'enroll-authenticator' }
  const { markup } = shownFor(nextStep).body
  expect(markup).toContain('data-without>This browser cannot use passkeys')
  expect(markup).toMatch(/<button type="submit" class="primary" hidden>/)
  expect(markup).toContain('Not now')
})

test.each([
  [{ phoneNumber: '0664 1234567', country: 'AT' }, '+436641234567'],
  [{ phoneNumber: '(020) 7946 0018', country: 'GB' }, '+442079460018'],
  [{ phoneNumber: '06 1234 5678', country: 'IT' }, '+390612345678'],
  [{ phoneNumber: '+1 202-555-0123', country: 'AT' }, '+12025550123'],
  [{ phoneNumber: 'call me', country: 'AT' }, undefined],
  [{ phoneNumber: '12', country: 'nowhere' }, undefined],
] as const)('the phone number %j is %s', (form: Readonly<Record<string, string>>, number) => {
  expect(internationalNumber((name) => form[name] ?? '')).toBe(number)
})

test('the country of a phone is that of the browser', () => {
  const nextStep = { ...steps['authenticator-enrollment-data'], name: 'authenticator-enrollment-data' }
  expect(shownFor(nextStep, { region: 'AT' }).body.markup).toContain(
    '<option value="AT" selected>Austria (+43)</option>',
  )
})

test('an expiry is said in days, and what is required soon until when it can wait', () => {
  const warning = {
    ...withKey('reenroll-authenticator-warning', 'okta_password', { settings: { daysToExpiry: 3 } }),
    name: 'reenroll-authenticator-warning',
  }
  expect(shownFor(warning).body.markup).toContain('It works for 3 more days.')
  const offered = (gracePeriod: object) =>
    shownFor(
      { name: 'select-authenticator-enroll', canSkip: true },
      {
        transaction: {
          neededToProceed: [
            {
              name: 'select-authenticator-enroll',
              value: [
                {
                  name: 'authenticator',
                  options: [{ label: 'Phone', relatesTo: { key: 'phone_number', gracePeriod } }],
                },
              ],
            },
          ],
        } as never,
      },
    )
  const dated = offered({ type: 'BY_DATE_TIME', expiry: '2030-01-01T12:00:00.000Z' })
  expect(dated.title).toBe('Required soon')
  expect(dated.body.markup).toMatch(/It can wait until 1 Jan 2030, 12:00 UTC\..*Remind me later/s)
  expect(offered({ type: 'BY_SKIP_COUNT', remainingSkips: 1 }).body.markup).toContain(
    'It can wait once more.',
  )
})

test('two phones are told apart, and the one that is meant is sent', () => {
  const phone = (enrollmentId: string, phoneNumber: string) => ({
    label: 'Phone',
    relatesTo: { key: 'phone_number', profile: { phoneNumber } },
    value: {
      form: {
        value: [
          { name: 'id', value: 'aut1' },
          { name: 'methodType', options: [{ label: 'SMS', value: 'sms' }] },
          { name: 'enrollmentId', value: enrollmentId },
        ],
      },
    },
  })
  const transaction = {
    neededToProceed: [
      {
        name: 'select',
        value: [{ name: 'authenticator', options: [phone('pae1', '+1 23'), phone('pae2', '+1 45')] }],
      },
    ],
  } as never
  const choices = choicesOf(transaction, { name: 'select' })
  expect(choices.map(({ value, label }) => [value, label])).toEqual([
    ['phone_number:pae1', 'Phone (+1 23)'],
    ['phone_number:pae2', 'Phone (+1 45)'],
  ])
  expect(choices.map(chosen)[1]).toEqual({ id: 'aut1', enrollmentId: 'pae2', key: 'phone_number' })
})
