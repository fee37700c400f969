import type { NewEnrollment, Person, Profile } from '../../directory/index.ts'
import {
  type Authenticator,
  closedSignUp,
  creationOf,
  type Field,
  fillIn,
  givesWay,
  type Input,
  type Message,
  newUserId,
  type Outcome,
  prospectiveOf,
  type Refusal,
  replacing,
  type Step,
  type StepContext,
  sealRegistration,
  type View,
  valueAt,
} from '../../flow/index.ts'
import { type ProfileRefusal, profileFaults, readProfile } from '../../registration/index.ts'
import { userProfileField } from './profile-form.ts'
import { replaceableIn } from './reset-authenticator.ts'
import { enrollWith } from './select-authenticator-enroll.ts'

/**
 * The form by which a visitor makes an account. Where the mailbox must be proven the mail with the code leaves at once, and what
 * follows is the same whether or not the address is a user's already (A64): its owner gets another mail. Nothing is written of
 * the account before something is proven (A63).
 */
export const enrollProfile: Step = {
  name: 'enroll-profile',
  path: 'enroll/new',
  place: 'remediation',
  stages: ['enroll-profile'],
  fields: (view) => [
    userProfileField(view.profileForm ?? []),
    ...(view.registration?.passwordInForm ? [passwordField] : []),
  ],
  async accept(input, context) {
    const { progress } = context
    const closed = closedSignUp(context)
    if (closed !== undefined) return closed
    const tooMany = await context.chargeSignUp?.()
    if (tooMany !== undefined) return { progress, refused: tooMany }
    const read = await readForm(input, context)
    if ('refused' in read) return { progress, refused: read.refused }
    return accepted(read, context)
  },
}

const passwordField: Field = {
  name: 'credentials',
  type: 'object',
  required: true,
  ofAuthenticator: true,
  fields: [{ name: 'passcode', label: 'Enter Password', required: true, secret: true }],
}

interface Filled {
  readonly id: string
  readonly profile: Profile
  readonly password?: NewEnrollment
  readonly terms?: { readonly version: string; readonly url: string }
}

type Refused = { readonly refused: Refusal }

/** A profile is read with every list and claim: as large as one may be at most, with room for what is added later. */
const longestProfile = 16_000

/** Reads the form: all that is wrong with it at once, each in its field. */
async function readForm(input: Input, context: StepContext): Promise<Filled | Refused> {
  const { profileForm = [], now, random } = context
  const read = readProfile(profileForm, valueAt(input, 'userProfile'))
  const id = newUserId(random)
  const profile = 'profile' in read ? (read.profile as Profile) : { login: '', email: '' }
  const password = await readPassword(input, context, prospectiveOf({ id, profile, at: now }))
  const wrong = [
    ...('refusals' in read ? inFields(read.refusals) : []),
    ...('refused' in password ? [password.refused] : []),
  ]
  if (wrong.length > 0 || 'refusals' in read) return refused(wrong)
  const filled = { id, profile, ...password, ...(read.terms && { terms: read.terms }) }
  return isTooLong(profile) ? tooLong(context) : asHookSays(filled, input, context)
}

const isTooLong = (profile: Profile): boolean => JSON.stringify(profile).length > longestProfile

function tooLong({ profileForm: [first] = [] }: StepContext): Refused {
  const key = 'registration.error.tooLong'
  return refused([{ field: `userProfile.${first?.name}`, key, params: [first?.label ?? '', longestProfile] }])
}

const inFields = (refusals: readonly ProfileRefusal[]): readonly FieldMessage[] =>
  refusals.map(({ name, key, params }) => ({ field: `userProfile.${name}`, key, params }))

/** The password of the form, where it asks for one: what is wrong with it, or how it is stored. */
async function readPassword(
  input: Input,
  context: StepContext,
  person: Person,
): Promise<{ readonly refused: FieldMessage } | { readonly password?: NewEnrollment }> {
  if (!context.registration?.passwordInForm) return {}
  const read = await replaceableIn(context).reset.accept(input, context, person)
  if ('refused' in read) {
    return { refused: { ...read.refused, field: read.refused.field ?? 'credentials.passcode' } }
  }
  return { password: read.enrollment }
}

/** What becomes of a form that is good by itself at the place of a hook. Without one it stays as it is. */
async function asHookSays(filled: Filled, input: Input, context: StepContext): Promise<Filled | Refused> {
  const { client, interaction, profileForm = [], now } = context
  const verdict = await context.beforeRegistration?.({ client, interaction, profile: filled.profile })
  if (verdict === undefined) return filled
  if (!verdict.allowed) {
    return { refused: { status: 400, key: 'registration.error.denied', params: [verdict.summary] } }
  }
  const { profile } = verdict
  const { refusals, faults } = profileFaults(profileForm, await context.directory.userSchema(), profile)
  if (refusals.length > 0) return refused(inFields(refusals))
  if (faults.length > 0)
    throw new Error(`beforeRegistration made a profile that none may have: ${faults.join('; ')}`)
  if (isTooLong(profile)) return tooLong(context)
  // The rules of a password know the profile: it must not contain the name.
  const password = await readPassword(input, context, prospectiveOf({ id: filled.id, profile, at: now }))
  if ('refused' in password) return refused([password.refused])
  return { ...filled, profile, ...password }
}

type FieldMessage = Message & { readonly field: string }

function refused(wrong: readonly FieldMessage[]): Refused {
  const [first = { field: 'userProfile', key: 'model.validation.field.blank' }, ...besides] = wrong
  return { refused: { status: 400, ...first, ...(besides.length > 0 && { besides }) } }
}

/** What follows from a form that is good by itself. */
async function accepted({ id, profile, password, terms }: Filled, context: StepContext): Promise<Outcome> {
  const { progress, registration: policy } = context
  const taken = isPlain(profile, context) ? await takenIn(profile, context) : undefined
  if (taken !== undefined) return { progress, ...taken }
  const registration = sealRegistration(context, { id, profile, password, terms })
  const filled = fillIn(progress, { identifier: profile.login }, registration)
  const about = await context.about(filled)
  if (policy?.emailVerification === false) return withoutMail(filled, about)
  const mailbox = mailboxIn(about)
  const method = about.methodsOf(mailbox)[0]?.type ?? mailbox.methods[0].type
  const choice = { method, isMethodChosen: true, input: {} }
  const outcome = await enrollWith(mailbox, choice, about)
  // Where no mail may leave, the form stays as it was.
  const atForm = (one: Outcome): Outcome => (one.refused === undefined ? one : { ...one, progress })
  return {
    ...atForm(outcome),
    charges: (outcome.charges ?? []).map((charge) => ({ ...charge, otherwise: atForm(charge.otherwise) })),
  }
}

/** Without a mail the password of the form is the first proof; without that, whatever is enrolled first. */
function withoutMail(filled: Outcome['progress'], about: StepContext): Outcome {
  if (filled.registration?.password === undefined) return { progress: filled }
  const creation = creationOf(about)
  return creation === undefined
    ? { progress: filled }
    : { progress: creation.with(filled), effects: creation.effects }
}

/** What every account has: the first thing that is asked for. */
function mailboxIn({ enrollable }: View): Authenticator & Required<Pick<Authenticator, 'enroll'>> {
  const found = enrollable.find(({ implicit }) => implicit)
  if (found?.enroll === undefined) throw new Error('no authenticator proves the mailbox')
  return { ...found, enroll: found.enroll }
}

/**
 * Whether the visitor is answered in the form that a name is taken. Where no mail is sent it cannot be hidden; nor where the form
 * asks for a login besides, since names of both kinds are one namespace.
 */
const isPlain = ({ login, email }: Profile, { registration: policy, policy: { recovery } }: StepContext) =>
  policy?.emailVerification === false || login !== email || recovery.revealUnknown

async function takenIn(profile: Profile, context: StepContext): Promise<Refused | undefined> {
  const { profileForm = [] } = context
  const names = (['login', 'email'] as const).filter((name) =>
    profileForm.some((field) => field.name === name),
  )
  const wrong: FieldMessage[] = []
  for (const name of names) {
    const holder = await context.directory.findByIdentifier(profile[name])
    if (holder === undefined || givesWay(holder, profile, replacing(context))) continue
    const label = profileForm.find((field) => field.name === name)?.label ?? name
    wrong.push({
      field: `userProfile.${name}`,
      key: 'registration.error.notUniqueWithinOrg',
      params: [label],
    })
  }
  return wrong.length > 0 ? refused(wrong) : undefined
}
