import {
  type Field,
  type Input,
  isMistyped,
  type Outcome,
  type Progress,
  type Refusal,
  textAt,
} from '../../flow/index.ts'

/** What comes back where a field that must be there is not. */
export const missing = (progress: Progress, field: string): Outcome => ({
  progress,
  refused: { status: 400, key: 'model.validation.field.blank', field },
})

/** What comes back where there is no answer to judge: the first field of the form that is missing, or of another type. */
export const unreadable = (progress: Progress, input: Input, form: readonly Field[]): Outcome => {
  const paths = pathsIn(form)
  return missing(progress, paths.find((path) => !textAt(input, path)) ?? paths[0] ?? '')
}

/** The paths of the fields that a visitor fills in. Of several forms it is the first. */
const pathsIn = (form: readonly Field[], prefix = ''): readonly string[] =>
  form.flatMap(({ name, fields, options, fixed }) => {
    const inner = fields ?? options?.[0]?.fields
    if (inner !== undefined) return pathsIn(inner, `${prefix}${name}.`)
    return fixed === undefined ? [prefix + name] : []
  })

export const badRequest: Refusal = { status: 400, key: 'E0000020' }

/**
 * The identifier as typed, if it can be one at all: one text without control characters, commas or semicolons, and
 * without the escapes that would become one of these if it were decoded once more. A list of addresses must never
 * pass for an address, in whatever way it is written (CVE-2023-7028, CVE-2022-35924).
 */
export function readIdentifier(
  input: Input,
  progress: Progress,
): { readonly identifier: string } | { readonly refused: Outcome } {
  if (isMistyped(input, 'identifier')) return { refused: { progress, refused: badRequest } }
  const identifier = textAt(input, 'identifier')?.trim() ?? ''
  if (identifier === '') return { refused: missing(progress, 'identifier') }
  if (identifier.length > 254 || unusable.test(identifier)) {
    return { refused: { progress, refused: badRequest } }
  }
  return { identifier }
}

const unusable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp},;]|%(?:[01][\da-f]|7f|2c|3b)/iu

/** The answer that no user has this name: only where the configuration reveals it. */
export const unknownUser = (progress: Progress, identifier: string): Outcome => ({
  progress,
  refused: { status: 200, key: 'idx.unknown.user', params: [identifier] },
})
