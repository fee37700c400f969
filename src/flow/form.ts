import type { FieldDisplay } from '../registration/index.ts'

/** What a step asks for, without the protocol's form of it: `idx/wire` turns it into a form. */
export interface Field {
  readonly name: string
  readonly label?: string
  readonly type?: 'string' | 'boolean' | 'object'
  readonly required?: boolean
  readonly secret?: boolean
  /** What the field has to begin with; the user may change it. */
  readonly value?: string | boolean | undefined
  /** The value that is sent back unchanged. */
  readonly fixed?: string | true
  /** The key of the label's words, where they are the engine's own. */
  readonly labelKey?: string
  /** What the label says, in a sentence more. */
  readonly desc?: string
  /** Not shown: filled in by the page, or sent back as it is. */
  readonly hidden?: true
  /** The values that it may have. */
  readonly values?: readonly { readonly label: string; readonly value: string | boolean }[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly format?: 'alphanumeric'
  /** How a field is shown that can be shown in several ways, with the values to choose from. */
  readonly display?: FieldDisplay
  /** Which program of the page fills it in. */
  readonly hint?: string
  /** The member of the response that the field is about, by its name. */
  readonly part?: string
  /** The fields are about the authenticator that stands in the response: the password of a form that is about more. */
  readonly ofAuthenticator?: true
  /** A field of fields. */
  readonly fields?: readonly Field[]
  /** Where the fields stand on the wire: some clients read one form below `value`. */
  readonly fieldsBelow?: 'form' | 'value'
  readonly options?: readonly Option[]
}

/** One of several forms of which a visitor fills one. */
export interface Option {
  readonly label: string
  readonly fields: readonly Field[]
  /** The authenticator that the option stands for, where it stands for one. */
  readonly authenticator?: string
  /** Which enrollment of it, where each is an option of its own. */
  readonly enrollmentId?: string | undefined
}

/** What a visitor sent, checked to be an object; each step reads its own fields from it. */
export type Input = Readonly<Record<string, unknown>>

/** The text at a path such as `credentials.passcode`, or undefined where there is no text. */
export function textAt(input: Input, path: string): string | undefined {
  const value = valueAt(input, path)
  return typeof value === 'string' ? value : undefined
}

/** Whether a path holds something that is not a text: an array, an object, a number. Absent and null are fine. */
export function isMistyped(input: Input, path: string): boolean {
  const value = valueAt(input, path)
  return value !== undefined && value !== null && typeof value !== 'string'
}

export function valueAt(input: Input, path: string): unknown {
  let value: unknown = input
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
      return undefined
    }
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
