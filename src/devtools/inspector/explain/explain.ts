import { type FlowFacts, timeIn } from '../facts.ts'
import { isLooking, type Recorded } from '../recorder.ts'
import { type Explanation, moment, say } from './cause.ts'
import { explainEnd } from './ended.ts'
import { explainLink } from './link.ts'
import { explainRefusal } from './refused.ts'
import { explainTokens } from './tokens.ts'
import { explainWaiting } from './waiting.ts'

/** Why a conversation ended, or where it waits. */
export function explain(facts: FlowFacts): Explanation {
  const last = telling(facts)
  const explained =
    (last?.endpoint === 'link' && explainLink(facts, last)) ||
    (last?.endpoint === 'token' && explainTokens(facts, last)) ||
    explainEnd(facts) ||
    explainRefusal(facts, last) ||
    explainWaiting(facts)
  return over(facts, explained)
}

/** The last exchange that tells something: one that only asks how things stand does, if it was refused. */
function telling({ exchanges }: FlowFacts): Recorded | undefined {
  return exchanges.findLast((exchange) => !isLooking(exchange) || exchange.status >= 400)
}

/** A conversation whose time ran out while it waited: what it waited for is told all the same. */
function over({ timeline, now }: FlowFacts, explained: Explanation): Explanation {
  const expiresAt = timeIn(timeline.expiresAt)
  if (timeline.closed !== null || now < expiresAt || explained.cause === 'transaction-expired')
    return explained
  if (explained.cause === 'waiting') {
    return {
      cause: 'transaction-expired',
      tone: 'bad',
      sentence: say`Nobody went on with it: the conversation expired at ${moment(expiresAt)}.`,
      advice: 'The app begins anew with interact.',
    }
  }
  return {
    ...explained,
    tone: explained.tone === 'waiting' ? 'bad' : explained.tone,
    sentence: [...explained.sentence, ...say` The conversation expired at ${moment(expiresAt)}.`],
  }
}
