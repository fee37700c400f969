import type { Fields } from '../input.ts'
import type { Api } from './api.ts'

/** The state of a plan that is being applied. */
export interface Run {
  readonly api: Api
  /** The ids of groups by lower-case name; new ones are added. */
  readonly groups: Map<string, string>
  /** The ids of access policies by name. */
  readonly accessPolicies: Map<string, string>
  /** The ids of users by login. */
  readonly people: Map<string, string>
  /** The ids of policies and rules that were created in this run. */
  readonly created: Set<string>
  /** The ids of new policies by the identity of their bodies: names need not be unique. */
  readonly idOf: Map<Fields, string>
  /** The generated secrets of new apps, by client id. The API returns them only once. */
  readonly secrets: Map<string, string>
}

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
  ...body
}: Fields): Fields => body
