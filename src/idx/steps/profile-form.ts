import type { Field, Refusal } from '../../flow/index.ts'
import type { ProfileField, ProfileRefusal } from '../../registration/index.ts'

/** The part of a form with the attributes of a profile. It is the first one: clients read its messages there. */
export const userProfileField = (fields: readonly ProfileField[]): Field => ({
  name: 'userProfile',
  fields: fields.map(shown),
})

/**
 * A box to tick is never required on the wire, though Okta's is: for the SDK, and the widget with it, a box that is not ticked
 * is then an answer that is missing, and it does not send the form, without a word. `readProfile` says what is missing.
 */
const shown = ({ name, label, type, required, minLength, maxLength, display }: ProfileField): Field => ({
  name,
  label,
  ...(type && { type }),
  required: required && display?.inputType !== 'checkbox',
  ...(minLength !== undefined && { minLength }),
  ...(maxLength !== undefined && { maxLength }),
  ...(display && { display }),
})

/** A profile that is not accepted: all that is wrong with it, each in its field. */
export function profileRefused([first, ...more]: readonly [
  ProfileRefusal,
  ...(readonly ProfileRefusal[]),
]): Refusal & { readonly field: string } {
  const inField = ({ name, key, params }: ProfileRefusal) => ({ key, params, field: `userProfile.${name}` })
  return { status: 400, ...inField(first), ...(more.length > 0 && { besides: more.map(inField) }) }
}
