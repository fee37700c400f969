import { type Client, clientsOf } from '../../clients/index.ts'
import { pageWithin } from '../input.ts'
import type { Operation } from '../operation.ts'
import { rawPageOf as pageOf } from '../reader.ts'
import { getUser } from './read.ts'

/** An app as a portal shows it. Its link is the root of its first redirect URI. */
const renderAppLink = ({ id, label, settings }: Client): object => ({
  id,
  label,
  linkUrl:
    settings.redirectUris.flatMap((uri) => (/^https?:/.test(uri) ? [new URL('/', uri).href] : []))[0] ?? null,
  logoUrl: null,
  appName: 'oidc_client',
  appInstanceId: id,
  appAssignmentId: id,
  credentialsSetup: false,
  hidden: false,
  sortOrder: 0,
})

export const appLinks: Operation = {
  method: 'GET',
  path: '/users/:userId/appLinks',
  role: 'read',
  summary: 'List the apps that are assigned to a user, directly or by a group',
  async handle(call) {
    const { id } = await getUser(call)
    const clients = await clientsOf(call.parts.storage.db, id)
    const { items, next } = pageWithin(clients, pageOf(call.query), (client) => client.id)
    return { body: items.map(renderAppLink), next }
  },
}
