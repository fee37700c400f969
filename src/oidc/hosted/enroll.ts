import type { Client } from '../../clients/index.ts'
import { knownLevels } from '../../policies/index.ts'
import { invalidRequest, oauthError } from '../errors.ts'
import { type Form, optional } from '../form.ts'
import { checkLengths, readEnroll, readLoginHint } from '../interact.ts'

/** What Okta documents that such a request has, each with its only value. */
const fixed = {
  response_type: 'none',
  acr_values: 'urn:okta:loa:2fa:any:ifpossible',
  max_age: '0',
} as const

/** Whether a request asks for the enrolment of authenticators (`prompt=enroll_authenticator`). */
export const asksToEnroll = (form: Form): boolean =>
  (optional(form, 'prompt') ?? '').split(' ').includes('enroll_authenticator')

/**
 * A request whose user signs in anew, as strongly as the user can, and is then asked to enrol what it names.
 * Its answer has the state, and neither a code nor a token: an app learns nothing of the user by it.
 */
export function readEnrolment(form: Form, { settings: { grantTypes } }: Client) {
  if (optional(form, 'prompt') !== 'enroll_authenticator') {
    throw invalidRequest("The 'prompt' parameter must be 'enroll_authenticator' alone.")
  }
  if (!grantTypes.includes('authorization_code')) {
    throw oauthError(
      'unauthorized_client',
      `The client is not authorized to use the provided grant type. Configured grant types: [${grantTypes.join(', ')}].`,
    )
  }
  for (const [name, value] of Object.entries(fixed)) {
    if (optional(form, name) !== value) {
      throw invalidRequest(`The '${name}' parameter must be '${value}' with 'enroll_authenticator'.`)
    }
  }
  for (const name of ['scope', 'nonce']) {
    if (form.has(name))
      throw invalidRequest(`The '${name}' parameter is not allowed with 'enroll_authenticator'.`)
  }
  const enroll = readEnroll(form)
  if (enroll === undefined) throw invalidRequest("The 'enroll_amr_values' parameter is required.")
  const answered = { state: optional(form, 'state') ?? '', nonce: undefined }
  checkLengths(answered)
  return {
    codeChallenge: '',
    responseType: fixed.response_type,
    prompt: undefined,
    asksConsentAnew: false,
    idTokenHint: optional(form, 'id_token_hint'),
    request: {
      ...{ scope: 'openid', ...answered, enroll, maxAge: 0 },
      acrValues: knownLevels(fixed.acr_values),
      loginHint: readLoginHint(form, answered),
    },
  }
}
