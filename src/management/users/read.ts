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
import { alreadyExists, notFound } from '../errors.ts'
import type { Fields } from '../input.ts'
import type { Call } from '../operation.ts'
import { fieldsIn, newReader, type Reader, textIn, textsIn } from '../reader.ts'
import { type RecoveryQuestion, readQuestion } from './question.ts'

/** The user of a path, by id or login. Throws 404. */
export async function getUser({ parts, params }: Call, name = 'userId'): Promise<Person> {
  const { db } = parts.storage
  const text = params[name] ?? ''
  const person = (await findPerson(db, text)) ?? (await findPersonByLogin(db, text))
  if (person === undefined) throw notFound(text, 'User')
  return person
}

export interface UserBody {
  readonly profile: Profile
  readonly password: string | undefined
  readonly passwordHash: string | undefined
  readonly recoveryQuestion: RecoveryQuestion | undefined
  readonly groupIds: readonly string[]
}

/** Reads the body of a new user or of a replacement. Throws 400 with a cause for each field. */
export async function readUser(call: Call, before?: Person): Promise<UserBody> {
  const reader = newReader()
  const fields = fieldsIn(reader, call.body, 'profile')
  await checkProfile(call, reader, fields, { whole: true })
  const credentials = readCredentials(reader, call.body)
  const groupIds = textsIn(reader, call.body, 'groupIds') ?? []
  const profile = withoutNulls(fields) as Profile
  await checkUnique(call, reader, profile, before?.id)
  reader.check()
  return { profile, groupIds, ...credentials }
}

/** Reads the body of a partial update: absent attributes stay, null ones are removed. Throws 400. */
export async function readChanges(
  call: Call,
  before: Person,
): Promise<Omit<UserBody, 'profile' | 'groupIds'> & { readonly profile: Partial<Profile> | undefined }> {
  const reader = newReader()
  const fields = fieldsIn(reader, call.body, 'profile')
  await checkProfile(call, reader, fields, { whole: false })
  const credentials = readCredentials(reader, call.body)
  // undefined is omitted from the stored JSON: the attribute is removed.
  const profile = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value === null ? undefined : value]),
  )
  await checkUnique(call, reader, profile, before.id)
  reader.check()
  return {
    profile: Object.keys(profile).length > 0 ? (profile as Partial<Profile>) : undefined,
    ...credentials,
  }
}

/** The changes that replace a profile: attributes that are not given are removed. */
export const replacementProfile = (before: Person, profile: Profile): Partial<Profile> => ({
  ...Object.fromEntries(Object.keys(before.profile).map((name) => [name, undefined])),
  ...profile,
})

const withoutNulls = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

async function checkProfile(
  { parts }: Call,
  reader: Reader,
  fields: Fields,
  options: { readonly whole: boolean },
): Promise<void> {
  const schema = await findUserSchema(parts.storage.db)
  reader.problems.push(...profileProblems(schema, fields, options))
}

async function checkUnique(call: Call, reader: Reader, fields: Fields, id?: string): Promise<void> {
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : undefined)
  const names = { login: text('login'), email: text('email') }
  for (const field of await takenNames(call.parts.storage.db, names, id))
    reader.problems.push(alreadyExists(field))
}

/** Reads a password, in plain text or as a hash of another system. An empty object keeps the present one. */
function readCredentials(
  reader: Reader,
  body: Fields,
): Pick<UserBody, 'password' | 'passwordHash' | 'recoveryQuestion'> {
  const credentials = fieldsIn(reader, body, 'credentials')
  const asked = fieldsIn(reader, credentials, 'recovery_question')
  // A question without an answer comes from an earlier response: the stored one stays.
  const recoveryQuestion = asked.answer === undefined ? undefined : readQuestion(reader, asked)
  return { ...readPassword(reader, credentials), recoveryQuestion }
}

function readPassword(reader: Reader, credentials: Fields): Pick<UserBody, 'password' | 'passwordHash'> {
  const password = fieldsIn(reader, credentials, 'password')
  const value = textIn(reader, password, 'value', { label: 'password', max: 256 })
  if (value === '') reader.problems.push('password: The field cannot be left blank')
  if (password.hook !== undefined) reader.problems.push('password.hook: is not supported')
  if (password.hash === undefined || password.hash === null)
    return { password: value, passwordHash: undefined }
  if (value !== undefined) reader.problems.push('password: must have a value or a hash, not both')
  return { password: undefined, passwordHash: readHash(reader, fieldsIn(reader, password, 'hash')) }
}

function readHash(reader: Reader, fields: Fields): string | undefined {
  const read = encodeHash(fields)
  if ('encoded' in read) return read.encoded
  reader.problems.push(...read.problems.map((problem) => `password.hash.${problem}`))
  return undefined
}
