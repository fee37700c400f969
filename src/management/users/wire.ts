import { isoTime } from '../../base/index.ts'
import { type Person, withPassword } from '../../directory/index.ts'
import { type ManagementParts, prefix } from '../operation.ts'

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

/** A person in the shape of Okta's Users API. Of her password it tells that there is one. */
export function userOf(base: string, person: Person, hasPassword: boolean): object {
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
    credentials: credentialsOf(person, hasPassword),
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

export const credentialsOf = ({ profile }: Person, hasPassword: boolean): object => ({
  ...(hasPassword && { password: {} }),
  emails: [{ value: profile.email, status: 'VERIFIED', type: 'PRIMARY' }],
  provider: { type: 'OKTA', name: 'OKTA' },
})

/** People as they are told, with one look at who has a password. */
export async function usersOf(parts: ManagementParts, people: readonly Person[]): Promise<readonly object[]> {
  const ids = people.map(({ id }) => id)
  const having = await withPassword(parts.storage.db, ids)
  return people.map((person) => userOf(parts.baseUrl(), person, having.has(person.id)))
}
