import { Type } from 'typebox'
import { accountOperations, accountPrefix } from '../../account/index.ts'
import { errorReference } from './schemas.ts'

const type = 'application/json;okta-version=1.0.0'
const json = (schema: object) => ({ content: { [type]: { schema } } })
const anything = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown())])

/** The paths of the MyAccount API, derived from the operations that are served. */
export function accountPaths(): Readonly<Record<string, Readonly<Record<string, object>>>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of accountOperations) {
    const { method, path, summary, scope, stepUp, body, answers } = operation
    const { status = method === 'DELETE' ? 204 : 200 } = operation
    const address = `${accountPrefix}${path.replace(/:(\w+)/g, '{$1}')}`
    const refused = { description: 'The request was refused.', ...json(errorReference) }
    paths[address] = {
      ...paths[address],
      [method.toLowerCase()]: {
        summary,
        tags: ['account'],
        description: `Requires an access token of the user with the scope \`okta.myAccount.${scope}\`${
          stepUp ? ', of a recent and strong enough sign-in' : ''
        }, and \`Accept: application/json; okta-version=1.0.0\`.`,
        parameters: [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
          ...{ name, in: 'path', required: true, schema: Type.String() },
        })),
        ...(body && {
          requestBody: {
            required: true,
            content: {
              [method === 'PATCH' ? 'application/merge-patch+json;okta-version=1.0.0' : 'application/json']: {
                schema: body,
              },
            },
          },
        }),
        responses: {
          [status]: { description: 'Success.', ...(answers !== false && status !== 204 && json(anything)) },
          '4XX': refused,
          '5XX': { ...refused, description: 'The request failed; nothing was changed.' },
        },
      },
    }
  }
  return paths
}
