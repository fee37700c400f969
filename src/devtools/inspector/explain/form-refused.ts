import type { Recorded } from '../recorder.ts'
import { bad, type Explanation, moment, say } from './cause.ts'

/** Why a value of a profile form is refused, by the message. */
const profileRules: Readonly<Record<string, readonly [words: string, advice?: string]>> = {
  'registration.error.invalidLoginEmail': ['a name or address is not in the form of an email address'],
  'registration.error.doesNotMatchPattern': [
    'a value does not match the pattern of its attribute',
    'See pattern in the user schema (GET /api/v1/meta/schemas/user/default).',
  ],
  'registration.error.notUniqueWithinOrg': [
    'the value of a unique attribute belongs to another user',
    'See unique in the user schema (GET /api/v1/meta/schemas/user/default).',
  ],
  'registration.error.tooLong': [
    'a value is longer than its attribute allows',
    'See maxLength in the user schema.',
  ],
  'registration.error.tooShort': [
    'a value is shorter than its attribute allows',
    'See minLength in the user schema.',
  ],
  'registration.error.invalidCharacters': ['a value has control characters or others that no profile takes'],
  'registration.error.notAllowedValue': [
    'a value is none of those that its attribute allows',
    'See enum and oneOf in the user schema.',
  ],
  'registration.error.invalidNumber': ['a value is no number, as its attribute asks for'],
  'registration.error.invalidInteger': ['a value is no whole number, as its attribute asks for'],
  'registration.error.domainNotAllowed': [
    'addresses of this domain may not sign up',
    'See signUp.domains.allowed and signUp.domains.blocked.',
  ],
  'registration.error.termsNotAccepted': [
    'the terms were not agreed to',
    'The app sends the field of the terms as true.',
  ],
}

const captchaRules: Readonly<Record<string, readonly [words: string, advice: string]>> = {
  'captcha.required': [
    'The captcha was not solved',
    'The app renders the captcha of the response, and sends its token as captchaVerify.captchaToken.',
  ],
  'captcha.invalid': [
    'The provider did not confirm the captcha token',
    'A token is good once and for a short time, for the site key and the host that the provider knows.',
  ],
  'captcha.unavailable': [
    'The provider of the captcha did not answer, and this form is closed without it,',
    'A provider that does not know captcha.secret counts as away, too. The log of the engine has what the call met.',
  ],
}

/** Explains why what was entered in a sign-up, a profile form or a captcha is refused; undefined for other messages. */
export function explainForm({ at: time, hint }: Recorded, message: string): Explanation | undefined {
  const at = moment(time)
  const rule = profileRules[message]
  if (rule !== undefined)
    return bad('profile-refused', say`The profile entered at ${at} is refused: ${rule[0]}.`, rule[1])
  const captcha = captchaRules[message]
  if (captcha !== undefined) return bad('captcha-refused', say`${captcha[0]} at ${at}.`, captcha[1])
  if (message === 'idx.error.registration.unavailable') {
    return bad(
      'sign-up-off',
      say`A sign-up was refused at ${at}: no policy of the app lets visitors sign up.`,
      'See signUp.open, and the policies of the type PROFILE_ENROLLMENT.',
    )
  }
  if (message === 'registration.error.denied') {
    return bad(
      'sign-up-denied',
      say`The sign-up of ${at} was denied by what checks sign-ups (beforeRegistration).`,
      hint ?? 'The sentence in the answer is its own.',
    )
  }
  return undefined
}
