import { expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import { type EventFilter, filterAttributes } from '../audit/index.ts'
import { ProtocolError } from '../base/index.ts'
import { parseEventFilter } from './filter.ts'

const type = { attribute: 'eventType', is: 'user.session.start' }
const failed = { attribute: 'outcome.result', is: 'FAILURE' }
const mary = { attribute: 'actor.id', is: '00u1' }

test.each([
  ['eventType eq "user.session.start"', type],
  ['  EVENTTYPE EQ "user.session.start"  ', type],
  ['(eventType eq "user.session.start")', type],
  ['eventType eq "user.session.start" and outcome.result eq "FAILURE"', { every: [type, failed] }],
  [
    'eventType eq "user.session.start" or outcome.result eq "FAILURE" and actor.id eq "00u1"',
    { some: [type, { every: [failed, mary] }] },
  ],
  [
    '(eventType eq "user.session.start" or outcome.result eq "FAILURE") and actor.id eq "00u1"',
    { every: [{ some: [type, failed] }, mary] },
  ],
  ['actor.id eq "a \\"quoted\\" \\\\ text"', { attribute: 'actor.id', is: 'a "quoted" \\ text' }],
  ['target.id eq ""', { attribute: 'target.id', is: '' }],
])('%s is parsed', (text, filter) => {
  expect(parseEventFilter(text)).toEqual(filter)
})

test.each([
  [''],
  ['eventType'],
  ['eventType eq'],
  ['eventType eq user.session.start'],
  ["eventType eq 'user.session.start'"],
  ['eventType eq "user.session.start'],
  ['eventType eq "a" "b"'],
  ['eventType eq "a" and'],
  ['and eventType eq "a"'],
  ['eventType eq "a" xor eventType eq "b"'],
  ['not (eventType eq "a")'],
  ['eventType ne "a"'],
  ['eventType sw "a"'],
  ['published eq "2030"'],
  ['__proto__ eq "a"'],
  ['constructor eq "a"'],
  ['(eventType eq "a"'],
  ['eventType eq "a")'],
  ['()'],
  ['eventType eq "a\u0000b"'],
  ['eventType eq "a\\u0000b"'],
  ['eventType eq "a"; drop table events'],
  [`${'('.repeat(11)}eventType eq "a"${')'.repeat(11)}`],
  [Array(51).fill('eventType eq "a"').join(' or ')],
  [`eventType eq "${'a'.repeat(2000)}"`],
])('%s is refused', (text) => {
  expect(() => parseEventFilter(text)).toThrow(expect.objectContaining({ status: 400, code: 'E0000053' }))
})

const comparison: fc.Arbitrary<EventFilter> = fc.record({
  attribute: fc.constantFrom(...filterAttributes),
  is: fc.stringMatching(/^[a-zA-Z0-9 .@"\\/-]{0,12}$/),
})
const written = (filter: EventFilter): string =>
  'every' in filter
    ? `(${filter.every.map(written).join(' and ')})`
    : 'some' in filter
      ? `(${filter.some.map(written).join(' or ')})`
      : `${filter.attribute} eq ${JSON.stringify(filter.is)}`

test('a filter that is written as text parses to the same filter', () => {
  const several = fc.array(comparison, { minLength: 2, maxLength: 4 })
  const filters = fc.oneof(
    comparison,
    several.map((every) => ({ every })),
    fc.tuple(several, several).map(([left, right]) => ({ some: [{ every: left }, ...right] })),
  )
  fc.assert(
    fc.property(filters, (filter) => {
      expect(parseEventFilter(written(filter))).toEqual(filter)
    }),
  )
})

test('any text is parsed or refused, and never fails otherwise', () => {
  const piece = fc.constantFrom('(', ')', ' and ', ' or ', 'eventType', ' eq ', '"a"', '"', '\\', ' ', 'é')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        parseEventFilter(pieces.join(''))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
    { numRuns: 500 },
  )
})
