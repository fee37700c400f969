import { browserSecretIn } from '../base/index.ts'
import { type Client, clientsOf, findClient, isOwnPages, listClients, originsOf } from '../clients/index.ts'
import { findPerson } from '../directory/index.ts'
import { type Closing, type FlowParts, findEndInBrowser, unlockedKey } from '../flow/index.ts'
import { findReturnByHandle } from '../interactions/index.ts'
import type { OwnPages } from '../oidc/index.ts'
import { type PagesParts, returnAddress, signInPath } from '../pages/index.ts'
import { heldLink, otherUser } from './held-link.ts'

/** As many apps as a page can list. */
const mostApps = 10

const homeOf = (client: Client) =>
  originsOf(client)
    .slice(0, 1)
    .map((address) => ({ label: client.label, address }))

/** The sentence that a transaction has ended in, by how; for the others none is true any more. */
const lastWords: Readonly<Partial<Record<Closing, string>>> = {
  recovered: 'idx.recovery.completed',
  unlocked: unlockedKey,
  requested: 'idx.request.activation.email',
}

/** What the pages need to begin and to end without an app, and the ways from an end to one. */
export const ownPagesOf = (
  parts: FlowParts,
  { begin, stateOf, userIdOf, maskedLoginOf, findUserId }: OwnPages,
  { baseUrl, tokenPage }: Pick<PagesParts['entries'], 'tokenPage'> & Pick<PagesParts, 'baseUrl'>,
): Pick<PagesParts, 'entries' | 'findWayOn' | 'findEnd' | 'findHeld'> => ({
  async findWayOn(handle) {
    const { db } = parts.storage
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
  async findEnd(handle, cookies) {
    const browser = browserSecretIn(cookies, baseUrl().startsWith('https:'))
    const end = await findEndInBrowser(parts, handle, browser)
    if (end === undefined) return undefined
    if (end.result === 'returns') return { location: returnAddress(baseUrl(), handle, end.stateToken) }
    if (end.result === 'closed') {
      const message = lastWords[end.closing]
      return message === undefined ? undefined : { message }
    }
    const { clientId, redirectUri } = end.interaction
    if (isOwnPages(clientId)) return { location: redirectUri }
    const client = await findClient(parts.storage.db, clientId)
    return { wayOn: client?.status === 'ACTIVE' ? homeOf(client)[0] : undefined }
  },
  findHeld: (call) => heldLink(parts, baseUrl(), call),
  entries: {
    ...{ begin, stateOf, maskedLoginOf, findUserId, tokenPage },
    findOther: async (token, cookies) =>
      cookies === undefined ? undefined : otherUser(parts, { findUserId }, await userIdOf(token), cookies),
    loginOf: async (userId) => (await findPerson(parts.storage.db, userId))?.profile.login,
    homesOf: async (userId) => (await clientsOf(parts.storage.db, userId)).flatMap(homeOf).slice(0, mostApps),
    async onlyHome() {
      const homes = (await listClients(parts.storage.db))
        .filter(({ status }) => status === 'ACTIVE')
        .flatMap(homeOf)
      return homes.length === 1 ? homes[0] : undefined
    },
  },
})
