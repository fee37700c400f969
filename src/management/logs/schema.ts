import { type Static, type TObject, Type } from 'typebox'
import { either, named, textOrNull, time } from '../schema.ts'

export const logQuery = {
  limit: Type.Integer({
    minimum: 1,
    maximum: 1000,
    default: 100,
    description: 'Maximum number of events on a page.',
  }),
  after: Type.Optional(
    Type.String({ description: 'The cursor of the next page, from the Link header with rel="next".' }),
  ),
  since: Type.Optional(Type.String({ description: 'Start of the range, ISO 8601 with a time zone.' })),
  until: Type.Optional(Type.String({ description: 'End of the range, ISO 8601 with a time zone.' })),
  filter: Type.Optional(Type.String({ description: 'For example `eventType eq "user.session.start"`.' })),
  q: Type.Optional(Type.String({ description: 'Words that the events contain.' })),
  sortOrder: Type.Enum(['ASCENDING', 'DESCENDING'], { default: 'ASCENDING' }),
}
export type LogQuery = Static<TObject<typeof logQuery>>

const party = Type.Object({
  id: textOrNull,
  type: Type.String(),
  alternateId: Type.Optional(textOrNull),
  displayName: Type.Optional(textOrNull),
})

export const logEvent = named('LogEvent', {
  uuid: Type.String(),
  published: time,
  version: Type.Literal('0'),
  severity: either('DEBUG', 'INFO', 'WARN', 'ERROR'),
  eventType: Type.String(),
  displayMessage: Type.String(),
  outcome: Type.Object({
    result: either('SUCCESS', 'FAILURE', 'SKIPPED', 'ALLOW', 'DENY', 'CHALLENGE'),
    reason: Type.Optional(textOrNull),
  }),
  actor: party,
  target: Type.Optional(Type.Union([Type.Array(party), Type.Null()])),
  client: Type.Object({
    ipAddress: textOrNull,
    userAgent: Type.Union([Type.Object({ rawUserAgent: Type.String() }), Type.Null()]),
    id: textOrNull,
  }),
  transaction: Type.Object({ type: Type.Literal('WEB'), id: textOrNull }),
  debugContext: Type.Object({ debugData: Type.Record(Type.String(), Type.Unknown()) }),
})
