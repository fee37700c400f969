import { plainHash, type Secrets } from '../base/index.ts'
import type { IdxField, IdxForm, IdxMessage, IdxResponse } from './response.ts'

/**
 * What the page after a POST has to say, carried over the redirect in a sealed cookie of the browser: the
 * messages of the answer, and what was typed. A reload shows the page without it. It is sealed, as names and
 * addresses stand in it, and bound to the interaction.
 */
export interface Flash {
  readonly messages: readonly IdxMessage[]
  /** Messages in fields, by form and path: `enroll-profile/userProfile.email`. */
  readonly inFields: Readonly<Record<string, readonly IdxMessage[]>>
  readonly values: Readonly<Record<string, string>>
  /** The form was of an earlier page, and was not sent. */
  readonly isMoved?: true
  /** A deep link names what is not on offer: the page is another one. */
  readonly isUnoffered?: true
  /** Nothing is asked any more: the messages are the end. */
  readonly isEnd?: true
}

export const flashName = 'rekey_page'
const purpose = 'page after a form'

/** Cookies longer than this are dropped by browsers; then the page does without what was typed. */
const longest = 3600

/** The value of `Set-Cookie`; an end is shown for as long as a reload may come. */
export function flashCookie(
  flash: Flash,
  handle: string,
  {
    secrets,
    isSecure,
    path,
  }: { readonly secrets: Secrets; readonly isSecure: boolean; readonly path: string },
): string {
  const sealed = (one: Flash) => secrets.seal(purpose, JSON.stringify({ ...one, of: plainHash(handle) }))
  const whole = sealed(flash)
  const value = whole.length > longest ? sealed({ ...flash, values: {} }) : whole
  const maxAge = flash.isEnd ? 600 : 60
  return `${flashName}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; ${isSecure ? 'Secure; ' : ''}SameSite=Lax`
}

/** The value of `Set-Cookie` that removes it. */
export const noFlashCookie = (path: string): string =>
  `${flashName}=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`

/** What a cookie holds, where it was sealed here and for this interaction. */
export function readFlash(value: string | undefined, handle: string, secrets: Secrets): Flash | undefined {
  const text = value === undefined ? undefined : secrets.open(purpose, value)
  if (text === undefined) return undefined
  const { of, ...flash } = JSON.parse(text) as Flash & { readonly of: string }
  return of === plainHash(handle) ? flash : undefined
}

/** The messages of an answer, and where they stand. */
export function messagesIn(response: IdxResponse): Pick<Flash, 'messages' | 'inFields'> {
  const inFields: Record<string, readonly IdxMessage[]> = {}
  const collect = (fields: readonly IdxField[], prefix: string): void => {
    for (const field of fields) {
      const path = prefix + field.name
      if (field.messages !== undefined) inFields[path] = field.messages.value
      collect(fieldsBelow(field), `${path}.`)
    }
  }
  for (const form of response.remediation?.value ?? []) collect(form.value ?? [], `${form.name}/`)
  return { messages: response.messages?.value ?? [], inFields }
}

/** All fields below a field, those of each of its options included. */
const fieldsBelow = ({ form, value, options = [] }: IdxField): readonly IdxField[] => {
  const below = [form, formOf(value), ...options.map((option) => formOf(option.value))]
  return below.flatMap((one) => one?.value ?? [])
}

const formOf = (value: unknown): { readonly value: readonly IdxField[] } | undefined =>
  typeof value === 'object' && value !== null && 'form' in value
    ? (value.form as { readonly value: readonly IdxField[] })
    : undefined

/**
 * The present response with the messages of the answer before in it: as the answer itself would have had
 * them.
 */
export function withFlash(response: IdxResponse, { messages, inFields }: Flash): IdxResponse {
  const own = response.messages?.value ?? []
  const isNew = ({ i18n, message }: IdxMessage): boolean =>
    !own.some((one) => (one.i18n?.key ?? one.message) === (i18n?.key ?? message))
  const all = [...messages.filter(isNew), ...own]
  const forms = (response.remediation?.value ?? []).map(
    (form): IdxForm => ({ ...form, value: fieldsWith(form.value ?? [], inFields, `${form.name}/`) }),
  )
  return {
    ...response,
    ...(all.length > 0 && { messages: { value: all } }),
    ...(response.remediation !== undefined && { remediation: { value: forms } }),
  }
}

const fieldsWith = (
  fields: readonly IdxField[],
  inFields: Flash['inFields'],
  prefix: string,
): readonly IdxField[] =>
  fields.map((field) => {
    const path = prefix + field.name
    const messages = inFields[path]
    const below = (inner: { readonly value: readonly IdxField[] }) => ({
      ...inner,
      value: fieldsWith(inner.value, inFields, `${path}.`),
    })
    const inValue = formOf(field.value)
    return {
      ...field,
      ...(messages !== undefined && { messages: { value: messages } }),
      ...(field.form && { form: below(field.form) }),
      ...(inValue && { value: { form: below(inValue) } }),
      ...(field.options && {
        options: field.options.map((option) => {
          const inner = formOf(option.value)
          return inner === undefined ? option : { ...option, value: { form: below(inner) } }
        }),
      }),
    }
  })
