import type { Field, Refusal } from '../../flow/index.ts'
import type { ProfileField, ProfileRefusal } from '../../registration/index.ts'

/** The part of a form with the attributes of a profile. It is the first one: clients read its messages there. */
export const userProfileField = (fields: readonly ProfileField[]): Field => ({ name: 'userProfile', fields })

/** A profile that is not accepted: all that is wrong with it, each in its field. */
export function profileRefused([first, ...more]: readonly [
  ProfileRefusal,
  ...(readonly ProfileRefusal[]),
]): Refusal & { readonly field: string } {
  const inField = ({ name, key, params }: ProfileRefusal) => ({ key, params, field: `userProfile.${name}` })
  return { status: 400, ...inField(first), ...(more.length > 0 && { besides: more.map(inField) }) }
}
