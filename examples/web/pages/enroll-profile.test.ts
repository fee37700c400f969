import { OktaAuth } from '@okta/okta-auth-js'
import { expect, test } from 'vitest'
import { messagesOf } from '../messages.ts'
import { passingStorage } from '../okta.ts'
import { wordsFor } from '../words.ts'
import { enrollProfile } from './enroll-profile.ts'
import type { Refusal, View } from './page.ts'
import { profileFieldsOf } from './profile-fields.ts'

const words = wordsFor(() => 'en')

const display = (value: object) => ({
  options: [{ label: 'display', value: { type: 'object', value } }],
})
const red = { label: 'Red', value: 'red' }
const yesAndNo = [
  { label: 'Yes', value: 'true' },
  { label: 'No', value: 'false' },
]

/** The fields that a server may ask for, each in the shape of the protocol. */
const inputs = [
  { name: 'firstName', label: 'First name', required: true, minLength: 1, maxLength: 50 },
  { name: 'email', label: 'Email', required: true },
  {
    name: 'color',
    type: 'string',
    label: 'Color',
    required: false,
    ...display({ inputType: 'select', options: [red] }),
  },
  {
    name: 'pizza',
    type: 'string',
    label: 'Pizza',
    required: true,
    ...display({ inputType: 'radio', options: [red] }),
  },
  {
    name: 'pet',
    type: 'boolean',
    label: 'A pet?',
    required: false,
    ...display({ inputType: 'radio', options: yesAndNo }),
  },
  {
    name: 'termsAccepted',
    type: 'boolean',
    label: 'I agree to the terms (https://example.com/terms)',
    required: true,
    ...display({ inputType: 'checkbox' }),
  },
  { name: 'news', type: 'boolean', label: 'News', required: false, ...display({ inputType: 'checkbox' }) },
  {
    name: 'country',
    type: 'string',
    label: 'Country',
    required: true,
    ...display({ format: 'country-code', inputType: 'select' }),
  },
  { name: 'timezone', label: 'Time zone', required: false },
  { name: 'state', type: 'string', label: 'State', required: false },
  { name: 'passcode', label: 'Enter Password', required: true, secret: true },
  { name: 'captchaVerify', form: { value: [] } },
]
const step = { name: 'enroll-profile', inputs } as unknown as NonNullable<View['step']>

const view = (changes: Partial<View> = {}): View => ({
  words,
  csrf: 'token',
  messages: [],
  field: () => '',
  transaction: undefined,
  step,
  resendIn: 0,
  inboxUrl: undefined,
  codeLifetime: undefined,
  signedIn: false,
  back: { path: '/login', label: 'Back to sign in' },
  ...changes,
})
const markup = (changes: Partial<View> = {}) => enrollProfile.render(view(changes)).body.markup

test('each field is what the server says, and what is none of the form is left out', () => {
  expect(profileFieldsOf(view()).map(({ name, kind }) => [name, kind])).toEqual([
    ['firstName', 'text'],
    ['email', 'text'],
    ['color', 'select'],
    ['pizza', 'radio'],
    ['pet', 'radio'],
    ['termsAccepted', 'checkbox'],
    ['news', 'checkbox'],
    ['country', 'select'],
    ['timezone', 'select'],
    ['state', 'text'],
    ['passcode', 'password'],
  ])
})

test('what is required is marked for the eye and for a program, and the browser may fill in what it knows', () => {
  const shown = markup({ region: 'AT' })
  expect(shown).toContain('Fields marked with * are required.')
  expect(shown).toContain(
    '<label for="firstName">First name<span class="mark" aria-hidden="true"> *</span></label>',
  )
  expect(shown).toMatch(/id="firstName"[^>]*autocomplete="given-name"[^>]* maxlength="50" required/)
  expect(shown).toMatch(/id="email"[^>]*autocomplete="email"[^>]* inputmode="email"/)
  expect(shown).toMatch(
    /id="passcode" name="passcode" type="password" value=""\s+autocomplete="new-password"/,
  )
  expect(shown).toContain('<label for="state">State</label>')
  expect(shown).not.toMatch(/id="state"[^>]* required/)
  expect(shown).toMatch(/<select id="country" name="country" autocomplete="country" required>/)
  expect(shown).toContain('<option value="AT" selected>Austria</option>')
  expect(shown).toContain('<option value="America/New_York">America/New York</option>')
  expect(shown).toContain('<legend>Pizza<span')
  expect(shown).not.toContain(' checked')
})

test('the terms are a box with a link, and no other address than one of the web is a link', () => {
  expect(markup()).toContain(
    '<a href="https://example.com/terms" target="_blank" rel="noreferrer">Read the full text',
  )
  expect(markup()).toContain('<span>I agree to the terms<span')
  const evil = { ...inputs[5], label: 'I agree (javascript:alert(1))' }
  expect(markup({ step: { ...step, inputs: [evil] as never } })).not.toContain('<a href="javascript')
})

test('what was typed, chosen and ticked is there again, but for the password', () => {
  const typed: Readonly<Record<string, string>> = {
    firstName: '"><b>',
    color: 'red',
    pizza: 'red',
    termsAccepted: 'true',
    passcode: 'her-password',
  }
  const shown = markup({ field: (name) => typed[name] ?? '' })
  expect(shown).toContain('value="&quot;&gt;&lt;b&gt;"')
  expect(shown).toContain('<option value="red" selected>Red</option>')
  expect(shown).toMatch(/name="pizza" value="red" required checked/)
  expect(shown).toMatch(/name="termsAccepted" value="true" required checked/)
  expect(shown).not.toContain('her-password')
})

/** Submits the form with a client whose requests are recorded: the first page of the server is stored. */
async function submit(form: Readonly<Record<string, string>>) {
  const asked: unknown[] = []
  const storageProvider = passingStorage()
  const client = new OktaAuth({
    issuer: 'https://engine.invalid/oauth2/default',
    clientId: 'app',
    redirectUri: 'https://app.invalid/login/callback',
    idx: { enableLegacyMode: true },
    storageManager: { transaction: { storageProvider }, token: { storageProvider } },
  })
  client.idx.proceed = (options) => {
    asked.push(options)
    return Promise.reject(new Error('no network'))
  }
  const answer = enrollProfile.submit({ client, field: (name) => form[name] ?? '', words, step })
  const refused = await Promise.resolve(answer).catch(() => undefined)
  return { asked, refused: (refused as Refusal | undefined)?.refused }
}

const complete = {
  firstName: ' Ada ',
  email: 'ada@example.com',
  pizza: 'red',
  termsAccepted: 'true',
  country: 'AT',
  state: 'Tyrol',
  passcode: ' a pass phrase ',
}

test('each value is sent as a text, a box that is not ticked as no, and an empty field not at all', async () => {
  const { asked } = await submit({ ...complete, color: 'a value of an attacker' })
  expect(asked).toEqual([
    {
      actions: [
        {
          name: 'enroll-profile',
          params: {
            userProfile: {
              firstName: 'Ada',
              email: 'ada@example.com',
              pizza: 'red',
              termsAccepted: 'true',
              news: 'false',
              country: 'AT',
              state: 'Tyrol',
            },
            credentials: { passcode: ' a pass phrase ' },
          },
        },
      ],
    },
  ])
})

test('whatever is missing is said at once, at its field, and nothing is sent', async () => {
  const { asked, refused } = await submit({ pizza: 'none of these' })
  expect(asked).toEqual([])
  expect(refused?.map(({ field, text }) => [field, text])).toEqual([
    ['firstName', 'Fill in “First name”.'],
    ['email', 'Fill in “Email address”.'],
    ['pizza', 'Choose one of these.'],
    ['termsAccepted', 'Tick this box to go on.'],
    ['country', 'Choose one of these.'],
    ['passcode', 'Fill in “Password”.'],
  ])
  const shown = markup({ messages: refused ?? [] })
  expect(shown).toMatch(/<fieldset aria-describedby="pizza-error">/)
  expect(shown).toMatch(
    /name="termsAccepted"[^>]* aria-invalid="true" aria-describedby="termsAccepted-error"/,
  )
  expect(shown).toMatch(/<select id="country"[^>]* aria-invalid="true" aria-describedby="country-error"/)
  expect(shown.match(/ autofocus/g)?.length).toBeGreaterThan(0)
})

test('a fault of an address that the server names twice is said once, beside the address', () => {
  const message = (key: string, text: string) => ({ class: 'ERROR', message: text, i18n: { key } })
  const both = [
    message('registration.error.invalidLoginEmail', "'Email' must be in the form of an email address"),
    message('registration.error.doesNotMatchPattern', "Provided value for property 'Email' does not match"),
  ]
  const nextStep = {
    name: 'enroll-profile',
    inputs: [inputs[0], { ...inputs[1], messages: { value: both } }],
  }
  expect(messagesOf({ nextStep, messages: both } as never, words)).toEqual([
    {
      kind: 'error',
      text: 'This is not an email address. Check it.',
      key: 'registration.error.invalidLoginEmail',
      field: 'email',
    },
  ])
})
