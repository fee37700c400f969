import type { Effect } from './outcome.ts'

/** The same effects, of which none reaches a user: what is sent is written without a recipient, and costs the same (A02). */
export const unaddressed = (effects: readonly Effect[]): readonly Effect[] => effects.map(withoutRecipient)

function withoutRecipient(effect: Effect): Effect {
  switch (effect.type) {
    case 'mail.queue':
      return { ...effect, mail: { ...effect.mail, recipient: null, personId: null } }
    case 'text.queue':
      return { ...effect, message: { ...effect.message, recipient: null, personId: null } }
    default:
      return sendsNothing(effect)
  }
}

/** A new way to send does not compile without its case above. */
const sendsNothing = (effect: Exclude<Effect, { readonly type: `${string}.queue` }>): Effect => effect
