import type { Outcome } from './outcome.ts'
import type { Closing, Progress } from './progress.ts'

/** The end of a transaction, as it is counted in metrics: how many, never whose. */
export interface FlowOutcome {
  readonly intent: Progress['intent']
  readonly outcome: (typeof flowOutcomes)[number]
}

export const flowOutcomes = [
  'started',
  'granted',
  'recovered',
  'unlocked',
  'denied',
  'too_many_attempts',
  'cancelled',
  'expired',
] as const

const ends: Readonly<Partial<Record<Closing, FlowOutcome['outcome']>>> = {
  completed: 'granted',
  recovered: 'recovered',
  unlocked: 'unlocked',
  denied: 'denied',
  locked: 'too_many_attempts',
  cancelled: 'cancelled',
  declined: 'cancelled',
  unmet: 'denied',
}

/**
 * What a move counts as. A transaction starts once a user is named, known or not, and anew where a sign-in turns into
 * a recovery: a page that is looked at is no sign-in.
 */
export function flowOutcomesOf(before: Progress, { progress: after }: Outcome): readonly FlowOutcome[] {
  const { intent, subject, closed } = after
  const starts = subject !== undefined && (before.subject === undefined || before.intent !== intent)
  // What never started does not end either: the counters of one intent add up.
  const ended = subject === undefined || before.closed !== undefined ? undefined : closed
  const end = ended && ends[ended]
  // An unlock that goes on to the sign-in is over as an unlock.
  const goesOn = before.intent === 'unlock' && intent === 'sign-in' && subject !== undefined
  return [
    ...(goesOn ? [{ intent: 'unlock', outcome: 'unlocked' } as const] : []),
    ...(starts ? [{ intent, outcome: 'started' } as const] : []),
    ...(end === undefined ? [] : [{ intent, outcome: end }]),
  ]
}
