import { isoTime } from '../base/index.ts'
import type { FlowAnswer } from '../flow/index.ts'
import { factorsOf } from './factors.ts'
import { stateTokenOf } from './read.ts'
import { type Json, link, relayIn, userIn } from './render-parts.ts'

/** How a code of a recovery comes, by the names that Okta has for it. */
export const codeWays = {
  EMAIL: { key: 'okta_email', method: 'email', resend: 'email' },
  SMS: { key: 'phone_number', method: 'sms', resend: 'sms' },
  CALL: { key: 'phone_number', method: 'voice', resend: 'call' },
} as const

export type Way = keyof typeof codeWays

const typeIn = ({ view }: FlowAnswer): 'PASSWORD' | 'UNLOCK' =>
  view.progress.intent === 'unlock' ? 'UNLOCK' : 'PASSWORD'

/** A mail has left, or would have: its link leads on. */
export const renderMailSent = (answer: FlowAnswer): Json => ({
  status: 'RECOVERY_CHALLENGE',
  factorResult: 'WAITING',
  factorType: 'EMAIL',
  recoveryType: typeIn(answer),
  ...relayIn(answer),
})

/** A code has left, or would have. */
export function renderCodeSent(base: string, answer: FlowAnswer, way: Way): Json {
  const at = `${base}/api/v1/authn`
  const verify = `${at}/recovery/factors/${way}/verify`
  return {
    ...headOf(answer),
    status: 'RECOVERY_CHALLENGE',
    factorType: way,
    recoveryType: typeIn(answer),
    _links: {
      next: link(verify, 'verify'),
      resend: [link(`${at}/recovery/factors/${way}/resend`, codeWays[way].resend)],
      cancel: link(`${at}/cancel`),
    },
  }
}

/** The code that a transaction waits for before anything is proven; undefined: none. */
export function codeAsked({ view }: FlowAnswer): Way | undefined {
  const { challenge, intent, proofs } = view.progress
  if (proofs.length > 0 || (intent !== 'recovery' && intent !== 'unlock')) return undefined
  return (Object.keys(codeWays) as Way[]).find(
    (way) => codeWays[way].key === challenge?.authenticator && codeWays[way].method === challenge.method,
  )
}

/** The new password is asked for. */
export const renderReset = (at: string, answer: FlowAnswer): Json => ({
  ...headOf(answer),
  status: 'PASSWORD_RESET',
  recoveryType: typeIn(answer),
  _embedded: userIn(answer),
  _links: {
    next: link(`${at}/credentials/reset_password`, 'resetPassword'),
    cancel: link(`${at}/cancel`),
  },
})

/** The security question, where a recovery asks for nothing else; undefined where it does. */
export function renderQuestion(at: string, answer: FlowAnswer): Json | undefined {
  const { intent } = answer.view.progress
  if (intent !== 'recovery' && intent !== 'unlock') return undefined
  const [factor, ...others] = factorsOf(answer)
  if (factor?.kind.factorType !== 'question' || others.length > 0) return undefined
  const { questionText, question } = (factor.authenticator.challenge?.profile?.(
    answer.view,
    factor.enrollment,
  ) ?? {}) as Readonly<Record<string, unknown>>
  const { user } = userIn(answer) as { readonly user?: object }
  return {
    ...headOf(answer),
    status: 'RECOVERY',
    recoveryType: typeIn(answer),
    _embedded: { user: { ...user, recovery_question: { question: questionText ?? question } } },
    _links: { next: link(`${at}/recovery/answer`, 'answer'), cancel: link(`${at}/cancel`) },
  }
}

/** A recovery has ended without a sign-in: nothing is left to do, and there is no session token. */
export const renderDone = (answer: FlowAnswer, recoveryType: 'PASSWORD' | 'UNLOCK'): Json => ({
  status: 'SUCCESS',
  recoveryType,
  ...relayIn(answer),
})

export const headOf = (answer: FlowAnswer): Json => ({
  stateToken: stateTokenOf(answer.context.transaction.stateHandle),
  expiresAt: isoTime(answer.context.transaction.expiresAt),
  ...relayIn(answer),
})
