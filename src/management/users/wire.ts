import { isoTime } from '../../base/index.ts'
import { type Person, withPassword } from '../../directory/index.ts'
import { type ManagementParts, prefix } from '../operation.ts'
import { questionsOf } from './question.ts'

/** What can be done to somebody of a status, as links of her representation. */
const links: Readonly<Record<string, readonly string[]>> = {
  STAGED: ['activate', 'deactivate'],
  PROVISIONED: ['reactivate', 'resetPassword', 'deactivate'],
  ACTIVE: ['suspend', 'resetPassword', 'forgotPassword', 'expirePassword', 'changePassword', 'deactivate'],
  RECOVERY: ['resetPassword', 'deactivate'],
  PASSWORD_EXPIRED: ['resetPassword', 'changePassword', 'deactivate'],
  LOCKED_OUT: ['unlock', 'resetPassword', 'deactivate'],
  SUSPENDED: ['unsuspend', 'deactivate'],
  DEPROVISIONED: ['activate', 'delete'],
}

const paths: Readonly<Record<string, string>> = {
  resetPassword: 'lifecycle/reset_password',
  expirePassword: 'lifecycle/expire_password',
  forgotPassword: 'credentials/forgot_password',
  changePassword: 'credentials/change_password',
}

/** A person in the shape of Okta's Users API. Of her password it tells that there is one, of her question what it asks. */
export function userOf(base: string, person: Person, has: Having): object {
  const { id, status, profile } = person
  const self = `${base}${prefix}/users/${id}`
  return {
    id,
    status,
    created: isoTime(person.createdAt),
    activated: null,
    statusChanged: isoTime(person.statusChangedAt),
    lastLogin: person.lastLoginAt === null ? null : isoTime(person.lastLoginAt),
    lastUpdated: isoTime(person.updatedAt),
    passwordChanged: person.passwordChangedAt === null ? null : isoTime(person.passwordChangedAt),
    type: { id: 'otyDefault' },
    profile: { firstName: null, lastName: null, mobilePhone: null, secondEmail: null, ...profile },
    credentials: credentialsOf(person, has),
    _links: {
      self: { href: self },
      ...Object.fromEntries(
        (links[status] ?? []).map((name) => [
          name,
          name === 'delete'
            ? { href: self, method: 'DELETE' }
            : { href: `${self}/${paths[name] ?? `lifecycle/${name}`}`, method: 'POST' },
        ]),
      ),
    },
  }
}

/** What somebody can prove herself by, as far as it is told. */
export interface Having {
  readonly password: boolean
  readonly question?: string | undefined
}

export const credentialsOf = ({ profile }: Person, { password, question }: Having): object => ({
  ...(password && { password: {} }),
  ...(question !== undefined && { recovery_question: { question } }),
  emails: [{ value: profile.email, status: 'VERIFIED', type: 'PRIMARY' }],
  provider: { type: 'OKTA', name: 'OKTA' },
})

/** People as they are told, with one look at who has a password, and one at who has a question. */
export async function usersOf(parts: ManagementParts, people: readonly Person[]): Promise<readonly object[]> {
  const ids = people.map(({ id }) => id)
  const having = await withPassword(parts.storage.db, ids)
  const questions = await questionsOf(parts.storage.db, ids)
  return people.map((person) =>
    userOf(parts.baseUrl(), person, { password: having.has(person.id), question: questions.get(person.id) }),
  )
}
