import type { Kit, KitOptions } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import {
  changeSignUp,
  fillsIn,
  openSignUp,
  passwordInForm,
  toTheForm,
  unverified,
} from '../support/sign-up.ts'
import {
  besides,
  type Deviation,
  hiddenIds,
  names,
  nothingToChoose,
  oldContext,
  oldIds,
  oldIntent,
  oldTypes,
  otherKinds,
  ownApp,
  personId,
  repetition,
  requirements,
} from './captured.ts'
import { enrollmentPolicy } from './totp.ts'
import type { Answer, Visitor } from './visitor.ts'

/** A state of a sign-up that was captured: how it is reached, and where the answer differs. */
export interface RegistrationState {
  readonly engine: KitOptions
  readonly reach: (visitor: Visitor, idp: Kit) => Promise<Answer | Visitor>
  readonly deviations: readonly Deviation[]
}

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const base = [
  { name: 'firstName', label: 'First name', required: true },
  { name: 'lastName', label: 'Last name', required: true },
  { name: 'email', label: 'Email', required: true },
]

const backToName: Deviation = [
  /^remediation\/select-identify\/(href|field\/identifier)/,
  'older: the way back names nobody, and has an address of its own since',
]
const mocked: Deviation = [
  /\/form\/\w+\/(minLength|maxLength|type)$|userProfile\/\w+\/(minLength|maxLength|type)$/,
  'the lengths of an example; the schema decides, and a text needs no type',
]

const closed: Deviation = [
  /^remediation\/select-enroll-profile\//,
  'what is closed is not offered a second time',
]
const olderName: Deviation = [/^enrollmentAuthenticator\//, '`currentAuthenticator` says the same']

const form = (
  attributes: readonly object[],
  deviations: readonly Deviation[],
  { custom = {}, engine = {} }: { readonly custom?: object; readonly engine?: KitOptions['settings'] } = {},
): RegistrationState => ({
  engine: openSignUp(engine),
  async reach(visitor, idp) {
    const schema = { definitions: { custom: { properties: custom } } }
    const { status } = await apiOf(idp)('POST', '/meta/schemas/user/default', schema)
    if (status !== 200) throw new Error('the schema was refused')
    await changeSignUp(idp, { profileAttributes: attributes })
    return toTheForm(visitor)
  },
  deviations,
})

const listOf = (title: string, all: Readonly<Record<string, string>>) => ({
  title,
  type: 'string',
  enum: Object.keys(all),
  oneOf: Object.entries(all).map(([value, label]) => ({ const: value, title: label })),
})

/** What is sent into the form. */
const sent = (
  userProfile: object,
  changes: Readonly<Record<string, unknown>>,
  deviations: readonly Deviation[],
  more: object = {},
): RegistrationState => ({
  engine: openSignUp(),
  async reach(visitor, idp) {
    await changeSignUp(idp, changes)
    return fillsIn(visitor, userProfile, more)
  },
  deviations,
})

/** A sign-up at the password, with other authenticators to choose from. */
async function atThePassword(visitor: Visitor, idp: Kit) {
  await enrollmentPolicy(idp, {
    okta_password: 'REQUIRED',
    phone_number: 'REQUIRED',
    webauthn: 'REQUIRED',
    security_question: 'REQUIRED',
  })
  await changeSignUp(idp, unverified)
  await fillsIn(visitor, nina)
  return visitor.enrolls('okta_password')
}

const boxes: Deviation = [
  /\/userProfile\/required\/required$/,
  'a box to tick is never required: clients would not send the form while it is not ticked',
]

export const registrationStates: Readonly<Record<string, RegistrationState>> = {
  'enroll-profile-new': form(base, [backToName, mocked, oldTypes, oldContext]),
  'enroll-profile-new-additional-fields': form(
    [
      ...base,
      { name: 'country', label: 'Country', required: true },
      { name: 'countryCode', label: 'Country code', required: true, inputType: 'text' },
      { name: 'timezone', label: 'Timezone', required: true },
    ],
    [backToName, oldTypes, oldContext],
    { custom: { country: { title: 'Country', type: 'string', format: 'country-code' } } },
  ),
  'enroll-profile-new-boolean-fields': form(
    [
      ...base,
      { name: 'pet', label: 'Do you have a pet?', required: false, inputType: 'radio' },
      { name: 'required', label: 'Required', required: true, inputType: 'checkbox' },
      { name: 'optional', label: 'Optional', required: false, inputType: 'checkbox' },
    ],
    [backToName, oldTypes, oldContext, boxes],
    {
      custom: {
        pet: { title: 'Pet', type: 'boolean' },
        required: { title: 'Required', type: 'boolean' },
        optional: { title: 'Optional', type: 'boolean' },
      },
    },
  ),
  'profile-enrollment-string-fields-options': form(
    [
      ...base,
      { name: 'colores', label: 'Colors', required: false },
      { name: 'favpizza', label: 'Favorite Pizza', required: false, inputType: 'radio' },
      { name: 'favsong', label: 'Favorite Song', required: false },
      { name: 'string1', label: 'String1', required: false },
    ],
    [backToName, oldTypes, oldContext],
    {
      custom: {
        colores: listOf('Colors', { red: 'Red', blue: 'Blue', green: 'Green' }),
        favpizza: listOf('Pizza', {
          lucali: 'Lucali',
          razza: 'Razza',
          difara: 'Di Fara Pizza',
          breadsalt: 'Bread And Salt',
          ops: 'Ops',
        }),
        favsong: listOf('Song', {
          smells: 'Smells Like Teen Spirit - Nirvana',
          imagine: 'Imagine - John Lennon',
          one: 'One - U2',
          billie: 'Billie Jean - Michael Jackson',
        }),
        string1: { title: 'String1', type: 'string' },
      },
    },
  ),
  'enroll-profile-new-with-hcaptcha': form(base, [backToName, oldTypes, oldContext], {
    engine: { captcha: { type: 'HCAPTCHA', siteKey: 'a-site-key', secret: 'its secret' } },
  }),
  'enroll-profile-with-password': {
    engine: openSignUp(),
    async reach(visitor, idp) {
      await changeSignUp(idp, passwordInForm)
      return toTheForm(visitor)
    },
    deviations: [oldTypes, names, repetition],
  },
  'enroll-profile-with-password-returns-error': sent(nina, passwordInForm, [oldTypes, requirements], {
    credentials: { passcode: 'short' },
  }),
  'enroll-profile-with-password-returns-multiple-errors': sent(
    { ...nina, email: 'nina' },
    { ...passwordInForm, profileAttributes: [{ ...base[2], label: 'Primary email' }, base[0], base[1]] },
    [oldTypes, requirements, names],
    { credentials: { passcode: 'short' } },
  ),
  'error-new-signup-email': sent({ ...nina, email: 'nina' }, {}, [oldTypes, oldContext]),
  'error-new-signup-email-exists': sent({ ...nina, email: 'mary@example.com' }, unverified, [
    oldTypes,
    oldContext,
  ]),
  'authenticator-enroll-password': {
    engine: openSignUp(),
    reach: atThePassword,
    deviations: [
      oldTypes,
      oldIds,
      oldIntent,
      hiddenIds,
      names,
      repetition,
      personId,
      otherKinds,
      nothingToChoose,
    ],
  },
  'error-authenticator-enroll-password-common': {
    engine: openSignUp(),
    async reach(visitor, idp) {
      await atThePassword(visitor, idp)
      return visitor.answers('password1234')
    },
    deviations: [names, personId, besides('okta_password'), olderName],
  },
  'error-enroll-regisration-unavailable': {
    engine: openSignUp({ signOn: { start: 'identifier' } }),
    async reach(visitor, idp) {
      await toTheForm(visitor)
      await changeSignUp(idp, { unknownUserAction: 'DENY' })
      return visitor.submits('enroll/new', { userProfile: nina })
    },
    deviations: [names, ownApp, oldTypes, closed],
  },
}
