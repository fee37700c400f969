import { error } from './messages.ts'
import { beginAttempt, browserHeaders } from './okta.ts'
import { nextPath } from './steps.ts'
import { go, type Visit } from './visit.ts'

/** An attempt of a signed-in user that leads back to the page about the sign-in methods. */
export interface Errand {
  /** The attempt, by its `state`. */
  readonly state: string
  /** Whose it is: the name is filled in. */
  readonly username: string
  readonly kind: 'add' | 'confirm'
  /** The address to go on at, once it is done. */
  readonly goOn: string
  /** Whether the method to add was chosen from the list of the server, which has it alone. */
  readonly chosen?: true
  /** Whether a method was added on the way. */
  readonly added?: true
}

/**
 * The errand of an attempt, by its `state`; undefined for an ordinary sign-in. An attempt that is done is not the current one
 * any more: the SDK forgets it.
 */
export const errandOf = (
  { request: { session } }: Pick<Visit, 'request'>,
  state: string | undefined = session.state,
): Errand | undefined => (session.errand?.state === state ? session.errand : undefined)

/**
 * Begins an attempt with parameters that the methods of the SDK do not send: `enroll_amr_values` to add a method, `max_age`
 * and `acr_values` for a fresh and stronger sign-in. The SDK goes on with it as with its own.
 */
export async function beginErrand(
  visit: Visit,
  errand: Omit<Errand, 'state'>,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const { config, request, response, words } = visit
  beginAttempt(request)
  const client = visit.client()
  const meta = await client.idx.createTransactionMeta()
  const answer = await fetch(`${config.issuer}/v1/interact`, {
    method: 'POST',
    headers: browserHeaders(config, request, response),
    body: new URLSearchParams({
      client_id: config.clientId,
      ...(config.clientSecret !== undefined && { client_secret: config.clientSecret }),
      scope: (meta.scopes ?? []).join(' '),
      redirect_uri: meta.redirectUri ?? '',
      code_challenge: meta.codeChallenge ?? '',
      code_challenge_method: meta.codeChallengeMethod ?? '',
      state: meta.state ?? '',
      ...parameters,
    }),
  })
  const { interaction_handle: interactionHandle } = (await answer.json().catch(() => ({}))) as {
    readonly interaction_handle?: string
  }
  if (interactionHandle === undefined) {
    request.session.messages = [error(answer.status === 429 ? words.stopped.tooMany : words.methods.notNow)]
    return go(visit, '/methods')
  }
  client.idx.saveTransactionMeta({ ...meta, interactionHandle })
  request.session.errand = { ...errand, state: meta.state ?? '' }
  go(visit, await nextPath(visit, client, await client.idx.proceed(), '/methods'))
}
