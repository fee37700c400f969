import { type FlowFacts, timeIn } from '../facts.ts'
import { isPoll, type Recorded } from '../recorder.ts'
import { type Explanation, moment, say } from './cause.ts'
import { explainEnd } from './ended.ts'
import { explainLink } from './link.ts'
import { explainRefusal } from './refused.ts'
import { explainTokens } from './tokens.ts'
import { explainWaiting } from './waiting.ts'

/** Explains why a transaction ended, or what it waits for. */
export function explain(facts: FlowFacts): Explanation {
  const last = lastSignificant(facts)
  const explained =
    (last?.endpoint === 'link' && explainLink(facts, last)) ||
    (last?.endpoint === 'token' && explainTokens(facts, last)) ||
    explainEnd(facts) ||
    explainRefusal(facts, last) ||
    explainWaiting(facts)
  return withExpiry(facts, explained)
}

/** The last exchange that explains something. A poll counts only if it was refused. */
function lastSignificant({ exchanges }: FlowFacts): Recorded | undefined {
  return exchanges.findLast((exchange) => !isPoll(exchange) || exchange.status >= 400)
}

/** Adds the expiry to the explanation of a transaction that expired while it was waiting. */
function withExpiry({ timeline, now }: FlowFacts, explained: Explanation): Explanation {
  const expiresAt = timeIn(timeline.expiresAt)
  if (timeline.closed !== null || now < expiresAt || explained.cause === 'transaction-expired')
    return explained
  if (explained.cause === 'waiting') {
    return {
      cause: 'transaction-expired',
      tone: 'bad',
      sentence: say`The transaction was not continued and expired at ${moment(expiresAt)}.`,
      advice: 'Start again with interact.',
    }
  }
  return {
    ...explained,
    tone: explained.tone === 'waiting' ? 'bad' : explained.tone,
    sentence: [...explained.sentence, ...say` The transaction expired at ${moment(expiresAt)}.`],
  }
}
