import { findUserSchema, groupNamesOf, visibleAttributes } from '../directory/index.ts'
import type { Db } from '../storage/index.ts'
import type { ClaimSources } from './claims.ts'

/** Reads what claims are made of, where a scope asks for it. */
export const claimSources = (db: Db, personId: string): ClaimSources => ({
  groupNames: () => groupNamesOf(db, personId),
  customAttributes: async () => visibleAttributes(await findUserSchema(db)),
})
