import { type Exchange, kindOf } from '../audit/index.ts'
import { describeUserAgent, systemClock } from '../base/index.ts'
import { findInteractionByCode, findInteractionByHandle, isVerifierOf } from '../interactions/index.ts'
import { type ClientCall, clientIdOfBasic, findActiveClient } from './client-auth.ts'
import type { OAuthBody } from './errors.ts'
import type { Form } from './form.ts'
import type { Parts } from './parts.ts'
import type { TokenAnswer } from './token.ts'

interface Call extends ClientCall {
  readonly path: string
  readonly userAgent: string | undefined
}

/** Begins an interaction and records the exchange, where a recorder is set. A refusal is recorded by `recordRefusal`. */
export async function recordInteract<Answer extends { readonly interaction_handle: string }>(
  parts: Parts,
  call: Call,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  const { recordExchange } = parts
  if (recordExchange === undefined) return handle()
  const started = systemClock.now()
  const request = await describeRequest(parts, call, 'interact')
  const answer = await handle()
  const interaction = await findInteractionByHandle(parts.storage.db, answer.interaction_handle, 0)
  const durationMs = systemClock.now() - started
  recordExchange({
    ...request,
    at: parts.clock.now(),
    durationMs,
    status: 200,
    interactionId: interaction?.id,
  })
  return answer
}

/**
 * Records a call that an OAuth endpoint refused, before any transaction knows of it: what an app of a developer meets
 * first. Where nothing is recorded, as in production, it does nothing.
 */
export async function recordRefusal(
  parts: Parts,
  call: Call & { readonly method: string; readonly durationMs: number },
  refused: {
    readonly status: number
    readonly code: string
    readonly description: string
    readonly hint: string | undefined
  },
): Promise<void> {
  const { recordExchange } = parts
  // A token that has expired is everyday life of an app.
  if (recordExchange === undefined || refused.code === 'invalid_token') return
  const name = /\/v1\/(interact|token|authorize)$/.exec(call.path)?.[1]
  const request = await describeRequest(parts, call, (name as 'interact' | undefined) ?? 'oauth').catch(
    () => undefined,
  )
  if (request === undefined) return
  const { status, code, description, hint } = refused
  const { method, durationMs } = call
  const at = parts.clock.now()
  recordExchange({ ...request, method, at, durationMs, status, messages: [code], reason: description, hint })
}

/**
 * Runs a call of the token endpoint and records the redemption of an interaction code, where a recorder is set. Of other
 * grants the refused ones are recorded.
 */
export async function recordTokenCall(
  parts: Parts,
  call: Call & { readonly issuer: string },
  handle: () => Promise<TokenAnswer>,
): Promise<TokenAnswer> {
  const { recordExchange } = parts
  if (recordExchange === undefined) return handle()
  const started = systemClock.now()
  if (call.form.get('grant_type') !== 'interaction_code') {
    const answer = await handle()
    const refused = refusalIn(answer)
    if (refused === undefined) return answer
    const { status } = answer
    const { error: code, error_description: description } = refused
    await recordRefusal(
      parts,
      { ...call, method: 'POST', durationMs: systemClock.now() - started },
      { status, code, description, hint: undefined },
    )
    return answer
  }
  // An unavailable database is the endpoint's to report: the recorder must not replace that response by an error.
  const before = await Promise.all([describeRequest(parts, call, 'token'), findRefusal(parts, call)]).catch(
    () => undefined,
  )
  const answer = await handle()
  if (before === undefined) return answer
  const [request, { interactionId, reason }] = before
  const { status } = answer
  const refused = refusalIn(answer)
  recordExchange({
    ...request,
    at: parts.clock.now(),
    durationMs: systemClock.now() - started,
    status,
    interactionId,
    ...(refused === undefined
      ? { tokensAheadMs: parts.tokenClock.now() - systemClock.now() }
      : whyRefused(status, reason, refused)),
  })
  return answer
}

const refusalIn = ({ body }: TokenAnswer): OAuthBody | undefined => ('error' in body ? body : undefined)

/** The condition that the code did not meet; where the call failed for another reason, that of the response. */
function whyRefused(
  status: number,
  condition: string | undefined,
  { error, error_description: description }: OAuthBody,
) {
  const reason = status === 401 ? 'client secret' : error === 'invalid_grant' ? condition : description
  return { reason, messages: [status === 401 ? 'invalid_client' : error] }
}

/**
 * Why a code would be refused, by the conditions of `redeemInteractionCode`. Read before: the redemption changes the
 * row.
 */
async function findRefusal(
  { storage, secrets, clock }: Parts,
  call: Call & { readonly issuer: string },
): Promise<{ readonly interactionId?: string; readonly reason?: string }> {
  const { form, issuer } = call
  const code = form.get('interaction_code')
  const found = code === undefined ? undefined : await findInteractionByCode(storage.db, code, secrets)
  if (found === undefined) return { reason: 'unknown' }
  const { interaction, usedAt, expiresAt } = found
  const redirectUri = form.get('redirect_uri')
  const reasons = {
    client: interaction.clientId !== clientIdIn(call),
    issuer: interaction.issuer !== issuer,
    used: usedAt !== null,
    expired: expiresAt <= clock.now(),
    redirect_uri: redirectUri !== undefined && redirectUri !== interaction.redirectUri,
    verifier: !isVerifierOf(interaction, form.get('code_verifier') ?? ''),
  }
  const reason = Object.entries(reasons).find(([, holds]) => holds)?.[0] ?? 'session'
  return { interactionId: interaction.id, reason }
}

/** The members of an exchange that are known from the request. */
async function describeRequest(
  parts: Parts,
  call: Call,
  endpoint: 'interact' | 'token' | 'authorize' | 'oauth',
): Promise<Omit<Exchange, 'at' | 'durationMs' | 'status'>> {
  const { path, form, userAgent } = call
  // Recorded only where it is registered: any other value may be a secret in the wrong parameter.
  const client = await findActiveClient(parts.storage.db, clientIdIn(call))
  const { browser, system } = describeUserAgent(userAgent ?? '')
  return {
    endpoint,
    method: 'POST',
    path,
    sent: sentIn(form, client?.id),
    offered: [],
    messages: [],
    clientId: client?.id,
    browser: [browser, system].filter(Boolean).join(' on ') || undefined,
  }
}

/** The client id of the body or of the Authorization header; empty where neither can be read. */
export const clientIdIn = ({ form, authorization }: ClientCall): string =>
  form.get('client_id') ?? (authorization === undefined ? undefined : clientIdOfBasic(authorization)) ?? ''

/** The parameters as they may be recorded: a few by value, the others by description, unknown ones by number only. */
function sentIn(form: Form, clientId: string | undefined): Readonly<Record<string, string>> {
  const describers: Readonly<Record<string, (value: string) => string>> = {
    grant_type: (value) => value,
    client_id: (value) => clientId ?? `${kindOf(value)}, not registered`,
    client_secret: () => 'client secret',
    scope: (value) => (/^[a-z_ ]{1,200}$/.test(value) ? value : kindOf(value)),
    redirect_uri: describeUri,
    code_challenge: kindOf,
    code_challenge_method: (value) => (value === 'S256' ? value : kindOf(value)),
    state: kindOf,
    nonce: kindOf,
    login_hint: kindOf,
    acr_values: kindOf,
    max_age: kindOf,
    interaction_code: () => 'interaction code',
    code_verifier: () => 'code verifier',
  }
  const recorded = Object.entries(describers).flatMap(([name, describe]): [string, string][] => {
    const value = form.get(name)
    return value === undefined ? [] : [[name, describe(value)]]
  })
  const others = [...form.keys()].filter((name) => describers[name] === undefined).length
  return Object.fromEntries(others === 0 ? recorded : [...recorded, ['other parameters', String(others)]])
}

/** A redirect URI without its query, fragment and user information, which may contain secrets. */
export function describeUri(uri: string): string {
  const url = URL.parse(uri)
  if (url === null) return kindOf(uri)
  const place =
    url.host === '' ? `${url.protocol}${url.pathname}` : `${url.protocol}//${url.host}${url.pathname}`
  return url.search || url.hash || url.username ? `${place} and more` : place
}
