/** The parts of an OpenAPI 3.1 description that the page shows. */
export interface Document {
  readonly info: { readonly title: string; readonly description?: string }
  readonly servers?: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

export interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema?: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly format?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}

/** A member of a body or answer. */
export interface Member {
  /** With its parents: `profile.login`. */
  readonly name: string
  readonly type: string
  readonly isRequired: boolean
  readonly description: string
}

/** Follows a reference into the components. */
export const resolved = (document: Document, schema: Schema): Schema => {
  const name = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref ?? '')?.[1]
  return (name !== undefined && document.components?.schemas?.[name]) || schema
}

/** The type of a value in words: `text`, `list of User`, `"ACTIVE" or "STAGED"`. */
export function typeOf(document: Document, schema: Schema): string {
  const name = /\/(\w+)$/.exec(schema.$ref ?? '')?.[1]
  if (name !== undefined) return name
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ')
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) {
    return [...new Set(options.map((option) => typeOf(document, option)))].join(' or ')
  }
  const types = [schema.type ?? 'object'].flat()
  return types
    .map((type) => {
      if (type === 'array') return schema.items ? `list of ${typeOf(document, schema.items)}` : 'list'
      return { string: 'text', integer: 'whole number', boolean: 'true or false' }[type] ?? type
    })
    .join(' or ')
}

/** How deep the members of members are listed. */
const deepest = 3

/** The members of an object, or of the items of a list. */
export function membersOf(document: Document, given: Schema, path = '', depth = 0): readonly Member[] {
  const schema = resolved(document, given)
  const [only] = (schema.anyOf ?? schema.oneOf ?? []).filter(({ type }) => type !== 'null')
  const list = schema.type === 'array' ? schema.items : undefined
  if (list !== undefined) return membersOf(document, list, path, depth)
  if (schema.properties === undefined) return only ? membersOf(document, only, path, depth) : []
  return Object.entries(schema.properties).flatMap(([name, member]): readonly Member[] => {
    const full = path === '' ? name : `${path}.${name}`
    return [
      {
        name: full,
        type: typeOf(document, member),
        isRequired: schema.required?.includes(name) ?? false,
        description: member.description ?? resolved(document, member).description ?? '',
      },
      ...(depth + 1 < deepest && !name.startsWith('_') ? membersOf(document, member, full, depth + 1) : []),
    ]
  })
}
