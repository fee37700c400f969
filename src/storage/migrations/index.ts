import type { Migration } from 'kysely/migration'
import { initial } from './0001-initial.ts'
import { serviceApps } from './0002-service-apps.ts'
import { peopleSearch } from './0003-people-search.ts'
import { userVersion } from './0004-user-version.ts'
import { sources } from './0005-sources.ts'
import { names } from './0006-names.ts'

/** In the order of their names. A released migration never changes; a change of the schema is a new one. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-service-apps': serviceApps,
  '0003-people-search': peopleSearch,
  '0004-user-version': userVersion,
  '0005-sources': sources,
  '0006-names': names,
}
