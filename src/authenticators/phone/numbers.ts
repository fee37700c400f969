import type { PhoneNumber } from 'libphonenumber-js'

/** A number that may be one, as it is stored and dialled. */
export interface ReadNumber {
  /** E.164: `+15551234567`. */
  readonly number: string
  /** Without the plus. */
  readonly callingCode: string
  /** ISO 3166-1: the one it is of; of one that is not given out, all that share its calling code; of satellites, none. */
  readonly countries: readonly string[]
  /** Of an office: who answers is asked for it. Such a phone gets no texts. */
  readonly extension?: string
  /** Calling or texting it costs its caller more than its owner: premium rate, shared cost, personal numbers and the like. */
  readonly isPremium: boolean
}

/** Kinds of numbers that the sender pays for, and whose owner may earn by it (A65). */
const premium: readonly string[] = [
  'PREMIUM_RATE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'UAN',
  'PAGER',
  'VOICEMAIL',
]

/** Calling codes of no country: satellites, networks, international premium rate. Calls there are dear. */
const global: readonly string[] = ['800', '808', '870', '878', '881', '882', '883', '888', '979']

// The numbering plans are 60 ms to load, which no start and no command should pay for.
let library: Promise<typeof import('libphonenumber-js/max')> | undefined

/**
 * Reads a number as it was typed, in any spelling, but with its plus and country: `+1 (555) 123-4567`, from some widgets with
 * an extension, `+15551234567x12`. Undefined where it can be none. Numbers that are not given out (555) pass: the plan of
 * a country changes more often than this engine, and tests use them.
 *
 * Every spelling of a number yields one text: only so is there one budget for it.
 */
export async function readNumber(typed: string): Promise<ReadNumber | undefined> {
  const text = typed.normalize('NFKC').trim()
  if (text.length > 60 || !/^\+[\d\s().\-/]+(?:\s*(?:x|ext\.?|;ext=)\s*\d{1,7})?$/i.test(text))
    return undefined
  library ??= import('libphonenumber-js/max')
  const { parsePhoneNumberFromString } = await library
  const parsed = parsePhoneNumberFromString(text, { extract: false })
  return parsed?.isPossible() ? factsOf(parsed) : undefined
}

function factsOf(parsed: PhoneNumber): ReadNumber {
  const { number, countryCallingCode: callingCode, ext } = parsed
  return {
    number,
    callingCode,
    countries: parsed.country === undefined ? parsed.getPossibleCountries() : [parsed.country],
    ...(ext && { extension: ext }),
    isPremium: premium.includes(parsed.getType() ?? '') || global.includes(callingCode),
  }
}

/** Stands in for the number of a user who has none: read like one, so that it takes as long. */
export const noNumber = '+15555550100'

/** The digits that a range of numbers has in common: a thousand of them. */
export const rangeOf = ({ number }: Pick<ReadNumber, 'number'>): string => number.slice(0, -3)

/** Whether codes may be sent to a number, by what kind it is and where. */
export const isServed = (
  { isPremium, countries }: Pick<ReadNumber, 'isPremium' | 'countries'>,
  served: readonly string[],
): boolean => !isPremium && (served.length === 0 || countries.some((country) => served.includes(country)))

/** What a user is shown of a stored number: enough to recognise one's own. */
export const masked = ({ number, callingCode }: Pick<ReadNumber, 'number' | 'callingCode'>): string =>
  `+${callingCode} XXX-XXX-${number.slice(-4)}`
