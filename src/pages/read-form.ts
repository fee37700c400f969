import {
  fieldsOfOption,
  formsOf,
  type IdxField,
  type IdxForm,
  innerOf,
  isFixed,
  shownAs,
} from './response.ts'

/** What a browser has posted: each name once. */
export type Posted = ReadonlyMap<string, string>

type Input = Readonly<Record<string, unknown>>

/**
 * The name of the button or the circle by which one of several forms is chosen: `0`, or `1:voice` with its
 * method.
 */
export const choiceName = 'choice'

/**
 * The body of an IDX request from a posted form. Only what the form of the response has is read, so that a
 * page can send nothing that a client of the protocol could not, and values that are fixed come from the
 * response and not from the browser.
 */
export const readForm = (form: IdxForm, posted: Posted): Input => readFields(form.value ?? [], posted, '')

function readFields(fields: readonly IdxField[], posted: Posted, prefix: string): Input {
  const input: Record<string, unknown> = {}
  for (const field of fields) {
    if (field.name === 'stateHandle') continue
    const value = readField(field, posted, prefix)
    if (value !== undefined) input[field.name] = value
  }
  return input
}

function readField(field: IdxField, posted: Posted, prefix: string): unknown {
  const path = prefix + field.name
  if (isFixed(field)) return field.value
  const forms = formsOf(field)
  if (forms !== undefined) {
    const [, index = '', method] = /^(\d{1,3})(?::(\w{1,40}))?$/.exec(posted.get(choiceName) ?? '') ?? []
    const chosen = forms[Number(index)]
    const fields = index === '' ? undefined : chosen && fieldsOfOption(chosen)
    if (fields === undefined) return undefined
    const values = readFields(fields, posted, `${path}.`)
    return method === undefined ? values : { ...values, methodType: method }
  }
  const inner = innerOf(field)
  if (inner !== undefined) return readFields(inner, posted, `${path}.`)
  const text = posted.get(path)
  const { display, values } = shownAs(field)
  // A box that is not ticked is not sent, whichever it is.
  if (field.type === 'boolean' && display?.inputType !== 'radio') return text === 'true'
  const [only, ...others] = values
  if (text === undefined && display === undefined && only !== undefined && others.length === 0)
    return only.value
  return text === '' && field.required !== true ? undefined : text
}
