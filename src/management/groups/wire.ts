import { isoTime } from '../../base/index.ts'
import type { StoredGroup } from '../../directory/index.ts'
import { invalid } from '../errors.ts'
import { type Fields, sizeProblems } from '../input.ts'
import { withoutNulls } from '../members.ts'
import { prefix } from '../operation.ts'
import type { NewGroup } from './schema.ts'

const mostMembers = 100
const longestText = 10_000
const mostItems = 200

const isTextOrNumber = (value: unknown): boolean =>
  (typeof value === 'number' && Number.isFinite(value)) ||
  (typeof value === 'string' && value.length <= longestText)

const isMemberValue = (value: unknown): boolean =>
  isTextOrNumber(value) ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.length <= mostItems && value.every(isTextOrNumber))

/** Names are compared in SQL paths: the same are allowed as for attributes of users. */
const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) && name !== '__proto__'

/** What is wrong with the members of a group's profile besides its name and description. */
export function groupProfileProblems(profile: Fields): readonly string[] {
  const others = Object.entries(profile).filter(([name]) => name !== 'name' && name !== 'description')
  const many = others.length > mostMembers ? [`profile: must have at most ${mostMembers} members`] : []
  const wrong = others.flatMap(([name, value]) =>
    !isName(name)
      ? [`${name.slice(0, 64)}: must have 1 to 64 letters, digits and underscores and not begin with a digit`]
      : value === null || isMemberValue(value)
        ? []
        : [
            `${name}: must be a text, a number, true or false, or a list of at most ${mostItems} texts or numbers`,
          ],
  )
  return [...many, ...wrong, ...sizeProblems('profile', profile)]
}

/** The profile of a group as it is stored. There is no schema of groups: other members are as they were sent. */
export function toGroupProfile({ profile }: NewGroup): StoredGroup['profile'] {
  const problems = groupProfileProblems(profile)
  if (problems.length > 0) throw invalid(problems)
  return { ...withoutNulls(profile), name: profile.name }
}

/** A group in the shape of Okta's Groups API. */
export function renderGroup(base: string, group: StoredGroup): object {
  const self = `${base}${prefix}/groups/${group.id}`
  return {
    id: group.id,
    created: isoTime(group.createdAt),
    lastUpdated: isoTime(group.updatedAt),
    lastMembershipUpdated: isoTime(group.membershipUpdatedAt),
    objectClass: ['okta:user_group'],
    type: group.type,
    profile: { description: null, ...group.profile },
    _links: { users: { href: `${self}/users` }, apps: { href: `${self}/apps` } },
  }
}
