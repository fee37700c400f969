import { isoTime } from '../../base/index.ts'
import { hasVerifiedEmail, type Person, usersEnrolledIn, verifiedSecondEmail } from '../../directory/index.ts'
import { passwordKey } from '../../passwords/index.ts'
import { type ManagementParts, prefix } from '../operation.ts'
import { questionsOf } from './question.ts'

/** The links of a user by status: the lifecycle operations that are allowed. */
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

/** A user in the shape of Okta's Users API. Shows whether there is a password, and the recovery question without its answer. */
function renderUser(base: string, person: Person, shown: CredentialFacts): object {
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
    credentials: renderCredentials(person, shown),
    ...(person.terms && {
      terms: { version: person.terms.version, agreed: isoTime(person.terms.at) },
    }),
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

/** The credentials of a user as far as they are shown. */
interface CredentialFacts {
  readonly password: boolean
  readonly question?: string | undefined
}

export const renderCredentials = (person: Person, { password, question }: CredentialFacts): object => ({
  ...(password && { password: {} }),
  ...(question !== undefined && { recovery_question: { question } }),
  emails: [
    {
      value: person.profile.email,
      status: hasVerifiedEmail(person) ? 'VERIFIED' : 'UNVERIFIED',
      type: 'PRIMARY',
    },
    ...(typeof person.profile.secondEmail === 'string' && person.profile.secondEmail !== ''
      ? [
          {
            value: person.profile.secondEmail,
            status: verifiedSecondEmail(person) === undefined ? 'UNVERIFIED' : 'VERIFIED',
            type: 'SECONDARY',
          },
        ]
      : []),
  ],
  provider: { type: 'OKTA', name: 'OKTA' },
})

/** Renders users, with one query for all passwords and one for all recovery questions. */
export async function renderUsers(
  parts: ManagementParts,
  people: readonly Person[],
): Promise<readonly object[]> {
  const ids = people.map(({ id }) => id)
  const withPasswords = await usersEnrolledIn(parts.storage.db, ids, passwordKey)
  const questions = await questionsOf(parts.storage.db, ids)
  return people.map((person) =>
    renderUser(parts.baseUrl(), person, {
      password: withPasswords.has(person.id),
      question: questions.get(person.id),
    }),
  )
}
