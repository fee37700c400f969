// Times and durations in the notation of a language. `Intl` accepts epoch milliseconds directly.

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

// Formatters are cached: creating one costs a hundred times more than using it. Languages, zones and units are few.
const numberFormats = new Map<string, Intl.NumberFormat>()
const dateFormats = new Map<string, Intl.DateTimeFormat>()
/** What was formatted last: many mails have the same lifetime, and go out within the same minute. */
const texts = new Map<string, { readonly of: number; readonly text: string }>()

const minute = 60_000

function numberFormat(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`
  const format = numberFormats.get(key) ?? new Intl.NumberFormat(language, options)
  numberFormats.set(key, format)
  return format
}

function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`
  const format = dateFormats.get(key) ?? new Intl.DateTimeFormat(language, options)
  dateFormats.set(key, format)
  return format
}

/** The text of a value: the last one of its kind where it was of the same value. */
function textOf(kind: string, of: number, format: () => string): string {
  const last = texts.get(kind)
  if (last?.of === of) return last.text
  const text = format()
  texts.set(kind, { of, text })
  return text
}

/** A duration in its largest whole unit: 300000 is `5 minutes`, 5400000 is `90 minutes`. The minimum is one second. */
export const spanInWords = (language: string, ms: number): string =>
  textOf(`span ${language}`, ms, () => {
    const whole = Math.max(1, Math.round(ms / 1000)) * 1000
    const [unit, size] = units.find(([, size]) => whole % size === 0) ?? ['second', 1000]
    return numberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(whole / size)
  })

/** The date of a time (epoch milliseconds), such as `November 22, 2026`. */
export const dateInWords = (language: string, at: number, timeZone = 'UTC'): string =>
  textOf(`date ${language} ${timeZone}`, Math.floor(at / minute), () =>
    dateFormat(language, { dateStyle: 'long', timeZone }).format(at),
  )

/** The time of day of a time (epoch milliseconds) with its zone, such as `2:05 PM UTC`. */
export const timeInWords = (language: string, at: number, timeZone = 'UTC'): string =>
  textOf(`time ${language} ${timeZone}`, Math.floor(at / minute), () =>
    dateFormat(language, {
      hour: 'numeric',
      minute: '2-digit',
      timeZone,
      timeZoneName: 'short',
    }).format(at),
  )

const rightToLeft = new Set(['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'])

/** The writing direction of a language, by its most likely script. */
export const directionOf = (language: string): 'ltr' | 'rtl' =>
  rightToLeft.has(new Intl.Locale(language).maximize().script ?? '') ? 'rtl' : 'ltr'

/** Whether a text is a language tag (BCP 47), such as `de` or `pt-BR`. */
export function isLanguageTag(text: string): boolean {
  try {
    return /^[a-z]{2,3}(-|$)/i.test(text) && Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false
  }
}
