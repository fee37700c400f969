import type { OktaAuth } from '@okta/okta-auth-js'
import type { Kit } from '../../src/testing/index.ts'
import { handedOut } from '../support/management.ts'
import { openLink } from '../support/sdk.ts'

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
    answers: 'throws Registration is not supported based on your current org configuration.',
  },
  {
    call: 'idx.unlockAccount(), where no policy allows it',
    run: (auth) => auth.idx.unlockAccount(),
    answers: 'throws Self Service Account Unlock is not supported based on your current org configuration.',
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
