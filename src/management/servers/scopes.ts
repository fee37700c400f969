import { type ScopeSettings, writeScopeSettings } from '../../clients/index.ts'
import { takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { operation, recordEvent } from '../operation.ts'
import { getFacts } from './facts.ts'
import { changedScope, scope } from './schema.ts'
import { renderScope } from './wire.ts'

/** Sets what a scope is called and whether users are asked for it. Which scopes there are is not changed. */
export const changeScope = operation({
  method: 'PUT',
  path: '/authorizationServers/:authServerId/scopes/:scopeId',
  role: 'all',
  summary: 'Set what a scope is called, and whether users are asked before an app gets it',
  body: changedScope,
  response: scope,
  async handle(call) {
    const { parts, params, body } = call
    const { scopeId = '' } = params
    const name = getFacts(call).scopes.find((one) => renderScope(one, {}).id === scopeId)
    if (name === undefined) throw notFound(scopeId, 'OAuth2Scope')
    if (body.name !== name) throw invalid([`name: must be ${name}, as it cannot be changed`])
    if (name === 'openid' && body.optional === true) {
      throw invalid(['optional: must be false for openid, without which there is no sign-in'])
    }
    const { consent, optional, displayName, description } = body
    const settings: ScopeSettings = {
      ...(consent && { consent }),
      ...(optional && { optional }),
      ...(displayName && displayName !== name && { displayName }),
      ...(description && { description }),
    }
    await parts.storage.transaction(async (tx) => {
      await takeLock(tx, 'scopes')
      await writeScopeSettings(tx, name, settings)
      await recordEvent(call, tx, {
        eventType: 'oauth2.scope.updated',
        displayMessage: 'Scope of the authorization server changed',
        target: [{ id: scopeId, type: 'OAuth2Scope', displayName: name }],
        debugData: { consent: consent ?? 'IMPLICIT' },
      })
    })
    return { body: renderScope(name, settings) }
  },
})
