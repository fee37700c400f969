import { findUserSchema, groupNamesOf, visibleAttributes } from '../directory/index.ts'
import type { Db } from '../storage/index.ts'
import type { ClaimSources } from './claims.ts'

/** Reads the groups and custom attributes of a user from the database, each only where a scope requires it. */
export const claimSources = (db: Db, personId: string): ClaimSources => ({
  groupNames: () => groupNamesOf(db, personId),
  customAttributes: async () => visibleAttributes(await findUserSchema(db)),
})
