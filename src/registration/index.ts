/**
 * The form in which visitors and users fill in a profile: its fields, from a profile enrollment policy and the user schema,
 * and what is read from it. Owns which attributes a form may set; who is created from them, and when, it does not know.
 */

export { mayRegister } from './domains.ts'
export {
  type FieldDisplay,
  missingFields,
  type ProfileFaults,
  type ProfileField,
  type ProfileRefusal,
  type ProfileResult,
  profileFaults,
  profileFields,
  profileMessages,
  readProfile,
} from './profile-form.ts'
