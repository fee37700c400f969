import type { SchemaAttribute } from '../../directory/index.ts'

/** Members that are stored without effect, with their default values. */
const unsupported: Readonly<Record<string, string | undefined>> = {
  unique: 'NOT_UNIQUE',
  format: 'email',
  oneOf: undefined,
  minimum: undefined,
  maximum: undefined,
}

/** The unsupported settings of changed attributes, for the log: `name.member`. */
export const unsupportedAttributes = (
  changed: Readonly<Record<string, SchemaAttribute | null>>,
): readonly string[] =>
  Object.entries(changed).flatMap(([name, attribute]) => {
    if (attribute === null) return []
    const masteredElsewhere =
      (attribute.master as { readonly type?: unknown } | undefined)?.type === 'OVERRIDE' ? ['master'] : []
    const members = Object.keys(unsupported).filter(
      (member) => attribute[member] !== undefined && attribute[member] !== unsupported[member],
    )
    return [...members, ...masteredElsewhere].map((member) => `${name}.${member}`)
  })
