import type { Party } from '../../audit/index.ts'
import { record } from '../../audit/index.ts'
import type { Random, Secrets } from '../../base/index.ts'
import { queueMail, queueText } from '../../delivery/index.ts'
import { advanceCounter, rehashEnrollment, updatePerson, useEnrollment } from '../../directory/index.ts'
import { clearBudgets } from '../../limits/index.ts'
import { queuedEvents, textEvents } from '../../people/index.ts'
import { StaleRead, type Tx } from '../../storage/index.ts'
import type { Effect } from '../outcome.ts'

/** Outside of a transaction of the flow: what the factors API of the management API does. */
export interface FactorWork {
  readonly tx: Tx
  readonly secrets: Secrets
  readonly random: Random
  readonly now: number
  /** The caller, for the log. */
  readonly by: Party
}

/**
 * Carries out effects of a `ManagedFactor` in the caller's database transaction, which holds the user's row. What needs a
 * transaction of the flow, and what the caller writes itself (enrollments), is no effect of a factor: it throws.
 */
export async function carryOutFactorEffects(work: FactorWork, effects: readonly Effect[]): Promise<void> {
  for (const effect of effects) await carryOut(work, effect)
}

async function carryOut({ tx, secrets, random, now, by }: FactorWork, effect: Effect): Promise<void> {
  switch (effect.type) {
    case 'mail.queue': {
      const { template, personId } = effect.mail
      const mail = await queueMail(tx, { ...effect.mail, transactionId: null }, { secrets, random, now })
      const queued = {
        eventType: queuedEvents[template],
        displayMessage: 'Email queued',
        outcome: { result: 'SUCCESS' },
        actor: by,
        target: personId === null ? [] : [{ id: personId, type: 'User' as const }],
        debugData: { mail, template },
      } as const
      return record(tx, queued, { random, now })
    }
    case 'text.queue': {
      const { channel, template, personId } = effect.message
      const mail = await queueText(tx, { ...effect.message, transactionId: null }, { secrets, random, now })
      const queued = {
        eventType: textEvents[channel][template],
        displayMessage: channel === 'sms' ? 'SMS message queued' : 'Call queued',
        outcome: { result: 'SUCCESS' },
        actor: by,
        target: personId === null ? [] : [{ id: personId, type: 'User' as const }],
        debugData: { mail, template },
      } as const
      return record(tx, queued, { random, now })
    }
    case 'enrollment.use':
      return useEnrollment(tx, effect.id, now)
    case 'enrollment.advance':
      // A code that was used a moment ago is checked anew, and found used: one success for each code (A66).
      if (!(await advanceCounter(tx, effect, now))) throw new StaleRead(`enrollment ${effect.id}`)
      return
    case 'enrollment.rehash':
      await rehashEnrollment(tx, effect, now)
      return
    case 'person.update':
      await updatePerson(tx, effect.personId, effect.changes, now, effect.from)
      return
    case 'budget.clear':
      return clearBudgets(tx, [effect])
    case 'audit.record':
      return record(tx, effect.event, { random, now })
    default:
      throw new Error(`${effect.type} is no effect of a factor`)
  }
}
