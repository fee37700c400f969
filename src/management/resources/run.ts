import type { Fields } from '../input.ts'
import type { Api } from './api.ts'

/** The state of a plan that is being applied. */
export interface Run {
  readonly api: Api
  /** The ids of groups by lower-case name; new ones are added. */
  readonly groups: Map<string, string>
  /** The ids of policies that can be mapped to apps, by `policyKey`. */
  readonly mappable: Map<string, string>
  /** The ids of users by login. */
  readonly people: Map<string, string>
  /** The ids of policies and rules that were created in this run. */
  readonly created: Set<string>
  /** The ids of new policies by the identity of their bodies: names need not be unique. */
  readonly idOf: Map<Fields, string>
  /** The generated secrets of new apps, by client id. The API returns them only once. */
  readonly secrets: Map<string, string>
}

/** The members of an app that name the policy which is mapped to it: its type, its link at the app, and its noun. */
export const mappedPolicies = {
  accessPolicy: { type: 'ACCESS_POLICY', link: 'accessPolicy', noun: 'access policy' },
  profileEnrollmentPolicy: {
    type: 'PROFILE_ENROLLMENT',
    link: 'profileEnrollment',
    noun: 'profile enrollment policy',
  },
} as const
export const mappedNames = Object.keys(mappedPolicies) as readonly (keyof typeof mappedPolicies)[]

/** Names of policies are unique within a type only. */
export const policyKey = (type: unknown, name: unknown): string => `${type} ${name}`

export const toIds = ({ groups, people }: Pick<Run, 'groups' | 'people'>) => ({
  group: (name: string) => groups.get(name.toLowerCase()) ?? name,
  person: (login: string) => people.get(login) ?? login,
})

/** A body without the members that only documents have. */
export const requestBody = ({
  rules: _,
  system: __,
  groups: ___,
  accessPolicy: ____,
  profileEnrollmentPolicy: _____,
  ...body
}: Fields): Fields => body
