import { qrCode, secretMissing, secretVersionOf } from '../../base/index.ts'
import type { Enrollment } from '../../directory/index.ts'
import {
  type Authenticator,
  type Challenge,
  codeBudgets,
  codeSuccess,
  type Field,
  type Input,
  isMistyped,
  type Judgement,
  type ManagedFactor,
  noPassCode,
  passCodeIn,
  type RenderContext,
  type Started,
  type StepContext,
  textAt,
} from '../../flow/index.ts'
import { newSecret, provisioningUri, stepOfCode } from './code.ts'

/**
 * The authenticator app: codes of six digits from a shared secret and the time (RFC 6238), as Okta's `google_otp`. Owns
 * how the secret is made, shown once and sealed, and which codes are accepted: one step of 30 seconds either side at a
 * sign-in, four back at enrolment (clients that enrol by themselves use an older code so that the current one stays
 * good), and each step once, on whatever node (A66).
 */
const key = 'google_otp'
const field = 'credentials.passcode'
const enrolmentWindow = { back: 4, forth: 1 } as const
const purpose = 'totp secret'

/** What is stored of it: the secret sealed, so that a database dump makes no codes. */
interface TotpData {
  readonly sealedSecret: string
}

/** The data of a new app, with the secret for it. */
export function totpData({ secrets, random }: Pick<StepContext, 'secrets' | 'random'>): {
  readonly data: unknown
  readonly sharedSecret: string
} {
  const sharedSecret = newSecret(random)
  return { data: { sealedSecret: secrets.seal(purpose, sharedSecret) } satisfies TotpData, sharedSecret }
}

const form: readonly Field[] = [
  {
    name: 'credentials',
    type: 'object',
    required: true,
    fields: [{ name: 'passcode', label: 'Enter code', required: true }],
  },
]

/** As a factor of the management API: `token:software:totp` of the provider GOOGLE. */
const totpFactor: ManagedFactor = {
  kinds: [
    {
      factorType: 'token:software:totp',
      provider: 'GOOGLE',
      vendorName: 'GOOGLE',
      method: 'otp',
      idPrefix: 'uft',
    },
  ],
  methodSettings: {
    otp: {
      timeIntervalInSeconds: 30,
      encoding: 'base32',
      algorithm: 'HMacSHA1',
      passCodeLength: 6,
      acceptableAdjacentIntervals: 1,
    },
  },
  profile: (_, { person }) => ({ credentialId: person.profile.login }),
  enroll: async (_, context) => ({ data: totpData(context).data }),
  async activation({ data }, context) {
    const { secret, href } = await shown(data as TotpData, context, context.person.profile.login)
    return {
      timeStep: 30,
      sharedSecret: secret,
      encoding: 'base32',
      keyLength: secret.length,
      _links: { qrcode: { href, type: 'image/png' } },
    }
  },
  async activate(answer, { data }, context) {
    const code = passCodeIn(answer)
    if (code === undefined) return noPassCode
    const step = stepOfCode(code, secretOf(data as TotpData, context), context.referenceTime, enrolmentWindow)
    if (step === undefined) return { verdict: 'wrong', rule: 'wrong-code' }
    return { verdict: 'right', effects: [], enrollment: { data, counter: step } }
  },
  async verify(answer, { enrollment }, context) {
    const code = passCodeIn(answer)
    if (code === undefined || enrollment === undefined) return noPassCode
    const { step, isUsed } = stepOf(code, enrollment as Enrollment<TotpData>, context)
    if (step === undefined || isUsed) return { verdict: 'wrong', rule: isUsed ? 'code-used' : 'wrong-code' }
    return { verdict: 'right', effects: [{ type: 'enrollment.advance', id: enrollment.id, counter: step }] }
  },
}

export const totpAuthenticator: Authenticator = {
  key,
  type: 'app',
  displayName: 'Google Authenticator',
  factors: ['possession'],
  traits: [],
  methods: [{ type: 'otp', amr: ['otp'] }],
  // A code that is asked for before a proof would show which users have an app, and could be guessed at (A53).
  first: false,
  recovers: false,
  recoversIfNamed: true,
  initialStatus: 'INACTIVE',
  implicit: false,
  enrollmentPrefix: 'uft',
  challenge: {
    about: 'authenticator',
    opensAtOnce: true,
    resends: false,
    fields: () => form,
    start: async (context) => opened(context, 'verify', null),
    judge: judgeChallenge,
  },
  enroll: {
    resends: false,
    fields: () => form,
    start: async (context) => {
      const data: TotpData = { sealedSecret: context.secrets.seal(purpose, newSecret(context.random)) }
      return opened(context, 'enroll', data)
    },
    judge: judgeEnrolment,
    contextualData,
  },
  reseal(data, secrets) {
    const { sealedSecret } = data as TotpData
    if (!secrets.isOutdated(sealedSecret)) return undefined
    return { sealedSecret: secrets.seal(purpose, secretOf({ sealedSecret }, { secrets })) } satisfies TotpData
  },
  factor: totpFactor,
  settings: {},
  messages: {
    'authfactor.challenge.soft_token.invalid_passcode': {
      class: 'ERROR',
      text: "Your code doesn't match our records. Please try again.",
    },
    'authfactor.challenge.soft_token.used_passcode': {
      class: 'ERROR',
      text: 'Each code can only be used once. Please wait for a new code and try again.',
    },
  },
}

const opened = (
  { now, lifetimes }: StepContext,
  purpose: Challenge['purpose'],
  data: TotpData | null,
): Started => ({
  challenge: {
    authenticator: key,
    method: 'otp',
    purpose,
    startedAt: now,
    expiresAt: now + lifetimes.code * 6,
    data,
  },
  effects: [],
})

/** What the page shows: the secret as a picture for the app to read, and as text to type. The same until it is confirmed. */
async function contextualData(challenge: Challenge, context: RenderContext) {
  const label = context.user?.profile.login ?? ''
  const { secret, href } = await shown(challenge.data as TotpData, context, label)
  return { qrcode: { method: 'embedded', href, type: 'image/png' }, sharedSecret: secret }
}

/** The secret as text, and as a picture. */
async function shown(data: TotpData, context: Pick<StepContext, 'secrets' | 'org'>, label: string) {
  const secret = secretOf(data, context)
  const uri = provisioningUri(secret, { label, issuer: context.org.name })
  return { secret, href: await qrCode(uri) }
}

function secretOf({ sealedSecret }: TotpData, { secrets }: Pick<StepContext, 'secrets'>): string {
  const secret = secrets.open(purpose, sealedSecret)
  if (!secrets.knows(sealedSecret))
    throw secretMissing(secretVersionOf(sealedSecret), 'the secret of an authenticator app')
  if (secret === undefined) throw new Error('the secret of an authenticator app cannot be opened')
  return secret
}

/** Reads six digits, however they were grouped; undefined where there is nothing to check. */
function codeIn(input: Input): string | undefined {
  const typed = textAt(input, field)
  if (typed === undefined || typed === '' || isMistyped(input, field)) return undefined
  return typed.normalize('NFKC').replace(/[\s-]/g, '').slice(0, 16)
}

/** What codes are compared with where a user has no app. It is right for no user. */
const decoySecret = 'A'.repeat(32)

/** The step that a code is of, one either side of now, and whether it was used. */
function stepOf(
  code: string,
  enrollment: Enrollment<TotpData> | undefined,
  context: Pick<StepContext, 'secrets' | 'referenceTime' | 'now'>,
): { readonly step: number | undefined; readonly isUsed: boolean } {
  // Computed for users without an app as well: the time must not show who has one (A02).
  const secret = enrollment === undefined ? decoySecret : secretOf(enrollment.data, context)
  const found = stepOfCode(code, secret, context.referenceTime ?? context.now, { back: 1, forth: 1 })
  const step = enrollment && found
  return { step, isUsed: enrollment !== undefined && step !== undefined && step <= enrollment.counter }
}

async function judgeChallenge(input: Input, context: StepContext): Promise<Judgement> {
  const code = codeIn(input)
  if (code === undefined) return { verdict: 'unreadable' }
  const isFirst = context.progress.proofs.length === 0
  const enrollment = isFirst
    ? await context.directory.enrollment<TotpData>(context.person?.id ?? '', key)
    : (context.enrollments.find(({ authenticator }) => authenticator === key) as
        | Enrollment<TotpData>
        | undefined)
  const { step, isUsed } = stepOf(code, enrollment, context)
  const isRight = enrollment !== undefined && step !== undefined && !isUsed
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: codeBudgets(context, key),
    ...(isRight && { enrollmentId: enrollment.id }),
    effects: isRight
      ? [{ type: 'enrollment.advance', id: enrollment.id, counter: step }, ...codeSuccess(context, key)]
      : [],
    refusal: {
      status: 401,
      // Before a proof a used code is just wrong: else it would show who has an app (A53).
      key: `authfactor.challenge.soft_token.${isUsed && !isFirst ? 'used' : 'invalid'}_passcode`,
      field,
    },
    rule: isUsed ? 'code-used' : 'wrong-code',
  }
}

async function judgeEnrolment(
  input: Input,
  context: StepContext,
  challenge: Challenge | undefined,
): Promise<Judgement> {
  const code = codeIn(input)
  const { person, now } = context
  if (code === undefined || challenge === undefined || person === undefined) return { verdict: 'unreadable' }
  const data = challenge.data as TotpData
  const step =
    now < challenge.expiresAt
      ? stepOfCode(code, secretOf(data, context), context.referenceTime ?? context.now, enrolmentWindow)
      : undefined
  return {
    verdict: step === undefined ? 'wrong' : 'right',
    budgets: codeBudgets(context, key),
    effects:
      step === undefined
        ? []
        : [
            {
              type: 'enrollment.put',
              enrollment: {
                personId: person.id,
                authenticator: key,
                prefix: 'uft',
                method: 'otp',
                data,
                counter: step,
              },
            },
          ],
    refusal: { status: 401, key: 'api.authn.error.PASSCODE_INVALID', field },
    rule: 'wrong-code',
  }
}
