import { type Static, Type } from 'typebox'
import { durationIn } from '../base/index.ts'

/** A hundred years at most, for `without end`: what is longer is no time that a database has. */
const span = (description: string, defaultValue: string) =>
  Type.String({ description, default: defaultValue, ...durationIn('1m', '36500d', '`12h` or `90d`') })

/** The slice of the configuration about the system log. */
export const eventsOptions = Type.Object(
  {
    retention: span('How long events are stored. Older ones are deleted, a minute later at most.', '90d'),
    unknownRetention: span(
      'How long events are stored that anyone can cause, if that is shorter: those of unknown users (wrong names, mails to no address), and that a recovery was begun or a transaction cancelled.',
      '1d',
    ),
  },
  { default: {} },
)

export type EventsOptions = Static<typeof eventsOptions>
