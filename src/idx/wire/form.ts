import type { Field, Option } from '../../flow/index.ts'
import type { FieldDisplay } from '../../registration/index.ts'
import type { WireMessage } from './messages.ts'

/** The media types of the protocol. */
export const ion = 'application/ion+json; okta-version=1.0.0'
const json = 'application/json; okta-version=1.0.0'

export interface FieldMessage {
  readonly field: string
  readonly value: WireMessage
}

interface FormParts {
  readonly name: string
  /** Absolute. */
  readonly href: string
  readonly fields: readonly Field[]
  readonly stateHandle: string
  /** Path of the part of the response that the form is about. */
  readonly relatesTo?: string
  /** How long to wait between two submissions, in milliseconds. */
  readonly refresh?: number | undefined
  /** Messages on fields: the path of the field, and the message. */
  readonly messages?: readonly FieldMessage[]
  /** What the form has beside its fields. */
  readonly members?: Readonly<Record<string, unknown>>
  /** The path of the part of the response that an option is about. */
  optionPath?(option: Option): string
}

/** A form as the protocol writes it (ION). */
export function wireForm(parts: FormParts): Record<string, unknown> {
  return {
    rel: ['create-form'],
    name: parts.name,
    ...(parts.relatesTo !== undefined && { relatesTo: [parts.relatesTo] }),
    href: parts.href,
    method: 'POST',
    produces: ion,
    ...(parts.refresh !== undefined && { refresh: parts.refresh }),
    ...parts.members,
    value: [
      ...parts.fields.map((field) => wireField(field, parts, '')),
      { name: 'stateHandle', required: true, value: parts.stateHandle, visible: false, mutable: false },
    ],
    accepts: json,
  }
}

function wireField(field: Field, parts: FormParts, prefix: string): Record<string, unknown> {
  const path = prefix + field.name
  const messages = (parts.messages ?? []).filter((one) => one.field === path).map(({ value }) => value)
  const form = field.fields && {
    form: { value: field.fields.map((inner) => wireField(inner, parts, `${path}.`)) },
  }
  return {
    name: field.name,
    ...(field.label !== undefined && { label: field.label }),
    ...(field.labelKey !== undefined && { i18n: { key: field.labelKey } }),
    ...(field.desc !== undefined && { desc: field.desc }),
    ...(field.type !== undefined && { type: field.type }),
    ...(field.part !== undefined && { relatesTo: `$.${field.part}` }),
    ...(form && (field.fieldsBelow === 'value' ? { value: form } : form)),
    ...(field.options !== undefined && {
      options: field.options.map((option) => wireOption(option, parts, path)),
    }),
    ...(field.values !== undefined && { options: field.values }),
    ...(field.display !== undefined && { options: [wireDisplay(field.display)] }),
    ...(field.required !== undefined && { required: field.required }),
    ...(field.ofAuthenticator === true && { relatesTo: '$.currentAuthenticator' }),
    ...(field.secret === true && { secret: true }),
    ...(field.minLength !== undefined && { minLength: field.minLength }),
    ...(field.maxLength !== undefined && { maxLength: field.maxLength }),
    ...(field.format !== undefined && { format: field.format }),
    ...(field.value !== undefined && { value: field.value }),
    ...(field.fixed !== undefined && { value: field.fixed, mutable: false }),
    ...(field.hidden === true && { visible: false }),
    ...(field.hint !== undefined && { hint: field.hint }),
    ...(messages.length > 0 && { messages: { type: 'array', value: messages } }),
  }
}

/** How a field is shown, as clients read it: the one option of the field. */
const wireDisplay = ({ inputType, format, options }: FieldDisplay): Record<string, unknown> => ({
  label: 'display',
  value: {
    type: 'object',
    value: { ...(format && { format }), inputType, ...(options && { options }) },
  },
})

/** An option that stands for an authenticator points to it; its fields take no message. */
const wireOption = (option: Option, parts: FormParts, path: string): Record<string, unknown> => {
  const isAuthenticator = option.authenticator !== undefined
  const inner = isAuthenticator ? { ...parts, messages: [] } : parts
  const fields = option.fields.map((field) => wireField(field, inner, isAuthenticator ? '' : `${path}.`))
  return {
    label: option.label,
    value: { form: { value: fields } },
    ...(isAuthenticator && parts.optionPath && { relatesTo: parts.optionPath(option) }),
  }
}
