import type { Fields } from '../operation.ts'
import type { Api } from './api.ts'

/** A plan being carried out. */
export interface Run {
  readonly api: Api
  /** Ids of groups by their names in small letters; those that were just made are added. */
  readonly groups: Map<string, string>
  /** Ids of access policies by their names. */
  readonly accessPolicies: Map<string, string>
  /** Ids of people by their logins. */
  readonly people: Map<string, string>
  /** What was made in this run. */
  readonly made: Set<string>
  /** Ids of policies that were made, by the very bodies they were made from: names may be shared. */
  readonly idOf: Map<Fields, string>
  /** Secrets of apps that were made, by client id: they are not told again. */
  readonly secrets: Map<string, string>
}

export const toIds = ({ groups, people }: Pick<Run, 'groups' | 'people'>) => ({
  group: (name: string) => groups.get(name.toLowerCase()) ?? name,
  person: (login: string) => people.get(login) ?? login,
})

/** A body without what is no member of the API's. */
export const asSent = ({ rules: _, system: __, groups: ___, accessPolicy: ____, ...body }: Fields): Fields =>
  body
