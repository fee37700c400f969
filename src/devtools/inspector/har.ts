import { isoTime } from '../../base/index.ts'
import type { Recorded } from './recorder.ts'

/**
 * Exports exchanges as an HTTP archive (HAR 1.2) for browsers and tools. Addresses, headers and bodies are rebuilt from
 * the recorded data, which contains no secrets.
 */
export function harOf(exchanges: readonly Recorded[], baseUrl: string): object {
  return {
    log: {
      version: '1.2',
      creator: { name: 'Rekey', version: '1' },
      comment: 'Secrets are omitted: each is replaced by a description.',
      entries: exchanges.map((exchange) => entryOf(exchange, baseUrl)),
    },
  }
}

function entryOf(exchange: Recorded, baseUrl: string): object {
  const { at, durationMs, method, path, sent, status, endpoint, times } = exchange
  const wait = Math.round(durationMs * 1000) / 1000
  const queryString = endpoint === 'link' ? [{ name: 'token', value: 'token of a link' }] : []
  const hasForm = endpoint !== 'origin' && endpoint !== 'unknown' && endpoint !== 'api'
  return {
    startedDateTime: isoTime(at - Math.round(durationMs)),
    time: wait,
    request: {
      method,
      url: `${baseUrl}${path}${endpoint === 'link' ? '?token=' : ''}`,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [],
      queryString,
      ...(method === 'POST' && hasForm && { postData: postData(endpoint, sent) }),
      headersSize: -1,
      bodySize: -1,
    },
    response: {
      status,
      statusText: '',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: [],
      content: contentOf(exchange),
      redirectURL: '',
      headersSize: -1,
      bodySize: -1,
    },
    cache: {},
    timings: { send: 0, wait, receive: 0 },
    ...(times > 1 && { comment: `This exchange took place ${times} times.` }),
  }
}

const postData = (endpoint: string, sent: Readonly<Record<string, string>>) =>
  endpoint === 'idx'
    ? { mimeType: 'application/json', params: [], text: JSON.stringify(sent) }
    : {
        mimeType: 'application/x-www-form-urlencoded',
        params: Object.entries(sent).map(([name, value]) => ({ name, value })),
        text: '',
      }

function contentOf({ endpoint, offered, messages, stageAfter, reason }: Recorded): object {
  const text = JSON.stringify({ stage: stageAfter, offered, messages, reason })
  return { size: text.length, mimeType: endpoint === 'link' ? 'text/html' : 'application/json', text }
}
