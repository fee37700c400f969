import type { OktaAuth } from '@okta/okta-auth-js'
import type { Kit } from '../../src/testing/index.ts'
import { handedOut } from '../support/management.ts'
import { builtInRule } from '../support/policy-rules.ts'
import { openLink } from '../support/sdk.ts'
import { hasPhone, lastCode, number } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy, twoFactors } from '../wire/totp.ts'

/** How the SDK is used: its major, and for major 8 the mode; 6 and 7 know the legacy mode only. */
export const sdkStyles = ['8', '8, step mode', '7', '6'] as const
export type SdkStyle = (typeof sdkStyles)[number]

/**
 * One call of okta-auth-js, made by a visitor who has nothing yet. `docs/supported.md` shows what each style answers;
 * `test/journeys/sdk-calls.test.ts` makes every call in every style.
 */
interface SdkCall {
  readonly call: string
  /** Which client makes it: the web app with its secret, unless said otherwise. */
  readonly client?: 'public'
  run(auth: OktaAuth, idp: Kit): Promise<unknown>
  /** What it is answered with: one text for all styles, or one for each that differs from `otherwise`. */
  readonly answers: string | ({ readonly [style in SdkStyle]?: string } & { readonly otherwise: string })
}

export const answerOf = ({ answers }: SdkCall, style: SdkStyle): string =>
  typeof answers === 'string' ? answers : (answers[style] ?? answers.otherwise)

const noStep = 'throws No `step` or `action` provided'
const newPassword = 'Lighthouse-Biscuit-77'
const isStep = (auth: OktaAuth) => auth.options.idx?.enableLegacyMode === false

/** Goes to the page that takes the code, in either mode. */
async function atTheCode(auth: OktaAuth, idp: Kit) {
  const { login } = idp.person
  if (isStep(auth)) {
    await auth.idx.start()
    await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
    await auth.idx.proceed({ step: 'identify-recovery', identifier: login })
    await auth.idx.proceed({ step: 'select-authenticator-authenticate', authenticator: 'okta_email' })
  } else await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  return idp.outbox.waitFor({ to: login })
}

async function signedIn(auth: OktaAuth, { person }: Kit) {
  if (isStep(auth)) {
    await auth.idx.start()
    const credentials = { passcode: person.password }
    const done = await auth.idx.proceed({ step: 'identify', identifier: person.login, credentials })
    auth.tokenManager.setTokens(done.tokens ?? {})
    return done
  }
  const done = await auth.idx.authenticate({ username: person.login, password: person.password })
  auth.tokenManager.setTokens(done.tokens ?? {})
  return done
}

type Values = Readonly<Record<string, unknown>>
const proceeds = (auth: OktaAuth, values: Values) => auth.idx.proceed(values as never)

/** Signs in where a policy asks for more, in either mode. */
async function signsIn(auth: OktaAuth, { person }: Kit, more: Values = {}) {
  if (!isStep(auth)) {
    const values = { username: person.login, password: person.password, ...more }
    return auth.idx.authenticate(values as never)
  }
  await auth.idx.start()
  const credentials = { passcode: person.password }
  return proceeds(auth, { step: 'identify', identifier: person.login, credentials })
}

/** Goes to the page of an enrolment that is required, in either mode. */
async function atAnEnrolment(auth: OktaAuth, idp: Kit, key: string) {
  await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
  await signsIn(auth, idp)
  const choice = { authenticator: key }
  return proceeds(auth, isStep(auth) ? { step: 'select-authenticator-enroll', ...choice } : choice)
}

/** Goes to the page that asks how the code of a phone comes, in either mode. */
async function atThePhone(auth: OktaAuth, idp: Kit) {
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
  await hasPhone(idp)
  await twoFactors(idp)
  await signsIn(auth, idp)
  const choice = { authenticator: 'phone_number' }
  return proceeds(auth, isStep(auth) ? { step: 'select-authenticator-authenticate', ...choice } : choice)
}

const secretOn = ({ context }: Awaited<ReturnType<typeof atAnEnrolment>>): string => {
  const { value } = context.currentAuthenticator as unknown as {
    readonly value: { readonly contextualData: { readonly sharedSecret: string } }
  }
  return value.contextualData.sharedSecret
}

export const sdkCalls: readonly SdkCall[] = [
  { call: 'idx.interact()', run: (auth) => auth.idx.interact(), answers: 'an interaction handle' },
  {
    call: 'idx.start()',
    run: (auth) => auth.idx.start(),
    answers: { otherwise: 'PENDING identify', '8': 'PENDING', '8, step mode': 'PENDING' },
  },
  {
    call: 'idx.startTransaction()',
    run: (auth) => auth.idx.startTransaction(),
    answers: { otherwise: 'PENDING identify', '8': 'PENDING', '8, step mode': 'PENDING' },
  },
  {
    call: 'idx.authenticate({ username, password })',
    run: (auth, { person }) => auth.idx.authenticate({ username: person.login, password: person.password }),
    answers: { otherwise: 'SUCCESS', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'identify', identifier, credentials })",
    async run(auth, { person }) {
      await auth.idx.start()
      const credentials = { passcode: person.password }
      return auth.idx.proceed({ step: 'identify', identifier: person.login, credentials })
    },
    answers: 'SUCCESS',
  },
  {
    call: 'idx.recoverPassword()',
    run: (auth) => auth.idx.recoverPassword(),
    answers: 'PENDING identify-recovery',
  },
  {
    call: 'idx.recoverPassword({ username })',
    run: (auth, { person }) => auth.idx.recoverPassword({ username: person.login }),
    answers: {
      otherwise: 'PENDING select-authenticator-authenticate',
      '8, step mode': 'PENDING identify-recovery',
    },
  },
  {
    call: "idx.recoverPassword({ username, authenticators: ['okta_email'] })",
    run: (auth, { person }) =>
      auth.idx.recoverPassword({ username: person.login, authenticators: ['okta_email'] }),
    answers: { otherwise: 'PENDING challenge-authenticator', '8, step mode': 'PENDING identify-recovery' },
  },
  {
    call: "idx.proceed({ step: 'identify-recovery', identifier })",
    async run(auth, { person }) {
      await auth.idx.start()
      await auth.idx.proceed({ actions: ['currentAuthenticator-recover'] })
      return auth.idx.proceed({ step: 'identify-recovery', identifier: person.login })
    },
    answers: { otherwise: 'PENDING', '8, step mode': 'PENDING select-authenticator-authenticate' },
  },
  {
    call: 'idx.proceed({ verificationCode })',
    async run(auth, idp) {
      const { code } = await atTheCode(auth, idp)
      return auth.idx.proceed({ verificationCode: code ?? '' })
    },
    answers: { otherwise: 'PENDING reset-authenticator', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'challenge-authenticator', credentials })",
    async run(auth, idp) {
      const { code } = await atTheCode(auth, idp)
      return auth.idx.proceed({ step: 'challenge-authenticator', credentials: { passcode: code ?? '' } })
    },
    answers: 'PENDING reset-authenticator',
  },
  {
    call: 'idx.proceed({ verificationCode, password })',
    async run(auth, idp) {
      const { code } = await atTheCode(auth, idp)
      return auth.idx.proceed({ verificationCode: code ?? '', password: newPassword })
    },
    answers: { otherwise: 'SUCCESS', '8, step mode': noStep },
  },
  {
    call: 'idx.proceed({ resend: true })',
    async run(auth, idp) {
      await atTheCode(auth, idp)
      return auth.idx.proceed({ resend: true })
    },
    answers: 'PENDING challenge-authenticator',
  },
  {
    call: "idx.proceed({ actions: ['currentAuthenticatorEnrollment-resend'] })",
    async run(auth, idp) {
      await atTheCode(auth, idp)
      return auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-resend'] })
    },
    answers: 'PENDING challenge-authenticator',
  },
  {
    call: "idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })",
    async run(auth, idp) {
      await atTheCode(auth, idp)
      return auth.idx.proceed({ actions: ['currentAuthenticatorEnrollment-poll'] })
    },
    answers: 'PENDING challenge-authenticator',
  },
  {
    call: 'idx.poll()',
    async run(auth, idp) {
      await atTheCode(auth, idp)
      return auth.idx.poll()
    },
    answers: { otherwise: 'PENDING challenge-authenticator', '8, step mode': noStep },
  },
  {
    call: 'idx.handleEmailVerifyCallback(search)',
    async run(auth, idp) {
      const { link } = await atTheCode(auth, idp)
      const { search } = await openLink(link ?? '')
      return auth.idx.handleEmailVerifyCallback(search)
    },
    answers: { otherwise: 'PENDING reset-authenticator', '8, step mode': noStep },
  },
  {
    call: 'idx.cancel()',
    async run(auth, idp) {
      await atTheCode(auth, idp)
      return auth.idx.cancel()
    },
    answers: 'CANCELED',
  },
  {
    call: 'idx.recoverPassword({ recoveryToken })',
    run: async (auth, idp) => auth.idx.recoverPassword({ recoveryToken: await handedOut(idp) }),
    answers: {
      otherwise: 'PENDING reset-authenticator',
      '8, step mode': 'throws Unable to proceed with provided actions',
    },
  },
  {
    call: 'idx.start({ recoveryToken })',
    run: async (auth, idp) => auth.idx.start({ recoveryToken: await handedOut(idp) }),
    answers: 'PENDING',
  },
  {
    call: 'idx.recoverPassword({ recoveryToken }), with one that is none',
    run: (auth) => auth.idx.recoverPassword({ recoveryToken: 'none' }),
    answers: 'throws The recovery token is invalid',
  },
  {
    call: 'idx.register()',
    run: (auth) => auth.idx.register(),
    answers: { otherwise: 'PENDING enroll-profile', '8, step mode': noStep },
  },
  {
    call: 'idx.register(), where sign-up is closed',
    async run(auth, idp) {
      await builtInRule(idp, 'PROFILE_ENROLLMENT', { profileEnrollment: { access: 'DENY' } })
      return auth.idx.register()
    },
    answers: 'throws Registration is not supported based on your current org configuration.',
  },
  {
    call: 'idx.unlockAccount(), where no policy allows it',
    run: (auth) => auth.idx.unlockAccount(),
    answers: 'throws Self Service Account Unlock is not supported based on your current org configuration.',
  },
  {
    call: "idx.authenticate({ username, password, authenticator: 'phone_number', methodType, phoneNumber })",
    async run(auth, idp) {
      await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
      const { login: username, password } = idp.person
      const phone = { authenticator: 'phone_number', methodType: 'sms', phoneNumber: number }
      return auth.idx.authenticate({ username, password, ...phone } as never)
    },
    answers: { otherwise: 'PENDING enroll-authenticator', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ authenticator: 'phone_number' }), at the choice of what to enrol",
    async run(auth, idp) {
      await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
      await signsIn(auth, idp)
      return proceeds(auth, { authenticator: 'phone_number' })
    },
    answers: { otherwise: 'PENDING authenticator-enrollment-data', '8, step mode': noStep },
  },
  {
    call: 'idx.proceed({ methodType, phoneNumber })',
    async run(auth, idp) {
      await atAnEnrolment(auth, idp, 'phone_number')
      return proceeds(auth, { methodType: 'sms', phoneNumber: number })
    },
    answers: { otherwise: 'PENDING enroll-authenticator', '8, step mode': noStep },
  },
  {
    call: 'idx.proceed({ phoneNumber }), without a method',
    async run(auth, idp) {
      await atAnEnrolment(auth, idp, 'phone_number')
      return proceeds(auth, { phoneNumber: number })
    },
    answers: { otherwise: 'PENDING authenticator-enrollment-data', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'authenticator-enrollment-data', methodType, phoneNumber })",
    async run(auth, idp) {
      await atAnEnrolment(auth, idp, 'phone_number')
      const step = 'authenticator-enrollment-data'
      return proceeds(auth, { step, methodType: 'sms', phoneNumber: number })
    },
    answers: 'PENDING enroll-authenticator',
  },
  {
    call: 'idx.proceed({ methodType }), at a challenge',
    async run(auth, idp) {
      await atThePhone(auth, idp)
      return proceeds(auth, { methodType: 'voice' })
    },
    answers: { otherwise: 'PENDING challenge-authenticator', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'authenticator-verification-data', methodType })",
    async run(auth, idp) {
      await atThePhone(auth, idp)
      await proceeds(auth, { step: 'authenticator-verification-data', methodType: 'sms' })
      const credentials = { passcode: await lastCode(idp) }
      return proceeds(auth, { step: 'challenge-authenticator', credentials })
    },
    answers: 'SUCCESS',
  },
  {
    call: "idx.proceed({ step: 'enroll-authenticator', credentials })",
    async run(auth, idp) {
      const secret = secretOn(await atAnEnrolment(auth, idp, 'google_otp'))
      const credentials = { passcode: codeAt(secret, idp.clock.now()) }
      return proceeds(auth, { step: 'enroll-authenticator', credentials })
    },
    answers: 'SUCCESS',
  },
  {
    call: 'idx.proceed({ questionKey, answer })',
    async run(auth, idp) {
      await atAnEnrolment(auth, idp, 'security_question')
      return proceeds(auth, { questionKey: 'disliked_food', answer: 'Sprouts' })
    },
    answers: { otherwise: 'SUCCESS', '8, step mode': noStep },
  },
  {
    call: 'idx.proceed({ question, answer })',
    async run(auth, idp) {
      await atAnEnrolment(auth, idp, 'security_question')
      return proceeds(auth, { question: 'Whose cat?', answer: 'Felix' })
    },
    answers: { otherwise: 'SUCCESS', '8, step mode': noStep },
  },
  {
    call: 'idx.proceed({ skip: true })',
    async run(auth, idp) {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await signsIn(auth, idp)
      return proceeds(auth, { skip: true })
    },
    answers: { otherwise: 'SUCCESS', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'skip' })",
    async run(auth, idp) {
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await signsIn(auth, idp)
      return proceeds(auth, { step: 'skip' })
    },
    answers: 'SUCCESS',
  },
  {
    call: "idx.poll(), at Okta Verify's page",
    async run(auth, idp) {
      await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL' })
      await signsIn(auth, idp)
      const choice = { authenticator: 'okta_verify' }
      await proceeds(auth, isStep(auth) ? { step: 'select-authenticator-enroll', ...choice } : choice)
      return auth.idx.poll()
    },
    answers: { otherwise: 'PENDING enroll-poll', '8, step mode': noStep },
  },
  {
    call: "idx.proceed({ step: 'select-enrollment-channel', channel })",
    async run(auth, idp) {
      await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL' })
      await signsIn(auth, idp)
      const choice = { authenticator: 'okta_verify' }
      await proceeds(auth, isStep(auth) ? { step: 'select-authenticator-enroll', ...choice } : choice)
      return proceeds(auth, { step: 'select-enrollment-channel', channel: 'email' })
    },
    answers: 'PENDING enrollment-channel-data',
  },
  {
    call: 'token.getUserInfo()',
    async run(auth, idp) {
      const { tokens } = await signedIn(auth, idp)
      const claims = await auth.token.getUserInfo(tokens?.accessToken, tokens?.idToken)
      return `claims of ${claims.preferred_username}`
    },
    answers: 'claims of mary@example.com',
  },
  {
    call: 'token.renewTokens(), in a browser app',
    client: 'public',
    async run(auth, idp) {
      await signedIn(auth, idp)
      const tokens = await auth.token.renewTokens()
      return Object.keys(tokens).toSorted().join(', ')
    },
    answers: 'accessToken, idToken, refreshToken',
  },
  {
    call: 'token.renewTokens(), in a web app',
    async run(auth, idp) {
      await signedIn(auth, idp)
      return auth.token.renewTokens()
    },
    answers: 'throws client authentication failed',
  },
  {
    call: 'revokeAccessToken(), then token.getUserInfo()',
    async run(auth, idp) {
      const { tokens } = await signedIn(auth, idp)
      await auth.revokeAccessToken(tokens?.accessToken)
      return auth.token.getUserInfo(tokens?.accessToken, tokens?.idToken)
    },
    answers: 'throws The access token is invalid.',
  },
  {
    call: 'revokeRefreshToken(), then token.renewTokens()',
    client: 'public',
    async run(auth, idp) {
      const { tokens } = await signedIn(auth, idp)
      await auth.revokeRefreshToken(tokens?.refreshToken)
      return auth.token.renewTokens(tokens && { tokens })
    },
    answers: 'throws The refresh token is invalid or expired.',
  },
]

/** The outcome of a call as one text. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    const answer = await work
    if (typeof answer === 'string') return answer
    const { status, nextStep, interactionHandle } = (answer ?? {}) as {
      readonly status?: string
      readonly nextStep?: { readonly name: string }
      readonly interactionHandle?: string
    }
    if (status === undefined) return interactionHandle === undefined ? 'nothing' : 'an interaction handle'
    return [status, nextStep?.name].filter(Boolean).join(' ')
  } catch (error) {
    return `throws ${String(error instanceof Error ? error.message : error)}`
  }
}
