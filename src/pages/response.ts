/** An IDX response as these pages read it: what they do not read is not here. */
export interface IdxResponse {
  readonly stateHandle?: string
  readonly messages?: Messages
  readonly remediation?: { readonly value: readonly IdxForm[] }
  readonly currentAuthenticator?: { readonly value: Described }
  readonly currentAuthenticatorEnrollment?: { readonly value: Described }
  readonly enrollmentAuthenticator?: { readonly value: Described }
  readonly authenticators?: { readonly value: readonly Described[] }
  readonly authenticatorEnrollments?: { readonly value: readonly Described[] }
  readonly webauthnAutofillUIChallenge?: { readonly value: Readonly<Record<string, unknown>> }
  readonly user?: { readonly value: { readonly identifier?: string } }
  readonly app?: { readonly value: { readonly id?: string; readonly label?: string } }
  readonly cancel?: IdxForm
  readonly [other: string]: unknown
}

export interface IdxMessage {
  readonly message: string
  readonly i18n?: { readonly key: string; readonly params?: readonly (string | number)[] }
  readonly class?: string
}

interface Messages {
  readonly value: readonly IdxMessage[]
}

/** A form: a remediation or an action. */
export interface IdxForm {
  readonly name: string
  readonly href: string
  readonly relatesTo?: readonly string[]
  readonly value?: readonly IdxField[]
}

export interface IdxField {
  readonly name: string
  readonly label?: string
  readonly type?: string
  readonly required?: boolean
  readonly secret?: boolean
  readonly visible?: boolean
  readonly mutable?: boolean
  readonly minLength?: number
  readonly format?: string
  readonly maxLength?: number
  readonly value?: unknown
  readonly form?: { readonly value: readonly IdxField[] }
  readonly options?: readonly IdxOption[]
  readonly messages?: Messages
}

export interface IdxOption {
  readonly label: string
  readonly value?: unknown
  readonly relatesTo?: string | readonly string[]
}

/** An authenticator, or an enrollment of one. */
export interface Described {
  readonly key?: string
  readonly type?: string
  readonly id?: string
  readonly displayName?: string
  readonly nickname?: string
  readonly methods?: readonly { readonly type: string }[]
  readonly profile?: Readonly<Record<string, unknown>>
  readonly contextualData?: Readonly<Record<string, unknown>>
  readonly settings?: unknown
  readonly [action: string]: unknown
}

export const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

/** The fields of a field of fields, wherever they stand; undefined where it has none. */
export function innerOf({ form, value }: IdxField): readonly IdxField[] | undefined {
  if (form !== undefined) return form.value
  const below = membersOf(membersOf(value).form).value
  return Array.isArray(below) ? (below as readonly IdxField[]) : undefined
}

/** The fields of an option that is a form of its own; undefined where it is a plain value. */
export function fieldsOfOption({ value }: IdxOption): readonly IdxField[] | undefined {
  const below = membersOf(membersOf(value).form).value
  return Array.isArray(below) ? (below as readonly IdxField[]) : undefined
}

/** The options that are forms, of which a visitor fills one; undefined where there are none. */
export function formsOf({ options = [] }: IdxField): readonly IdxOption[] | undefined {
  const forms = options.filter((option) => fieldsOfOption(option) !== undefined)
  return forms.length > 0 ? forms : undefined
}

interface Display {
  readonly inputType?: string
  readonly format?: string
}

/** How a field wants to be shown, and the values to choose from. */
export function shownAs(field: IdxField): {
  readonly display?: Display
  readonly values: readonly { readonly label: string; readonly value: string }[]
} {
  const [first] = field.options ?? []
  if (first?.label === 'display') {
    const { options, ...display } = membersOf(membersOf(first.value).value)
    return { display, values: valuesIn(options) }
  }
  return { values: valuesIn(field.options) }
}

const valuesIn = (options: unknown): readonly { readonly label: string; readonly value: string }[] =>
  (Array.isArray(options) ? (options as readonly IdxOption[]) : []).flatMap(({ label, value }) =>
    typeof value === 'string' ? [{ label, value }] : [],
  )

/** Whether a field is sent back as it is. */
export const isFixed = ({ mutable, value }: IdxField): boolean =>
  mutable === false && typeof value === 'string'

/** The part of the response that a form is about. */
export const currentOf = (response: IdxResponse): Described =>
  response.currentAuthenticatorEnrollment?.value ?? response.currentAuthenticator?.value ?? {}

/** What a path such as `$.authenticators.value[0]` leads to. */
export function partAt(response: IdxResponse, path: string | readonly string[] | undefined): Described {
  const text = typeof path === 'string' ? path : (path?.[0] ?? '')
  let part: unknown = response
  for (const [, name, index] of text.replace(/^\$/, '').matchAll(/\.(\w+)|\[(\d+)\]/g)) {
    part =
      name === undefined ? (Array.isArray(part) ? part[Number(index)] : undefined) : membersOf(part)[name]
  }
  return membersOf(part)
}

/** The names of actions that these pages offer. The others, such as `poll`, are for programs. */
const actions = ['recover', 'resend'] as const

/**
 * All forms that a visitor may send: the remediations, then the actions on what is asked for, then the way
 * out.
 */
export function formsIn(response: IdxResponse): readonly IdxForm[] {
  const current = [response.currentAuthenticatorEnrollment?.value, response.currentAuthenticator?.value]
  return [
    ...(response.remediation?.value ?? []),
    ...current.flatMap((part) =>
      actions.flatMap((name) => {
        const form = part?.[name]
        return typeof form === 'object' && form !== null ? [form as IdxForm] : []
      }),
    ),
    ...(response.cancel === undefined ? [] : [response.cancel]),
  ]
}

/** The path below `/idp/idx/` that a form is sent to. */
export const pathOf = ({ href }: IdxForm): string => href.split('/idp/idx/')[1] ?? ''
