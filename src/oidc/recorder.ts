import { type Exchange, kindOf } from '../audit/index.ts'
import { describeUserAgent, ProtocolError, systemClock } from '../base/index.ts'
import { findInteractionByCode, findInteractionByHandle, isVerifierOf } from '../interactions/index.ts'
import { findActiveClient, readBasic } from './client-auth.ts'
import type { Form } from './form.ts'
import type { Parts } from './parts.ts'

interface Call {
  readonly path: string
  readonly form: Form
  readonly authorization: string | undefined
  readonly userAgent: string | undefined
}

/** Begins an interaction, and tells whoever watches what came of it. */
export async function recordInteract<Answer extends { readonly interaction_handle: string }>(
  parts: Parts,
  call: Call,
  act: () => Promise<Answer>,
): Promise<Answer> {
  const { recordExchange: observe } = parts
  if (observe === undefined) return act()
  const started = systemClock.now()
  const told = await toldOf(parts, call, 'interact')
  const tell = (more: Partial<Exchange> & Pick<Exchange, 'status'>) =>
    observe({ ...told, at: parts.clock.now(), durationMs: systemClock.now() - started, ...more })
  try {
    const answer = await act()
    const interaction = await findInteractionByHandle(parts.storage.db, answer.interaction_handle, 0)
    tell({ status: 200, interactionId: interaction?.id })
    return answer
  } catch (error) {
    if (error instanceof ProtocolError) {
      tell({ status: error.status, messages: [error.code], reason: error.description })
    }
    throw error
  }
}

/** Redeems an interaction code, and tells whoever watches what came of it. Other grants are not watched. */
export async function recordTokenCall(
  parts: Parts,
  call: Call & { readonly issuer: string; status(): number },
  act: () => Promise<void>,
): Promise<void> {
  const { recordExchange: observe } = parts
  if (observe === undefined || call.form.get('grant_type') !== 'interaction_code') return act()
  const started = systemClock.now()
  // Where the database is away the client is told so; who only watches must not stand in the way of that answer.
  const seen = await Promise.all([toldOf(parts, call, 'token'), lookAtCode(parts, call)]).catch(
    () => undefined,
  )
  await act()
  if (seen === undefined) return
  const [told, looked] = seen
  const status = call.status()
  observe({
    ...told,
    at: parts.clock.now(),
    durationMs: systemClock.now() - started,
    status,
    interactionId: looked.interactionId,
    ...(status < 400
      ? { tokensAheadMs: parts.tokenClock.now() - systemClock.now() }
      : { reason: status === 401 ? 'client secret' : looked.reason, messages: ['invalid_grant'] }),
  })
}

/** Why a code would be refused, by the same conditions as its redemption, looked at before it is tried. */
async function lookAtCode(
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

async function toldOf(
  parts: Parts,
  call: Call,
  endpoint: 'interact' | 'token',
): Promise<Omit<Exchange, 'at' | 'durationMs' | 'status'>> {
  const { path, form, userAgent } = call
  // Shown only where it is registered: whatever else stands in its place may be a secret.
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

/** The client that calls, by the body or by its Authorization header; empty where neither can be read. */
function clientIdIn({ form, authorization }: Call): string {
  const named = form.get('client_id')
  if (named !== undefined || authorization === undefined) return named ?? ''
  try {
    return readBasic(authorization).clientId
  } catch {
    return ''
  }
}

/** Of whose parameters the value may be shown; of all others its kind, and of unknown ones not even the name. */
function sentIn(form: Form, clientId: string | undefined): Readonly<Record<string, string>> {
  const shown: Readonly<Record<string, (value: string) => string>> = {
    grant_type: (value) => value,
    client_id: (value) => clientId ?? `${kindOf(value)}, not registered`,
    client_secret: () => 'client secret',
    scope: (value) => (/^[a-z_ ]{1,200}$/.test(value) ? value : kindOf(value)),
    redirect_uri: placeOf,
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
  const known = Object.entries(shown).flatMap(([name, show]): [string, string][] => {
    const value = form.get(name)
    return value === undefined ? [] : [[name, show(value)]]
  })
  const others = [...form.keys()].filter((name) => shown[name] === undefined).length
  return Object.fromEntries(others === 0 ? known : [...known, ['other parameters', String(others)]])
}

/** Where a redirect URI leads, without a query, a fragment or a password that may stand in it. */
function placeOf(uri: string): string {
  const url = URL.parse(uri)
  if (url === null) return kindOf(uri)
  const place =
    url.host === '' ? `${url.protocol}${url.pathname}` : `${url.protocol}//${url.host}${url.pathname}`
  return url.search || url.hash || url.username ? `${place} and more` : place
}
