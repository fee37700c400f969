import { domainToASCII, domainToUnicode } from 'node:url'
import { isObject, isOneVisibleLine, linearPattern } from '../base/index.ts'
import {
  addressProblem,
  compareKey,
  loginProblem,
  mailboxKey,
  profileProblems,
  type SchemaAttribute,
  type UserSchema,
} from '../directory/index.ts'
import type { DomainRules, RegistrationAttribute, RegistrationPolicy, Terms } from '../policies/index.ts'
import { mayRegister } from './domains.ts'

/** One field of a profile form: what is shown of it, and by what its value is read. */
export interface ProfileField {
  /** The attribute. */
  readonly name: string
  readonly label: string
  /** Numbers are texts on the wire: the widget has no field for them. */
  readonly type?: 'string' | 'boolean'
  readonly required: boolean
  readonly minLength?: number
  readonly maxLength?: number
  /** How it is shown, where there is more than one way. */
  readonly display?: FieldDisplay
  /** What the user schema says of the attribute; the agreement to terms is no attribute. */
  readonly attribute?: SchemaAttribute
  /** Which addresses may be given. */
  readonly domains?: DomainRules
  /** The terms that `true` agrees to. */
  readonly terms?: Terms
}

export interface FieldDisplay {
  readonly inputType: 'select' | 'radio' | 'checkbox' | 'text'
  readonly format?: 'country-code'
  readonly options?: readonly { readonly label: string; readonly value: string }[]
}

/** Why a value is not accepted: a key of `profileMessages`, in a field. */
export interface ProfileRefusal {
  /** The name of the field. */
  readonly name: string
  readonly key: string
  readonly params: readonly (string | number)[]
}

/** The words of refusals. Where the protocol is known to have a message its key and words are used. */
export const profileMessages = {
  'registration.error.invalidLoginEmail': "'{0}' must be in the form of an email address",
  'registration.error.doesNotMatchPattern':
    "Provided value for property '{0}' does not match required pattern",
  'registration.error.notUniqueWithinOrg': 'A user with this {0} already exists',
  'registration.error.tooLong': '{0} must be at most {1} characters long',
  'registration.error.tooShort': '{0} must be at least {1} characters long',
  'registration.error.invalidCharacters': '{0} contains characters that are not allowed',
  'registration.error.notAllowedValue': '{0} is none of the values that are allowed',
  'registration.error.invalidNumber': '{0} must be a number',
  'registration.error.invalidInteger': '{0} must be a whole number',
  'registration.error.domainNotAllowed': 'Addresses of this domain cannot be used here',
  'registration.error.termsNotAccepted': 'Agree to the terms to go on',
  'model.validation.field.blank': 'This field cannot be left blank',
  tagsNotAllowed: 'The field must not contain HTML tags',
} as const

type MessageKey = keyof typeof profileMessages

export type ProfileResult =
  | {
      /** The attributes that were filled in, with `login`, which is the email where the form does not ask for one. */
      readonly profile: Readonly<Record<string, unknown>>
      /** The terms that were agreed to. */
      readonly terms?: Terms
    }
  | { readonly refusals: readonly [ProfileRefusal, ...(readonly ProfileRefusal[])] }

/** The field of the agreement to terms. Attributes of this name are not asked for. */
const termsName = 'termsAccepted'

/** Names that no form sets: they decide about the account and are no part of a profile. */
const neverAsked = [
  termsName,
  'id',
  'status',
  'groups',
  'groupIds',
  'credentials',
  'stateHandle',
  '__proto__',
]

const countryCode: FieldDisplay = { inputType: 'select', format: 'country-code' }

const attributeOf = ({ base, custom }: UserSchema, name: string): SchemaAttribute | undefined => {
  if (Object.hasOwn(base, name)) return base[name]
  return Object.hasOwn(custom, name) ? custom[name] : undefined
}

/**
 * Whether users may see an attribute. `READ_ONLY` is what the schema reports where it is silent: it is about the user's own
 * profile page, and a form whose policy names the attribute asks for it once.
 */
const isShown = ({ permissions = [] }: SchemaAttribute): boolean =>
  permissions.every(({ principal, action }) => principal !== 'SELF' || action !== 'HIDE')

/** No client can fill in a list. */
const canBeAsked = (name: string, attribute: SchemaAttribute | undefined): attribute is SchemaAttribute =>
  attribute !== undefined && attribute.type !== 'array' && !neverAsked.includes(name) && isShown(attribute)

/** The values of an enumeration with their titles, which stand in `oneOf`. */
function valuesOf({ enum: values = [], oneOf }: SchemaAttribute): NonNullable<FieldDisplay['options']> {
  const titles = new Map(
    (Array.isArray(oneOf) ? oneOf : []).flatMap((one) =>
      isObject(one) && typeof one.title === 'string' ? [[String(one.const), one.title] as const] : [],
    ),
  )
  return values.map((value) => ({ label: titles.get(String(value)) ?? String(value), value: String(value) }))
}

const yesOrNo = [
  { label: 'Yes', value: 'true' },
  { label: 'No', value: 'false' },
] as const

/**
 * How an attribute is shown. A boolean that must be answered has two answers to choose from: clients leave out a box that is
 * not ticked, or never send its form.
 */
function displayOf(
  name: string,
  attribute: SchemaAttribute,
  { inputType, required }: Pick<RegistrationAttribute, 'inputType' | 'required'>,
): FieldDisplay | undefined {
  if (attribute.type === 'boolean') {
    const isRadio = inputType === 'radio' || (inputType !== 'checkbox' && required)
    return isRadio ? { inputType: 'radio', options: yesOrNo } : { inputType: 'checkbox' }
  }
  if (attribute.enum !== undefined && attribute.enum.length > 0) {
    return { inputType: inputType === 'radio' ? 'radio' : 'select', options: valuesOf(attribute) }
  }
  if (name === 'countryCode' || attribute.format === 'country-code') {
    return inputType === 'text' ? { ...countryCode, inputType } : countryCode
  }
  return undefined
}

function fieldOf(
  asked: RegistrationAttribute,
  attribute: SchemaAttribute,
  domains: DomainRules | undefined,
): ProfileField {
  const { name, label } = asked
  const required = asked.required || attribute.required === true
  const display = displayOf(name, attribute, { ...asked, required })
  // An address has its own form, and the bounds of a list are its values.
  const isBounded = attribute.type === 'string' && display === undefined && attribute.format !== 'email'
  const minLength = attribute.minLength ?? (required ? 1 : undefined)
  return {
    name,
    label,
    ...(attribute.type === 'boolean' ? { type: 'boolean' } : display !== undefined && { type: 'string' }),
    ...((attribute.type === 'integer' || attribute.type === 'number') && { type: 'string' }),
    required,
    ...(isBounded && minLength !== undefined && { minLength }),
    ...(isBounded && attribute.maxLength !== undefined && { maxLength: attribute.maxLength }),
    ...(display && { display }),
    attribute,
    ...(name === 'email' && domains && { domains }),
  }
}

/**
 * The fields of the form by which a visitor makes an account: the attributes of the policy in its order, as far as the user
 * schema has them and does not hide them from users; the email in any case; what the schema requires besides; and the agreement to
 * terms, where there are any.
 */
export function profileFields(
  { attributes, domains, terms }: Pick<RegistrationPolicy, 'attributes' | 'domains' | 'terms'>,
  schema: UserSchema,
): readonly ProfileField[] {
  const named = attributes.map(({ name }) => name)
  const required = Object.entries({ ...schema.base, ...schema.custom }).flatMap(([name, attribute]) =>
    // The login is the email where no field asks for it.
    attribute.required === true && name !== 'login' && name !== 'email' && !named.includes(name)
      ? [{ name, label: attribute.title ?? name, required: true }]
      : [],
  )
  const email = { name: 'email', label: 'Email', required: true }
  const all = [...(named.includes('email') ? [] : [email]), ...attributes, ...required]
  const fields = all.flatMap((one) => {
    const attribute = attributeOf(schema, one.name)
    return canBeAsked(one.name, attribute) ? [fieldOf(one, attribute, domains)] : []
  })
  return terms === undefined ? fields : [...fields, termsField(terms)]
}

const termsField = (terms: Terms): ProfileField => ({
  name: termsName,
  label: terms.label ?? `I agree to the terms (${terms.url})`,
  type: 'boolean',
  required: true,
  display: { inputType: 'checkbox' },
  terms,
})

const longestLogin = 100

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '')

/**
 * The fields that a sign-in asks for: what the form requires and the user does not have, and the agreement to terms where
 * they are given. Never an address or a login, by which the user is known.
 */
export function missingFields(
  policy: { readonly attributes: RegistrationPolicy['attributes']; readonly terms?: Terms | undefined },
  schema: UserSchema,
  profile: Readonly<Record<string, unknown>>,
): readonly ProfileField[] {
  const { attributes, terms } = policy
  return profileFields({ attributes, ...(terms && { terms }) }, schema).filter(
    ({ name, required, attribute, terms: isTerms }) =>
      isTerms !== undefined ||
      (required && isEmpty(profile[name]) && name !== 'login' && attribute?.format !== 'email'),
  )
}

/** A tag, the beginning of one, or of a comment, as browsers read it: `a < b` is none. */
const tag = /<[a-z/!?]/i

/** Names stand in mails, which go to addresses that a visitor has typed: none is an invitation to a page (A63). */
const address = /:\/\/|\bwww\./i
const namesInMails = [
  ...['firstName', 'lastName', 'middleName', 'displayName', 'nickName'],
  ...['honorificPrefix', 'honorificSuffix'],
]

/** Texts in which line breaks have a meaning. */
const severalLines = ['postalAddress', 'streetAddress']

/**
 * What a visitor has filled in, read by the fields that were shown and nothing else: whatever else is sent has no effect, be it
 * an attribute, a group or a status. Empty is the same as absent. Booleans may be texts, and numbers are.
 *
 * @param input the value of `userProfile`, as it was sent
 */
export function readProfile(fields: readonly ProfileField[], input: unknown): ProfileResult {
  const sent = isObject(input) ? input : {}
  const profile: Record<string, unknown> = {}
  const refusals: ProfileRefusal[] = []
  let terms: Terms | undefined
  for (const field of fields) {
    const raw = Object.hasOwn(sent, field.name) ? sent[field.name] : undefined
    const value = typeof raw === 'string' ? raw.trim() : raw
    if (isEmpty(value)) {
      // A box that is not ticked: SDKs leave `false` out.
      if (field.required && field.terms === undefined && field.display?.inputType === 'checkbox') {
        profile[field.name] = false
      } else if (field.required) refusals.push(...refused(field, blankKey(field)))
      continue
    }
    const read = readValue(field, value)
    if ('refusals' in read) refusals.push(...read.refusals)
    else if (field.terms === undefined) profile[field.name] = read.value
    else if (read.value === true) terms = field.terms
    else refusals.push(...refused(field, 'registration.error.termsNotAccepted'))
  }
  // Without a field of its own the login is the email, which may be longer.
  const byEmail = fields.find(({ name }) => name === 'email')
  const { email } = profile
  if (
    byEmail &&
    profile.login === undefined &&
    typeof email === 'string' &&
    loginProblem(email) !== undefined
  ) {
    refusals.push(...refused(byEmail, 'registration.error.tooLong', longestLogin))
  }
  const byLogin = fields.find(({ name }) => name === 'login')
  if (byLogin && typeof email === 'string' && isOfAnother(profile.login, email)) {
    refusals.push(...refused(byLogin, 'registration.error.doesNotMatchPattern'))
  }
  const [first, ...more] = refusals
  if (first !== undefined) return { refusals: [first, ...more] }
  const login = profile.login ?? profile.email
  return { profile: { ...(login !== undefined && { login }), ...profile }, ...(terms && { terms }) }
}

/** What is wrong with a profile that was made from a form. Empty: nothing is. */
export interface ProfileFaults {
  /** In fields of the form. */
  readonly refusals: readonly ProfileRefusal[]
  /** Besides those, a sentence an attribute: no visitor can mend it in the form. */
  readonly faults: readonly string[]
}

/**
 * Checks a profile that something else than the visitor has filled in, or changed, as the form was read: by the fields, which have the
 * policy's domains and lists, and besides them by the whole user schema.
 *
 * @param profile with `login` and `email`
 */
export function profileFaults(
  fields: readonly ProfileField[],
  schema: UserSchema,
  profile: Readonly<Record<string, unknown>>,
): ProfileFaults {
  const asked = fields.filter(({ terms }) => terms === undefined)
  const read = readProfile(asked, profile)
  const refusals = 'refusals' in read ? read.refusals : []
  const { login, email } = profile
  const isAsked = (name: string): boolean => asked.some((field) => field.name === name)
  // Also where no field asks for it: an address as the login is the email, or it would be that of another (A63).
  const ofLogin =
    loginProblem(login) ??
    (typeof email === 'string' && isOfAnother(login, email) ? 'is another address than the email' : undefined)
  const faults = profileProblems(schema, profile, { whole: true }).filter((fault) => {
    const [name = ''] = fault.split(':')
    return name !== 'login' && !isAsked(name)
  })
  return {
    refusals,
    faults: ofLogin === undefined || isAsked('login') ? faults : [`login: ${ofLogin}`, ...faults],
  }
}

const blankKey = ({ terms }: ProfileField): MessageKey =>
  terms === undefined ? 'model.validation.field.blank' : 'registration.error.termsNotAccepted'

const refused = (
  { name, label }: ProfileField,
  key: MessageKey,
  ...more: readonly number[]
): readonly ProfileRefusal[] => {
  const hasLabel = profileMessages[key].includes('{0}')
  return [{ name, key, params: hasLabel ? [label, ...more] : [] }]
}

type Read = { readonly value: unknown } | { readonly refusals: readonly ProfileRefusal[] }

function readValue(field: ProfileField, value: unknown): Read {
  const { attribute } = field
  const type = attribute?.type ?? 'boolean'
  const no = (key: MessageKey, ...more: readonly number[]): Read => ({
    refusals: refused(field, key, ...more),
  })
  if (type === 'boolean') {
    if (value === true || value === 'true') return { value: true }
    return value === false || value === 'false' ? { value: false } : no('registration.error.notAllowedValue')
  }
  if (type === 'integer' || type === 'number') {
    const number =
      typeof value === 'string' && /^[+-]?\d{1,30}(\.\d{1,30})?$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isFinite(number)) return no('registration.error.invalidNumber')
    if (type === 'integer' && !Number.isSafeInteger(number)) return no('registration.error.invalidInteger')
    const allowed = attribute?.enum?.includes(number) ?? true
    return allowed ? { value: number } : no('registration.error.notAllowedValue')
  }
  if (typeof value !== 'string') return no('registration.error.notAllowedValue')
  return readText(field, value, no)
}

/**
 * Whether an address has one spelling: with a dot at its end it would be another name of the same mailbox, and with a fullwidth letter
 * another mailbox of the same name, which would keep its owner from signing up (A23, A63).
 */
const isPlainAddress = (address: string): boolean => {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, at)
  return (
    !address.endsWith('.') &&
    local.normalize('NFKC') === local.normalize('NFC') &&
    !/[\u2126\u212a\u212b]/.test(address) &&
    isPlainDomain(address.slice(at + 1))
  )
}

/** Whether a domain with letters of its own is spelled as UTS-46 spells it, but for upper case: `corp。test` is `corp.test`. */
const isPlainDomain = (domain: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  /^[\x00-\x7f]*$/.test(domain) ||
  domainToUnicode(domainToASCII(domain)) === domain.toLowerCase().normalize('NFC')

/**
 * Whether a login is an address, and of another mailbox than the email: with the address of another the account would keep the owner
 * from signing up, and get the mails of the owner's recovery (A63).
 */
const isOfAnother = (login: unknown, email: string): boolean =>
  typeof login === 'string' &&
  // As names are compared, or a fullwidth sign would pass.
  compareKey(login).includes('@') &&
  (!isPlainAddress(login) || mailboxKey(login) !== mailboxKey(email))

type No = (key: MessageKey, ...more: readonly number[]) => Read

function readText(field: ProfileField, value: string, no: No): Read {
  const { name, attribute = { type: 'string' } } = field
  const length = [...value].length
  const { minLength = 0, maxLength = 10_000, pattern } = attribute
  if (name === 'email' || attribute.format === 'email') {
    if (addressProblem(value) !== undefined || length > maxLength || !isPlainAddress(value)) {
      // Both, in this order: clients show them below each other.
      return {
        refusals: [
          ...refused(field, 'registration.error.invalidLoginEmail'),
          ...refused(field, 'registration.error.doesNotMatchPattern'),
        ],
      }
    }
    if (field.domains !== undefined && !mayRegister(value, field.domains)) {
      return no('registration.error.domainNotAllowed')
    }
    return { value }
  }
  if (tag.test(value)) return no('tagsNotAllowed')
  if (namesInMails.includes(name) && address.test(value)) return no('registration.error.invalidCharacters')
  const lines = severalLines.includes(name) ? value.split(/\r?\n/) : [value]
  if (!lines.every(isOneVisibleLine)) return no('registration.error.invalidCharacters')
  if (length > maxLength) return no('registration.error.tooLong', maxLength)
  if (length < minLength) return no('registration.error.tooShort', minLength)
  if (attribute.enum !== undefined && attribute.enum.length > 0) {
    return attribute.enum.includes(value) ? { value } : no('registration.error.notAllowedValue')
  }
  if (name === 'login' && loginProblem(value) !== undefined) return no('registration.error.invalidCharacters')
  if (field.display?.format === 'country-code' && !/^[A-Za-z]{2}$/.test(value)) {
    return no('registration.error.notAllowedValue')
  }
  if (pattern !== undefined && (linearPattern(pattern)?.matches(value) ?? true) !== true) {
    return no('registration.error.doesNotMatchPattern')
  }
  // Whatever the schema refuses besides.
  const [problem] = profileProblems(
    { base: {}, custom: { [name]: attribute }, updatedAt: 0 },
    { [name]: value },
    { whole: false },
  )
  return problem === undefined ? { value } : no('registration.error.notAllowedValue')
}
