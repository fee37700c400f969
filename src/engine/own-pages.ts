import { type Client, clientsOf, findClient, isOwnPages, listClients, originsOf } from '../clients/index.ts'
import { findPerson } from '../directory/index.ts'
import { findReturnByHandle } from '../interactions/index.ts'
import type { OwnPages } from '../oidc/index.ts'
import { type PagesParts, signInPath } from '../pages/index.ts'
import type { Storage } from '../storage/index.ts'

/** As many apps as a page can list. */
const mostApps = 10

const homeOf = (client: Client) =>
  originsOf(client)
    .slice(0, 1)
    .map((address) => ({ label: client.label, address }))

/** What the pages need to begin and to end without an app, and the ways from an end to one. */
export const ownPagesOf = (
  { db }: Storage,
  { begin, stateOf, maskedLoginOf, findUserId }: OwnPages,
  { baseUrl, tokenPage }: Pick<PagesParts['entries'], 'tokenPage'> & Pick<PagesParts, 'baseUrl'>,
): Pick<PagesParts, 'entries' | 'findWayOn'> => ({
  async findWayOn(handle) {
    const { clientId, redirectUri } = (await findReturnByHandle(db, handle)) ?? {
      clientId: '',
      redirectUri: '',
    }
    if (isOwnPages(clientId)) {
      const page = new URL(redirectUri).searchParams.get('begun')
      return page === null ? undefined : { address: `${baseUrl()}${signInPath}/${page}` }
    }
    const client = await findClient(db, clientId)
    return client?.status === 'ACTIVE' ? homeOf(client)[0] : undefined
  },
  entries: {
    ...{ begin, stateOf, maskedLoginOf, findUserId, tokenPage },
    loginOf: async (userId) => (await findPerson(db, userId))?.profile.login,
    homesOf: async (userId) => (await clientsOf(db, userId)).flatMap(homeOf).slice(0, mostApps),
    async onlyHome() {
      const homes = (await listClients(db)).filter(({ status }) => status === 'ACTIVE').flatMap(homeOf)
      return homes.length === 1 ? homes[0] : undefined
    },
  },
})
