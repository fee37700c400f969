import { Type } from 'typebox'
import { type Client, clientsOf } from '../../clients/index.ts'
import { pageOf, pageWithin } from '../input.ts'
import { type Operation, operation } from '../operation.ts'
import { page } from '../schema.ts'
import { getUser } from './read.ts'
import { appLink } from './schema.ts'

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

export const appLinks: Operation = operation({
  method: 'GET',
  path: '/users/:userId/appLinks',
  role: 'read',
  summary: 'List the apps that are assigned to a user, directly or by a group',
  query: page,
  response: Type.Array(appLink),
  async handle(call) {
    const { id } = await getUser(call)
    const clients = await clientsOf(call.parts.storage.db, id)
    const { items, next } = pageWithin(clients, pageOf(call.query), (client) => client.id)
    return { body: items.map(renderAppLink), next }
  },
})
