import { type Client, clientsOf } from '../../clients/index.ts'
import { pageOf, pageWithin } from '../input.ts'
import type { Operation } from '../operation.ts'
import { getUser } from './read.ts'

/** An app that somebody may use, as a portal would show it: its link is the app's own front page. */
const linkTo = ({ id, label, settings }: Client): object => ({
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
  summary: 'Lists the apps that a person may use, by herself or by a group.',
  async handle(call) {
    const { id } = await getUser(call)
    const clients = await clientsOf(call.parts.storage.db, id)
    const { items, next } = pageWithin(clients, pageOf(call.query), (client) => client.id)
    return { body: items.map(linkTo), next }
  },
}
