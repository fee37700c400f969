import { isoTime } from '../base/index.ts'
import type { FlowAnswer } from '../flow/index.ts'
import { type Factor, factorAsked, factorsOf } from './factors.ts'
import { stateTokenOf } from './read.ts'
import { type Json, link, relayIn, userIn } from './render-parts.ts'
import { codeAsked, renderCodeSent, renderQuestion, renderReset } from './render-recovery.ts'

/** The end: the token is shown here and nowhere else. */
export const renderSuccess = (
  answer: FlowAnswer,
  { token, expiresAt }: { readonly token: string; readonly expiresAt: number },
): Json => ({
  expiresAt: isoTime(expiresAt),
  status: 'SUCCESS',
  ...relayIn(answer),
  sessionToken: token,
  _embedded: userIn(answer),
})

/** What the caller is asked for. Undefined: something that this API cannot do. */
export function renderState(base: string, answer: FlowAnswer): Json | undefined {
  const { context, view } = answer
  const at = `${base}/api/v1/authn`
  const head = {
    stateToken: stateTokenOf(context.transaction.stateHandle),
    expiresAt: isoTime(context.transaction.expiresAt),
    ...relayIn(answer),
  }
  const cancel = { cancel: link(`${at}/cancel`) }
  const next = { next: link(`${at}/credentials/change_password`, 'changePassword') }
  switch (view.stage) {
    case 'reenroll':
      return {
        ...head,
        status: 'PASSWORD_EXPIRED',
        _embedded: userIn(answer),
        _links: { ...next, ...cancel },
      }
    case 'reenroll-warning':
      return {
        ...head,
        status: 'PASSWORD_WARN',
        _embedded: userIn(answer),
        _links: { ...next, skip: link(`${at}/skip`, 'skip'), ...cancel },
      }
    case 'reset':
      return renderReset(at, answer)
    case 'select':
    case 'verify-data':
    case 'verify': {
      const way = codeAsked(answer)
      if (way !== undefined) return renderCodeSent(base, answer, way)
      return renderQuestion(at, answer) ?? { ...head, ...factorState(at, answer, cancel) }
    }
    default:
      return undefined
  }
}

/** Which factor is asked for, or the choice of them where nothing has been sent. */
function factorState(at: string, answer: FlowAnswer, cancel: Json): Json | undefined {
  const asked = factorAsked(answer)
  if (asked?.kind.sends !== undefined) {
    const verify = `${at}/factors/${asked.id}/verify`
    return {
      status: 'MFA_CHALLENGE',
      factorResult: 'CHALLENGE',
      _embedded: { ...userIn(answer), factor: renderFactor(at, answer, asked) },
      _links: {
        next: link(verify, 'verify'),
        resend: [link(`${verify}/resend`, asked.kind.sends)],
        prev: link(`${at}/previous`),
        ...cancel,
      },
    }
  }
  return renderFactors(at, answer, cancel)
}

function renderFactors(at: string, answer: FlowAnswer, cancel: Json): Json {
  const factors = factorsOf(answer).map((factor) => renderFactor(at, answer, factor))
  return {
    status: 'MFA_REQUIRED',
    _embedded: { ...userIn(answer), factors },
    _links: cancel,
  }
}

/** The choice again, for a caller that goes back. What was sent stays good until something else is. */
export function renderPrevious(base: string, answer: FlowAnswer): Json | undefined {
  const shown = renderState(base, answer)
  const at = `${base}/api/v1/authn`
  if (shown?.status !== 'MFA_CHALLENGE') return shown
  const { stateToken, expiresAt } = shown
  return {
    ...{ stateToken, expiresAt },
    ...relayIn(answer),
    ...renderFactors(at, answer, { cancel: link(`${at}/cancel`) }),
  }
}

const renderFactor = (at: string, { view }: FlowAnswer, { id, authenticator, enrollment, kind }: Factor) => ({
  id,
  factorType: kind.factorType,
  provider: kind.provider,
  vendorName: kind.vendorName,
  profile: authenticator.challenge?.profile?.(view, enrollment) ?? {},
  _links: { verify: link(`${at}/factors/${id}/verify`) },
})
