import type { Answer, Kit, KitOptions, Visitor } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { type PasskeyOptions, SoftwarePasskey } from '../support/software-passkey.ts'
import { activate, enrollmentPolicy } from './totp.ts'

type Json = Readonly<Record<string, unknown>>

export const assertionFailed = 'authfactor.webauthn.error.assertion_validation_failure'
export const attestationFailed = 'authfactor.webauthn.error.attestation_validation_failure'
export const firstPagePath = 'challenge/answer/webauthn-autofillui'

/** Where passkeys are at home in these tests: browsers know localhost, and no address of numbers, as a domain. */
export const passkeyEngine: KitOptions = { settings: { webauthn: { rpId: 'localhost' } } }
export const appOrigin = 'http://localhost:8080'

/** A passkey whose pages are those of the sample app. */
export const newPasskey = (options: PasskeyOptions = {}): SoftwarePasskey =>
  new SoftwarePasskey({ origin: appOrigin, ...options })

const partNamed = (answer: Answer, name: string) =>
  (answer.body[name] as { readonly value: Json } | undefined)?.value
const contextualOf = (answer: Answer) =>
  partNamed(answer, 'currentAuthenticator')?.contextualData as Json | undefined

export interface ActivationData extends Json {
  readonly challenge: string
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
}
/** What a page of an enrolment shows. */
export const activationOf = (answer: Answer) => contextualOf(answer)?.activationData as ActivationData
/** What a page of a challenge shows. */
export const challengeOf = (answer: Answer) =>
  contextualOf(answer)?.challengeData as { readonly challenge: string } & Json
/** What the first page shows. */
export const firstChallengeOf = (answer: Answer) =>
  partNamed(answer, 'webauthnAutofillUIChallenge')?.challengeData as { readonly challenge: string } & Json

export const sends = (visitor: Visitor, credentials: Json): Promise<Answer> =>
  visitor.submits('challenge/answer', { credentials })

/** Replaces the settings of the authenticator. */
export async function setPasskeys(idp: Pick<Kit, 'engineUrl' | 'apiToken'>, settings: Json): Promise<void> {
  const api = apiOf(idp)
  await activate(api, 'webauthn')
  const found = (await api('GET', '/authenticators')).list.find((one) => one.key === 'webauthn')
  const { status, text } = await api('PUT', `/authenticators/${found?.id}`, { name: found?.name, settings })
  if (status !== 200) throw new Error(`the settings were not taken: ${text}`)
}

/** A sign-in that makes a passkey, as a policy requires; answers it with the handle that it was given. */
export async function enrolsPasskey(
  visitor: Visitor,
  { login, password }: { readonly login: string; readonly password: string },
  passkey = newPasskey(),
): Promise<{ readonly passkey: SoftwarePasskey; readonly handle: string; readonly answer: Answer }> {
  await visitor.begins()
  await visitor.signsIn(login, password)
  const { challenge, user } = activationOf(await visitor.enrolls('webauthn'))
  const answer = await sends(visitor, passkey.create(challenge))
  return { passkey, handle: user.id, answer }
}

export const requirePasskeys = (idp: Pick<Kit, 'engineUrl' | 'apiToken'>): Promise<void> =>
  enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
