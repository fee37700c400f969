import { type Client, findClient, timesOfClients } from '../../clients/index.ts'
import { listPolicies } from '../../policies/index.ts'
import type { Db } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import type { Answer, Context } from '../operation.ts'
import { type AppPolicies, renderApp } from './wire.ts'

/** The policies of apps without a mapped one. */
async function appPolicies(db: Db): Promise<AppPolicies> {
  const access = await listPolicies(db, 'ACCESS_POLICY')
  const enrollment = await listPolicies(db, 'PROFILE_ENROLLMENT')
  return {
    access: access.find(({ system }) => system)?.id,
    profileEnrollment: enrollment.find(({ system }) => system)?.id,
    profileEnrollments: enrollment.map(({ id }) => id),
  }
}

/** Apps in the shape of the API, with their times and the policies that apply to them. */
export async function renderApps(
  { parts }: Pick<Context, 'parts'>,
  clients: readonly Client[],
): Promise<readonly object[]> {
  const { db } = parts.storage
  const times = await timesOfClients(
    db,
    clients.map(({ id }) => id),
  )
  const policies = await appPolicies(db)
  return clients.map((client) => renderApp(parts.baseUrl(), client, times.get(client.id), { policies }))
}

/** An app as it is stored. `secret` is passed only when it was created. */
export async function answerApp({ parts }: Context, id: string, secret?: string): Promise<Answer> {
  const { db } = parts.storage
  const client = await findClient(db, id)
  if (client === undefined) throw notFound(id, 'AppInstance')
  const times = (await timesOfClients(db, [id])).get(id)
  return { body: renderApp(parts.baseUrl(), client, times, { policies: await appPolicies(db), secret }) }
}
