import type { FlowFacts } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say, span } from './cause.ts'

/** How far an SDK lets a token's times be from its own clock, in milliseconds. */
const toleratedMs = 300_000

/** What became of the interaction code at the token endpoint. */
export function explainTokens(facts: FlowFacts, redeemed: Recorded): Explanation {
  const at = moment(redeemed.at)
  if (redeemed.status < 400) return explainSuccess(facts, redeemed)
  const earlier = facts.exchanges.find(
    ({ endpoint, status, at }) => endpoint === 'token' && status < 400 && at <= redeemed.at,
  )
  const refusals: Readonly<Record<string, Explanation>> = {
    used: bad(
      'code-used-twice',
      earlier === undefined
        ? say`The interaction code that was redeemed at ${at} had been redeemed before, so the tokens of the first time were revoked.`
        : say`The interaction code was redeemed at ${moment(earlier.at)} and once more at ${at}, so the tokens of the first time were revoked.`,
      'A code is redeemed once. A page that is loaded twice, or an effect that runs twice, redeems it twice.',
    ),
    expired: bad(
      'code-redeemed-late',
      grantedAt(facts, redeemed) === undefined
        ? say`The interaction code had expired when it was redeemed at ${at}.`
        : say`The interaction code was handed out at ${moment(grantedAt(facts, redeemed) ?? 0)} and redeemed at ${at}: it had expired.`,
      'A code is redeemed at once; by default it is good for 60 seconds.',
    ),
    verifier: bad(
      'verifier-wrong',
      say`The code verifier sent at ${at} is not the one that the conversation was begun with.`,
      'The app sent the verifier of another attempt: it is kept for each interaction and read back for the same one.',
    ),
    client: bad(
      'client-wrong',
      say`The interaction code was redeemed at ${at} by ${redeemed.clientId ?? 'another client'}; it was made for ${facts.timeline.clientId}.`,
      'interact and token use the same client id.',
    ),
    issuer: bad(
      'client-wrong',
      say`The interaction code was redeemed at ${at} at another authorization server than the one it was made by.`,
      'interact and token are called below the same issuer.',
    ),
    redirect_uri: bad(
      'redirect-uri-wrong',
      say`The redirect URI sent at ${at} differs from the one that the conversation was begun with.`,
      'token sends the very redirect_uri that interact sent, or none.',
    ),
    'client secret': bad(
      'client-secret-wrong',
      say`The interaction code was not redeemed at ${at}: the client did not prove itself with its secret.`,
      'Compare the app’s client secret with the registered one.',
    ),
  }
  return (
    refusals[redeemed.reason ?? ''] ??
    bad('session-over', say`The interaction code was refused at ${at}: the session behind it is over.`)
  )
}

function explainSuccess(facts: FlowFacts, { at, tokensAheadMs = 0 }: Recorded): Explanation {
  const ahead = tokensAheadMs > 0
  if (Math.abs(tokensAheadMs) > toleratedMs) {
    return bad(
      'clock-skew',
      say`The tokens of ${moment(at)} tell times that are ${span(Math.abs(tokensAheadMs))} ${ahead ? 'ahead of' : 'behind'} the clock of this machine, and an SDK refuses more than ${span(toleratedMs)}.`,
      'Set both clocks right. In tests, leave `tokens` at `real`: then the moved clock does not show in tokens.',
    )
  }
  const what = facts.timeline.intent === 'recovery' ? 'The password was set and the person' : 'The person'
  return {
    cause: 'signed-in',
    tone: 'good',
    sentence: say`${what} signed in; the app got its tokens at ${moment(at)}.`,
  }
}

const grantedAt = ({ exchanges }: FlowFacts, before: Recorded): number | undefined =>
  exchanges.findLast(({ offered, at }) => offered.includes('successWithInteractionCode') && at <= before.at)
    ?.at
