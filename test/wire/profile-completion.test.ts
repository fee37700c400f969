import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { baseAttributes } from '../../src/directory/index.ts'
import { userProfileField } from '../../src/idx/steps/profile-form.ts'
import { wireForm } from '../../src/idx/wire/form.ts'
import { profileFields } from '../../src/registration/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { builtInRule } from '../support/policy-rules.ts'
import { captured, describeCaptured } from './captured.ts'
import { form, message, object, page, refused, user } from './expected.ts'
import { type Answer, type Json, newVisitor } from './visitor.ts'

const mary = 'mary@example.com'
let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const attributes = [
  { name: 'email', label: 'Email', required: true },
  { name: 'firstName', label: 'First name', required: true },
  { name: 'city', label: 'Town', required: true },
  { name: 'pet', label: 'Do you have a pet?', required: true },
  { name: 'state', label: 'State', required: false },
]
/** The policy asks at each sign-in for what is missing. */
async function asksFor(more: object = {}, kit = idp): Promise<void> {
  await apiOf(kit)('POST', '/meta/schemas/user/default', {
    definitions: { custom: { properties: { pet: { title: 'Pet', type: 'boolean' } } } },
  })
  await builtInRule(kit, 'PROFILE_ENROLLMENT', {
    profileEnrollment: {
      access: 'ALLOW',
      unknownUserAction: 'DENY',
      profileAttributes: attributes,
      progressiveProfilingAction: 'ENABLED',
      ...more,
    },
  })
}
async function signIn(kit = idp) {
  const visitor = newVisitor(kit)
  await visitor.begins()
  return { visitor, answer: await visitor.signsIn(mary, kit.person.password) }
}
const firstField = ({ remediation }: { readonly remediation?: unknown }): Json => {
  const [first] = (remediation as { readonly value: readonly { readonly value: readonly Json[] }[] }).value
  return first?.value[0] ?? {}
}
const isDone = ({ body }: Answer) => 'successWithInteractionCode' in body
const profileOf = async () => (await apiOf(idp)('GET', `/users/${mary}`)).body.profile as Json

const city = { name: 'city', label: 'Town', required: true, minLength: 1, maxLength: 128 }
const pet = {
  name: 'pet',
  label: 'Do you have a pet?',
  type: 'boolean',
  required: true,
  options: [
    {
      label: 'display',
      value: object({
        inputType: 'radio',
        options: [
          { label: 'Yes', value: 'true' },
          { label: 'No', value: 'false' },
        ],
      }),
    },
  ],
}
const completion = (...fields: readonly Json[]): Json =>
  page([form('enroll-profile', 'enroll/update', [{ name: 'userProfile', form: { value: fields } }])], {
    user: user(mary),
    uiDisplay: object({ label: 'Sign in', buttonLabel: 'Submit' }),
  })

describe('a sign-in', () => {
  test('asks behind all factors for what is required and empty, and goes on once it is there', async () => {
    await asksFor()
    const { visitor, answer } = await signIn()
    expect(firstField(answer.body)).toEqual(firstField(completion(city, pet)))
    expect(answer.body).toMatchObject({ uiDisplay: completion().uiDisplay, user: user(mary) })

    // All that is wrong at once, each in its field.
    const wrong = await visitor.submits('enroll/update', { userProfile: { city: '<i>Wien', pet: 'maybe' } })
    expect(wrong.status).toBe(400)
    expect(firstField(wrong.body)).toEqual({
      name: 'userProfile',
      form: {
        value: [
          refused(city, message('ERROR', 'tagsNotAllowed', 'The field must not contain HTML tags')),
          refused(
            pet,
            message(
              'ERROR',
              'registration.error.notAllowedValue',
              'Do you have a pet? is none of the values that are allowed',
              'Do you have a pet?',
            ),
          ),
        ],
      },
    })
    const done = await visitor.submits('enroll/update', { userProfile: { city: ' Wien ', pet: 'false' } })
    expect(isDone(done)).toBe(true)
    expect(await profileOf()).toMatchObject({ city: 'Wien', pet: false, firstName: 'Mary' })
    expect(isDone((await signIn()).answer)).toBe(true)
    const [event] = (await idp.events()).filter((one) => one.eventType === 'user.account.update_profile')
    expect(event).toMatchObject({ outcome: { result: 'SUCCESS' } })
  })

  test('A64: sets nothing that is not in the form', async () => {
    await asksFor()
    const { visitor } = await signIn()
    const done = await visitor.submits('enroll/update', {
      userProfile: {
        city: 'Wien',
        pet: true,
        firstName: 'Mallory',
        login: 'admin@example.com',
        email: 'mallory@example.com',
        department: 'Board',
        groups: ['00g1'],
        status: 'SUSPENDED',
      },
      groupIds: ['00g1'],
    })
    expect(isDone(done)).toBe(true)
    const profile = await profileOf()
    expect(profile).toMatchObject({ login: mary, email: mary, firstName: 'Mary', city: 'Wien' })
    expect(profile).not.toHaveProperty('department')
    expect(profile).not.toHaveProperty('groups')
  })

  test.each([
    ['the policy does not ask', { progressiveProfilingAction: 'DISABLED' }],
    ['nothing required is missing', { profileAttributes: attributes.slice(0, 2) }],
  ])('asks for nothing where %s', async (_, more) => {
    await asksFor(more)
    expect(isDone((await signIn()).answer)).toBe(true)
  })

  test('asks for nothing at an app that cannot show the form', async () => {
    await asksFor()
    const api = apiOf(idp)
    const { body } = await api('GET', `/apps/${idp.clientId}`)
    const { oauthClient } = body.settings as { readonly oauthClient: object }
    const settings = { oauthClient: { ...oauthClient, profile_completion: false } }
    expect((await api('PUT', `/apps/${idp.clientId}`, { ...body, settings })).status).toBe(200)
    expect(isDone((await signIn()).answer)).toBe(true)
  })

  test('a recovery asks for nothing', async () => {
    await asksFor()
    const visitor = newVisitor(idp)
    await visitor.atTheReset()
    expect(isDone(await visitor.answers('Lighthouse-Biscuit-77'))).toBe(true)
  })

  test('before a proof the step is not there', async () => {
    await asksFor()
    const visitor = newVisitor(idp)
    await visitor.begins()
    const answer = await visitor.submits('enroll/update', { userProfile: { city: 'Wien', pet: true } })
    expect(answer.status).toBe(400)
    expect(await profileOf()).not.toHaveProperty('city')
  })
})

describeCaptured('the fields of a profile have everything that the captured ones do', () => {
  const fieldsIn = (file: string): readonly Json[] =>
    (firstField(captured(file)).form as { readonly value: readonly Json[] }).value

  test.each([
    'enroll-profile-new',
    'enroll-profile-all-base-attributes',
    'enroll-profile-new-additional-fields',
    'enroll-profile-new-boolean-fields',
    'profile-enrollment-string-fields-options',
    'enroll-profile-submit',
  ])('%s', (file) => {
    const shown = fieldsIn(file)
    const display = (field: Json) =>
      (field.options as { value: { value: Json } }[] | undefined)?.[0]?.value.value ?? {}
    // The user schema and the policy that such a form comes from.
    const custom = Object.fromEntries(
      shown.flatMap((field) => {
        const name = String(field.name)
        const { options, format } = display(field) as { options?: Json[]; format?: string }
        const bounds = { minLength: field.minLength, maxLength: field.maxLength } as object
        const values = field.type === 'boolean' ? undefined : options
        const attribute = {
          ...(name in baseAttributes && name !== 'email' ? baseAttributes[name] : {}),
          type: field.type === 'boolean' ? ('boolean' as const) : ('string' as const),
          ...('minLength' in field && bounds),
          ...(format !== undefined && { format }),
          ...(values && {
            enum: values.map(({ value }) => value),
            oneOf: values.map(({ label, value }) => ({ title: label, const: value })),
          }),
        }
        return [[name, attribute]]
      }),
    )
    const policy = {
      attributes: shown.map((field) => ({
        name: String(field.name),
        label: String(field.label),
        required: field.required === true,
        ...('inputType' in display(field) && { inputType: display(field).inputType as 'radio' }),
      })),
    }
    const fields = profileFields(policy, { base: {}, custom, updatedAt: 0 })
    const wire = wireForm({ name: '', href: '', stateHandle: '', fields: [userProfileField(fields)] })
    const [profile] = wire.value as { form: { value: Json[] } }[]
    // A form of a sign-in has no address in it; that of a sign-up always has one.
    const own = (profile?.form.value ?? []).filter(
      ({ name }) => shown.some((field) => field.name === name) || name !== 'email',
    )
    // Of a plain text nothing says that it is one: clients take it for one. An address has no bounds of its own.
    // A box to tick is not required: clients would not send the form while it is not ticked.
    const expected = shown.map(({ type, minLength: _, maxLength: __, ...field }) => ({
      ...field,
      required: field.required && display(field).inputType !== 'checkbox',
      ...(type !== undefined && !(type === 'string' && !field.options) && { type }),
    }))
    expect(own).toMatchObject(expected)
  })
})
