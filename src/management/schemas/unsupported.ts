import type { SchemaAttribute } from '../../directory/index.ts'

/** What an attribute can say that is kept and does nothing, with the value that says nothing. */
const kept: Readonly<Record<string, string | undefined>> = {
  unique: 'NOT_UNIQUE',
  format: undefined,
  oneOf: undefined,
  minimum: undefined,
  maximum: undefined,
}

/** What of changed attributes is not obeyed, for the log: `name.member`. */
export const unsupportedAttributes = (
  changed: Readonly<Record<string, SchemaAttribute | null>>,
): readonly string[] =>
  Object.entries(changed).flatMap(([name, attribute]) => {
    if (attribute === null) return []
    const masteredElsewhere =
      (attribute.master as { readonly type?: unknown } | undefined)?.type === 'OVERRIDE' ? ['master'] : []
    const said = Object.keys(kept).filter(
      (member) => attribute[member] !== undefined && attribute[member] !== kept[member],
    )
    return [...said, ...masteredElsewhere].map((member) => `${name}.${member}`)
  })
