import type { Client } from './client.ts'

/**
 * The client that the engine's own pages are where no app has sent the browser: by a deep link or by the link of a mail. It is in no
 * table, has no secret, no redirect URI and no grant, so that nothing can be redeemed in its name; and no app can be registered with
 * its id, which has a letter that ids do not have.
 */
export const ownPagesId = 'rekey:pages'

export const isOwnPages = (clientId: string): boolean => clientId === ownPagesId

/** That client, with the name of the org as its own: mails and pages name what the user signs in to. */
export const ownPagesClient = (orgName: string): Client => ({
  id: ownPagesId,
  label: orgName,
  status: 'ACTIVE',
  secrets: [],
  settings: {
    applicationType: 'browser',
    redirectUris: [],
    postLogoutRedirectUris: [],
    grantTypes: [],
    // The mailed link shows its code: there is no app that could take it over.
    emailMagicLinkRedirectUri: null,
  },
})
