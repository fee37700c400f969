import { namesOf } from '../../authenticators/index.ts'
import { isObject } from '../../base/index.ts'
import {
  findPerson,
  findPersonByLogin,
  findUserSchema,
  type Person,
  type Profile,
  profileProblems,
  takenNames,
} from '../../directory/index.ts'
import { encodeHash } from '../../passwords/index.ts'
import { alreadyExists, invalid, notFound } from '../errors.ts'
import type { Fields } from '../input.ts'
import { unsupportedMembers, withoutNulls } from '../members.ts'
import type { Context } from '../operation.ts'
import { warnUnsupported } from '../unsupported.ts'
import { questionProblems, type RecoveryQuestion } from './question.ts'
import type { NewUser, UserChanges, UserReplacement } from './schema.ts'

/** The user of a path, by id or login. Throws 404. */
export async function getUser({ parts, params }: Context, name = 'userId'): Promise<Person> {
  const { db } = parts.storage
  const text = params[name] ?? ''
  const person = (await findPerson(db, text)) ?? (await findPersonByLogin(db, text))
  if (person === undefined) throw notFound(text, 'User')
  return person
}

export interface Credentials {
  readonly password: string | undefined
  readonly passwordHash: string | undefined
  readonly recoveryQuestion: RecoveryQuestion | undefined
}

/** A new user, or a replacement. Throws 400 with a cause for each member. */
export async function readUser(
  call: Context,
  body: NewUser | UserReplacement,
  before?: Person,
): Promise<Credentials & { readonly profile: Profile }> {
  const profile = withoutNulls(body.profile) as Profile
  const credentials = await readCredentials(call, body, { whole: true, before })
  return { profile, ...credentials }
}

/** A partial update: absent attributes stay, null ones are removed. Throws 400. */
export async function readChanges(
  call: Context,
  body: UserChanges,
  before: Person,
): Promise<Credentials & { readonly profile: Partial<Profile> | undefined }> {
  const credentials = await readCredentials(call, body, { whole: false, before })
  // undefined is omitted from the stored JSON: the attribute is removed.
  const changed = Object.entries(body.profile ?? {}).map(([name, value]) => [name, value ?? undefined])
  return {
    profile: changed.length > 0 ? (Object.fromEntries(changed) as Partial<Profile>) : undefined,
    ...credentials,
  }
}

/** The changes that replace a profile: attributes that are not given are removed. */
export const replacementProfile = (before: Person, profile: Profile): Partial<Profile> => ({
  ...Object.fromEntries(Object.keys(before.profile).map((name) => [name, undefined])),
  ...profile,
})

/** Checks a body by the user schema, the names of other users and the rules of credentials, which it returns. */
async function readCredentials(
  call: Context,
  body: NewUser | UserChanges,
  { whole, before }: { readonly whole: boolean; readonly before: Person | undefined },
): Promise<Credentials> {
  const { db } = call.parts.storage
  const id = before?.id
  const fields: Fields = body.profile ?? {}
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined)
  const question = questionIn(body)
  const names = [text('login'), text('email'), ...(before === undefined ? [] : namesOf(before))]
  const { passwordHash, problems } = readHash(body)
  const all = [
    ...profileProblems(await findUserSchema(db), fields, { whole }),
    ...problems,
    ...(question === undefined ? [] : questionProblems(question, names)),
    ...(await takenNames(db, { login: text('login'), email: text('email') }, id)).map(alreadyExists),
  ]
  if (all.length > 0) throw invalid(all)
  const ignored = ignoredIn(body, id === undefined ? ['groupIds'] : [])
  warnUnsupported(call, 'a user was sent with members', {}, ignored)
  return {
    password: body.credentials?.password?.value ?? undefined,
    passwordHash,
    recoveryQuestion: question,
  }
}

/** A question without an answer comes from an earlier response: the stored one stays. */
function questionIn({ credentials }: UserChanges): RecoveryQuestion | undefined {
  const { question, answer } = credentials?.recovery_question ?? {}
  return answer === undefined || answer === null ? undefined : { question: question ?? '', answer }
}

function readHash({ credentials }: UserChanges): {
  readonly passwordHash: string | undefined
  readonly problems: readonly string[]
} {
  const { hash, value } = credentials?.password ?? {}
  if (hash === undefined || hash === null) return { passwordHash: undefined, problems: [] }
  const both = typeof value === 'string' ? ['password: must have a value or a hash, not both'] : []
  const read = encodeHash(withoutNulls(hash))
  if ('encoded' in read) return { passwordHash: read.encoded, problems: both }
  return {
    passwordHash: undefined,
    problems: [...both, ...read.problems.map((problem) => `password.hash.${problem}`)],
  }
}

/** What the engine itself sets, besides the profile and the credentials: ignored in request bodies. */
const readOnlyMembers = [
  ...['id', 'status', 'created', 'activated', 'statusChanged', 'lastLogin', 'lastUpdated', 'passwordChanged'],
  ...['transitioningToStatus', '_links', '_embedded'],
]

function ignoredIn(body: UserChanges, more: readonly string[]): readonly string[] {
  const { provider, ...credentials }: Fields = body.credentials ?? {}
  const { type = 'OKTA' } = isObject(provider) ? provider : {}
  return [
    ...unsupportedMembers(body, ['profile', 'credentials', 'type', ...readOnlyMembers, ...more]),
    ...unsupportedMembers(credentials, ['password', 'recovery_question', 'emails'], 'credentials.'),
    ...(type === 'OKTA' ? [] : ['credentials.provider']),
  ]
}
