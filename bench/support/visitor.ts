import { createHash } from 'node:crypto'
import type { Agent } from 'node:http'
import { type AnswerBody, interactionCodeIn } from '../../src/testing/answer.ts'
import { post, type Reply } from './http.ts'

export { interactionCodeIn }

/** The steps of a recovery, as the SDK sends them. */
export const stepNames = [
  'interact',
  'introspect',
  'recover',
  'identify',
  'challenge',
  'answer code',
  'answer password',
  'token',
] as const
export type StepName = (typeof stepNames)[number]

export interface Recovery {
  readonly engineUrl: string
  readonly agent: Agent
  readonly login: string
  readonly password: string
  /** The mailed code. */
  code(): Promise<string>
  /** Called after each step with its time in milliseconds and the response body. */
  onStep?(step: StepName, ms: number, body: Record<string, unknown>): void
}

/** A step had another response than a successful recovery. */
export class StepFailed extends Error {
  readonly step: StepName
  readonly reply: Reply

  constructor(step: StepName, reply: Reply) {
    super(`${step} was answered ${reply.status}: ${JSON.stringify(reply.body).slice(0, 300)}`)
    this.step = step
    this.reply = reply
  }
}

export const verifier = 'v'.repeat(43)
const challenge = createHash('sha256').update(verifier).digest('base64url')
export const redirectUri = 'https://app.example/callback'
export const authorization = `Basic ${Buffer.from('bench:a client secret that is for benchmarks only').toString('base64')}`

const form = 'application/x-www-form-urlencoded'
const json = 'application/json'

/** Each visitor has a different address, which the app forwards. */
let visitors = 0
export const nextAddress = (): string => {
  visitors++
  return `10.${(visitors >> 16) & 255}.${(visitors >> 8) & 255}.${visitors & 255}`
}

/** Runs a whole recovery, from `interact` to the tokens. Returns the response of the token endpoint. */
export async function recover(recovery: Recovery): Promise<Record<string, unknown>> {
  const steps = walk(recovery)
  for (;;) {
    const { done, value } = await steps.next()
    if (done) return value
  }
}

/** Runs a recovery one step at a time. */
export async function* walk(recovery: Recovery): AsyncGenerator<StepName, Record<string, unknown>> {
  const { engineUrl, agent, login } = recovery
  const timed = async (step: StepName, path: string, type: string, body: string, headers = {}) => {
    const begun = performance.now()
    const reply = await post(agent, engineUrl + path, { type, body, headers })
    if (reply.status !== 200) throw new StepFailed(step, reply)
    recovery.onStep?.(step, performance.now() - begun, reply.body)
    return reply.body
  }
  const idx = async (step: StepName, path: string, body: object) =>
    (await timed(step, `/idp/idx/${path}`, json, JSON.stringify(body))) as AnswerBody

  const { interaction_handle: interactionHandle } = await timed(
    'interact',
    '/oauth2/default/v1/interact',
    form,
    new URLSearchParams({
      scope: 'openid profile email',
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'state',
      nonce: 'nonce',
    }).toString(),
    { authorization, 'x-forwarded-for': nextAddress() },
  )
  yield 'interact'
  const { stateHandle } = await idx('introspect', 'introspect', { interactionHandle })
  yield 'introspect'
  await idx('recover', 'recover', { stateHandle })
  yield 'recover'
  const named = await idx('identify', 'identify', { stateHandle, identifier: login })
  yield 'identify'
  const id = named.authenticators?.value[0]?.id
  await idx('challenge', 'challenge', { stateHandle, authenticator: { id } })
  yield 'challenge'
  await idx('answer code', 'challenge/answer', {
    stateHandle,
    credentials: { passcode: await recovery.code() },
  })
  yield 'answer code'
  const done = await idx('answer password', 'challenge/answer', {
    stateHandle,
    credentials: { passcode: recovery.password },
  })
  const code = interactionCodeIn(done)
  yield 'answer password'
  return timed(
    'token',
    '/oauth2/default/v1/token',
    form,
    new URLSearchParams({
      grant_type: 'interaction_code',
      interaction_code: code ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }).toString(),
    { authorization },
  )
}
