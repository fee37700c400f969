import type { StrayFacts } from '../facts.ts'
import { bad, type Explanation, moment, say } from './cause.ts'

/** Explains an exchange that belongs to no transaction. */
export function explainStray({ exchange, client }: StrayFacts): Explanation {
  const { endpoint, status, at: time, messages, reason, sent } = exchange
  const at = moment(time)
  const [error = ''] = messages
  if (error === 'E0000009' || reason?.includes('requested by a test')) {
    return bad('failure-asked-for', say`The answer ${status} at ${at} was requested with POST /faults.`)
  }
  if (status === 429)
    return bad(
      'requests-spent',
      say`Too many requests: the one at ${at} was refused.`,
      'See limits.requests and limits.preset.',
    )
  switch (endpoint) {
    case 'link':
      return bad(
        'link-unknown',
        say`The link that was opened at ${at} was not mailed by this engine, or its transaction has been deleted.`,
      )
    case 'token':
      return bad(
        'code-unknown',
        say`The interaction code that was redeemed at ${at} was not issued by this engine, or it has been deleted.`,
      )
    case 'idx':
      return bad(
        'handle-unknown',
        say`The ${'interactionHandle' in sent ? 'interaction' : 'state'} handle sent at ${at} was not issued by this engine, or its transaction has been deleted.`,
        'Handles belong to one engine and one transaction; after a reset the app starts again.',
      )
  }
  if (error === 'invalid_client') {
    return client === undefined
      ? bad(
          'client-unknown',
          say`interact was refused at ${at}: there is no client with this client id.`,
          'Compare the client id of the app with the registered ones.',
        )
      : bad(
          'client-secret-wrong',
          say`interact was refused at ${at}: the client secret is not that of ${client.label}.`,
        )
  }
  if (reason?.includes('redirect_uri') && client !== undefined && sent.redirect_uri !== undefined) {
    const registered = client.redirectUris.join(', ') || 'none'
    return bad(
      'redirect-uri-wrong',
      say`interact was refused at ${at}: ${sent.redirect_uri} is not registered for ${client.label} (registered: ${registered}).`,
      'Redirect URIs are compared exactly: scheme, host, port, path and a slash at the end.',
    )
  }
  return bad('interact-refused', say`interact was refused at ${at}: ${reason ?? error}`)
}
