/** What a token may do: read everything, also change people, or everything. Each may do what the one before may. */
export type ApiRole = 'read' | 'users' | 'all'

export const apiRoles: readonly ApiRole[] = ['read', 'users', 'all']

/** A token of the management API as it may be shown: the token itself was shown once, when it was made. */
export interface ApiToken {
  readonly id: string
  readonly name: string
  readonly role: ApiRole
  readonly createdBy: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
}
