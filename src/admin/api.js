// @ts-check
/** Calls of the management API, with the token that is stored for this tab only. */

/** @typedef {any} Json a value of the API, described in docs/openapi.yaml */
/** @typedef {{ readonly value: Json, readonly next: string | undefined }} Answer */

const storageKey = 'rekey.token'
const toolsKey = 'rekey.tools'
const api = document.body.dataset.api ?? ''

export const token = () => sessionStorage.getItem(storageKey)
/** @param {string} value */
export const storeToken = (value) => sessionStorage.setItem(storageKey, value)
export const removeToken = () => sessionStorage.removeItem(storageKey)

/** The port of the pages of `rekey dev`, where the page was opened from them. */
export const toolsPort = () => sessionStorage.getItem(toolsKey)

/**
 * Takes a token from the address, which the pages of `rekey dev` link to, with their port. Only on localhost: otherwise a
 * link could sign a user in with a token of the attacker.
 */
export function tokenFromAddress() {
  const [, given, port] = /^#token=([\w-]+)(?:&tools=(\d{1,5}))?$/.exec(location.hash) ?? []
  if (given === undefined) return
  history.replaceState(null, '', '#/users')
  if (!['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)) return
  storeToken(given)
  if (port !== undefined) sessionStorage.setItem(toolsKey, port)
}

/**
 * Of a password that breaks rules the API names all rules first, as Okta does; shown are those that are not met.
 * @param {readonly string[]} causes
 */
const shownCauses = (causes) => {
  const hasUnmet = causes.some((cause) => /^password: not met: /.test(cause))
  return hasUnmet
    ? causes.filter((cause) => !cause.startsWith('password: Password requirements were not met.'))
    : causes
}

/** A refusal of the API. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Json} body
   * @param {number} resetAt when the limit of requests ends, in epoch seconds
   */
  constructor(status, body, resetAt) {
    const { errorCode = '', errorSummary = '', errorCauses = [] } = body
    const causes = shownCauses(errorCauses.map((/** @type {Json} */ cause) => cause.errorSummary))
    // The causes say which member is wrong and why; the summary repeats the first of them.
    super((causes.length > 0 ? causes : [errorSummary]).join(' '))
    this.causes = causes
    this.status = status
    this.code = errorCode
    this.resetAt = resetAt
  }
}

/**
 * @param {'GET' | 'POST' | 'PUT' | 'DELETE'} method
 * @param {string} path below /api/v1, or the address of a next page
 * @param {{ readonly body?: object, readonly signal?: AbortSignal }} [options]
 * @returns {Promise<Answer>}
 */
export async function request(method, path, { body, signal } = {}) {
  const response = await fetch(api + path, {
    method,
    ...(signal && { signal }),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    headers: {
      authorization: `SSWS ${token()}`,
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const value = text === '' ? {} : JSON.parse(text)
  if (!response.ok) {
    throw new ApiError(response.status, value, Number(response.headers.get('x-rate-limit-reset')))
  }
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  // Relative to the address of this page, which may differ from the engine's public address.
  return { value, next: next?.slice(next.indexOf('/api/v1') + '/api/v1'.length) }
}

/**
 * All items of a list, at most `most` of them.
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<readonly Json[]>}
 */
export async function everything(path, signal, most = 1000) {
  /** @type {Json[]} */
  const items = []
  /** @type {string | undefined} */
  let at = path
  while (at !== undefined && items.length < most) {
    const page = await request('GET', at, signal && { signal })
    items.push(...page.value)
    at = page.value.length === 0 ? undefined : page.next
  }
  return items
}

/**
 * The message for an error.
 * @param {unknown} error
 */
export function messageOf(error) {
  if (!(error instanceof ApiError)) return 'The engine does not respond. Is it running?'
  if (error.code === 'E0000006') {
    return 'This token does not have permission to do that: the role users or all is required. Nothing was changed.'
  }
  if (error.code === 'E0000032') return 'There is nothing to reset: no limit of wrong answers is reached.'
  if (error.status === 429) {
    const seconds = Math.max(1, Math.ceil(error.resetAt - Date.now() / 1000))
    return `Too many requests. Try again in ${Number.isFinite(seconds) ? seconds : 60} seconds.`
  }
  return error.message || `The engine responded with status ${error.status}.`
}
