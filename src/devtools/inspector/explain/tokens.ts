import type { FlowFacts } from '../facts.ts'
import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say, span } from './cause.ts'

/** The largest difference between the times in a token and the clock that the SDK accepts, in milliseconds. */
const toleratedMs = 300_000

/** Explains the redemption of an interaction code at the token endpoint. */
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
        ? say`The interaction code that was redeemed at ${at} had been redeemed before, so the tokens of the first redemption were revoked.`
        : say`The interaction code was redeemed at ${moment(earlier.at)} and again at ${at}, so the tokens of the first redemption were revoked.`,
      'A code can be redeemed once. A page that is loaded twice, or an effect that runs twice, redeems it twice.',
    ),
    expired: bad(
      'code-redeemed-late',
      grantedAt(facts, redeemed) === undefined
        ? say`The interaction code had expired when it was redeemed at ${at}.`
        : say`The interaction code was issued at ${moment(grantedAt(facts, redeemed) ?? 0)} and redeemed at ${at}: it had expired.`,
      'Redeem a code at once; by default it is valid for 60 seconds.',
    ),
    verifier: bad(
      'verifier-wrong',
      say`The code verifier sent at ${at} does not match the code challenge of the interaction.`,
      'The app sent the verifier of another attempt: store it per interaction.',
    ),
    client: bad(
      'client-wrong',
      say`The interaction code was redeemed at ${at} by ${redeemed.clientId ?? 'another client'}; it was issued to ${facts.timeline.clientId}.`,
      'Use the same client id for interact and token.',
    ),
    issuer: bad(
      'client-wrong',
      say`The interaction code was redeemed at ${at} at another authorization server than the one that issued it.`,
      'Call interact and token of the same issuer.',
    ),
    redirect_uri: bad(
      'redirect-uri-wrong',
      say`The redirect URI sent at ${at} differs from that of interact.`,
      'Send the same redirect_uri to token as to interact, or none.',
    ),
    'client secret': bad(
      'client-secret-wrong',
      say`The interaction code was not redeemed at ${at}: client authentication failed.`,
      'Compare the client secret of the app with the registered one.',
    ),
  }
  const known = refusals[redeemed.reason ?? '']
  if (known !== undefined) return known
  return redeemed.reason === undefined || redeemed.reason === 'session'
    ? bad('session-over', say`The interaction code was refused at ${at}: its session has ended.`)
    : bad('token-refused', say`The interaction code was refused at ${at}: ${redeemed.reason}`)
}

function explainSuccess(facts: FlowFacts, { at, tokensAheadMs = 0 }: Recorded): Explanation {
  const ahead = tokensAheadMs > 0
  if (Math.abs(tokensAheadMs) > toleratedMs) {
    return bad(
      'clock-skew',
      say`The times in the tokens issued at ${moment(at)} are ${span(Math.abs(tokensAheadMs))} ${ahead ? 'ahead of' : 'behind'} the clock of this machine, and the SDK accepts at most ${span(toleratedMs)}.`,
      'Correct both clocks. In tests, leave `tokens` at `real`: then moving the clock does not change the times in tokens.',
    )
  }
  const befores: Readonly<Partial<Record<typeof facts.timeline.intent, string>>> = {
    recovery: 'The password was set and the user',
    registration: 'The account was made and its user',
  }
  const what = befores[facts.timeline.intent] ?? 'The user'
  return {
    cause: 'signed-in',
    tone: 'good',
    sentence: say`${what} signed in; the app got its tokens at ${moment(at)}.`,
  }
}

const grantedAt = ({ exchanges }: FlowFacts, before: Recorded): number | undefined =>
  exchanges.findLast(({ offered, at }) => offered.includes('successWithInteractionCode') && at <= before.at)
    ?.at
