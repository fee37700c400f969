/** Parts of the schemas of bodies, responses and query parameters. */
import { type TProperties, type TSchema, Type } from 'typebox'
import { hasInvisible, isOneVisibleLine } from '../base/index.ts'
import { invisibleText } from './input.ts'

/** A schema by which OpenAPI documents name it in `components`. Names are unique. */
export const named = <T extends TProperties>(title: string, members: T, options: object = {}) =>
  Type.Object(members, { title, ...options })

/** For responses: no members but those that are listed. */
export const closed = { additionalProperties: false } as const

/** A member that may be absent; null is the same as absent, as in Okta's API. */
export const optional = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))

export const either = <const T extends string[]>(...values: [...T]) => Type.Enum(values)

/** A string that is not blank. */
export const filled = (maxLength: number, options: object = {}) =>
  Type.String({ minLength: 1, maxLength, pattern: '\\S', ...options })

const visibly = (schema: ReturnType<typeof filled>, isVisible: (text: string) => boolean) =>
  Type.Refine(schema, isVisible, () => invisibleText)

/** A name that is displayed: one line, without invisible characters but those that join emoji and the letters of a script. */
export const displayed = (maxLength: number, options: object = {}) =>
  visibly(filled(maxLength, options), isOneVisibleLine)

/** A name that is compared with others: without any invisible character, so that no two of them look the same. */
export const compared = (maxLength: number, options: object = {}) =>
  visibly(filled(maxLength, options), (text) => !hasInvisible(text))

export const texts = Type.Array(Type.String(), { maxItems: 200 })
export const textOrNull = Type.Union([Type.String(), Type.Null()])
export const time = Type.String({ format: 'date-time' })
export const timeOrNull = Type.Union([time, Type.Null()])
export const anything = Type.Record(Type.String(), Type.Unknown())
export const status = either('ACTIVE', 'INACTIVE')
export const links = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Links to related resources and operations.',
})

/** The query parameters of a list. */
export const page = {
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'Maximum number of items on a page.' })),
  after: Type.Optional(
    Type.String({ description: 'The cursor of the next page, from the Link header with rel="next".' }),
  ),
}

/** A query parameter that searches. An empty one is refused: it is a mistake and must not match everything. */
export const criteria = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))
