/** What a token may do: read everything, also manage users, or everything. Each role includes the previous one. */
export type ApiRole = 'read' | 'users' | 'all'

export const apiRoles: readonly ApiRole[] = ['read', 'users', 'all']

/** An API token without its secret, which was shown once, when the token was created. */
export interface ApiToken {
  readonly id: string
  readonly name: string
  readonly role: ApiRole
  readonly createdBy: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
}
