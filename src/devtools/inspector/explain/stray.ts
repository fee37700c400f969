import { errorCodes } from '../../../base/index.ts'
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
  if (endpoint === 'api') return explainApi(exchange)
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
    case 'idx':
      return bad(
        'handle-unknown',
        say`The ${'interactionHandle' in sent ? 'interaction' : 'state'} handle sent at ${at} was not issued by this engine, or its transaction has been deleted.`,
        'Handles belong to one engine and one transaction; after a reset the app starts again.',
      )
    case 'origin':
      return bad(
        'origin-untrusted',
        say`The browser hides the answer of ${at} to ${exchange.method} ${exchange.path} from pages of ${sent.origin ?? 'their origin'}: no app is registered there (CORS).`,
        'Register a redirect URI of that origin for an app, or add it to trustedOrigins (rekey.config) or with POST /api/v1/trustedOrigins.',
      )
    case 'unknown':
      return bad(
        'address-unknown',
        say`Nothing is served at ${exchange.method} ${exchange.path}, which was requested at ${at}.`,
        exchange.hint,
      )
    case 'token':
      if (reason === 'unknown') {
        return bad(
          'code-unknown',
          say`The interaction code that was redeemed at ${at} was not issued by this engine, or it has been deleted.`,
        )
      }
  }
  return explainRefusedCall({ exchange, client })
}

/**
 * Explains a call of an API in Okta's shape that was refused: by the sentences of its answer, and what its code means. A code without a
 * meaning does not compile, so none is left unexplained.
 */
function explainApi({ method, path, status, at, messages, reason }: StrayFacts['exchange']): Explanation {
  const [code = ''] = messages
  const error = errorCodes[code as keyof typeof errorCodes] ?? { summary: '', meaning: undefined }
  const why = (reason || error.summary).replace(/\.$/, '')
  const spent = code === 'E0000047'
  return bad(
    spent ? 'requests-spent' : 'call-refused',
    say`${method} ${path} was refused at ${moment(at)} (${status} ${code}): ${why}.`,
    spent && why === error.summary.replace(/\.$/, '')
      ? 'See limits.requests and limits.preset, and the budgets of what the call sends; in tests, move the clock.'
      : error.meaning && withoutMarks(error.meaning),
  )
}

/** A text of the documentation as plain text. */
const withoutMarks = (markdown: string): string =>
  markdown.replace(/\[([^\]]*)\]\(([^)]*)\)/g, 'docs/$2').replaceAll('`', '')

/** Explains an OAuth call that was refused: what is said of one endpoint holds for all. */
function explainRefusedCall({ exchange, client }: StrayFacts): Explanation {
  const { endpoint, path, status, at: time, messages, reason, sent, hint } = exchange
  const at = moment(time)
  const name = endpoint === 'oauth' ? (path.split('/').at(-1) ?? endpoint) : endpoint
  const [error = ''] = messages
  if (error === 'invalid_client') {
    return client === undefined
      ? bad(
          'client-unknown',
          say`${name} was refused at ${at}: there is no client with this client id.`,
          hint ?? 'Compare the client id of the app with the registered ones.',
        )
      : bad(
          'client-secret-wrong',
          say`${name} was refused at ${at}: the client secret is not that of ${client.label}.`,
          hint,
        )
  }
  if (reason?.includes('redirect_uri') && client !== undefined && sent.redirect_uri !== undefined) {
    return bad(
      'redirect-uri-wrong',
      say`${name} was refused at ${at}: ${sent.redirect_uri} is not registered for ${client.label} (registered: ${client.redirects}).`,
      `Redirect URIs are compared exactly: scheme, host, port, path and a slash at the end.${hint === undefined ? '' : ` ${hint}`}`,
    )
  }
  const cause =
    error === 'invalid_scope'
      ? 'scope-wrong'
      : reason?.includes('code_challenge')
        ? 'pkce-missing'
        : (({ interact: 'interact-refused', token: 'token-refused' } as const)[endpoint as 'interact'] ??
          'call-refused')
  return bad(cause, say`${name} was refused at ${at}: ${reason || error || `the answer was ${status}`}`, hint)
}
