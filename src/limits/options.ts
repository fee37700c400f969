import { type Static, Type } from 'typebox'

/** The budgets slice of the configuration. Counts are per window; windows are fixed. */
export const limitsOptions = Type.Object(
  {
    codesPerDay: Type.Integer({
      description:
        'Wrong short codes a person survives in a day; further short codes are wrong whatever they are, and mails carry long ones.',
      default: 20,
      minimum: 1,
    }),
    codesUntilSuccess: Type.Integer({
      description: 'Wrong short codes a person survives until she next succeeds.',
      default: 100,
      minimum: 1,
    }),
    passwordsPerHour: Type.Integer({
      description:
        'Wrong passwords a person survives in an hour; further ones are wrong whatever they are. A recovery clears it.',
      default: 20,
      minimum: 1,
    }),
    mailsPerRecipient: Type.Integer({
      description: 'Mails that anybody can cause to one recipient in 10 minutes.',
      default: 5,
      minimum: 1,
    }),
  },
  { default: {} },
)

export type LimitsOptions = Static<typeof limitsOptions>
