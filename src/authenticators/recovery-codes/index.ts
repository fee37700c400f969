import { randomToken } from '../../base/index.ts'
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
  type Refusal,
  type StepContext,
  textAt,
  type View,
} from '../../flow/index.ts'
import { type CodesData, codeIn, codesData, codesOf, resealedCodes, withoutCode } from './codes.ts'

export { type CodesData, codesData, codesOf } from './codes.ts'

/** The key of the authenticator that saved codes belong to. */
export const recoveryCodesKey = 'recovery_codes'

const key = recoveryCodesKey
const method = 'recovery_code'
const field = 'credentials.passcode'

/** What waits in a transaction: by what the codes that the page shows are made once more. */
interface PendingCodes {
  readonly nonce: string
}

const form = (label: string): readonly Field[] => [
  {
    name: 'credentials',
    type: 'object',
    required: true,
    fields: [{ name: 'passcode', label, required: true }],
  },
]

/**
 * Saved recovery codes: ten codes that a user writes down, the way back when the phone is lost (NIST SP 800-63B-4). Owns how
 * they are made, shown once and stored, and that each is good once on all nodes (A70). A use has the user given a new set, in the
 * same sign-in or the next one that enrols: until then the others stay good. They are something that the user has: a
 * second factor where the policy lets it, never the first thing that is asked for, and nothing that a recovery begins with.
 */
export const recoveryCodesAuthenticator: Authenticator = {
  key,
  type: method,
  displayName: 'Recovery Codes',
  factors: ['possession'],
  traits: [],
  methods: [{ type: method, amr: ['otp'] }],
  // Before a proof the question would show who has codes, and anyone could guess at them (A53).
  first: false,
  recovers: false,
  initialStatus: 'INACTIVE',
  implicit: false,
  enrollmentPrefix: 'rce',
  challenge: {
    about: 'authenticator',
    resends: false,
    fields: () => form('Enter a recovery code'),
    start: async (context) => ({ challenge: opened(context, 'verify', null), effects: [] }),
    judge: judgeChallenge,
  },
  enroll: {
    resends: false,
    isRenewedAfterUse: true,
    // The codes stand in the label as well: every client shows that, and none knows what the contextual data are.
    fields: (challenge, view) =>
      form(
        `Save these codes, each is good once: ${shownCodes(challenge, view).join(', ')}. Enter one of them`,
      ),
    start: async (context) => {
      const data: PendingCodes = { nonce: randomToken(context.random) }
      return { challenge: opened(context, 'enroll', data), effects: [] }
    },
    judge: judgeEnrolment,
    // The same until they are confirmed, and in no response after that.
    contextualData: (challenge, view) => ({ recoveryCodes: shownCodes(challenge, view) }),
  },
  factor: {
    kinds: [{ factorType: method, provider: 'OKTA', vendorName: 'OKTA', method, idPrefix: 'rce' }],
    isUnlisted: true,
    profile: (data) => ({ left: (data as CodesData).left }),
    refuses: {
      enroll: 'the user alone is shown recovery codes, once: they are enrolled at a sign-in',
      verify: 'a recovery code is good once and is for a sign-in: it is not spent here',
    },
  },
  isUsable: ({ data }) => (data as CodesData).left > 0,
  isUsed: ({ data }) => (data as CodesData).isUsed === true,
  reseal: (data, secrets) => resealedCodes(data as CodesData, secrets),
  settings: {},
  messages: {
    'recoveryCode.invalid': {
      class: 'ERROR',
      text: 'This is none of your unused recovery codes. Each code can only be used once.',
    },
  },
}

const opened = (
  { now, lifetimes }: StepContext,
  purpose: Challenge['purpose'],
  data: PendingCodes | null,
): Challenge => ({
  authenticator: key,
  method,
  purpose,
  startedAt: now,
  expiresAt: now + lifetimes.code * 6,
  data,
})

/** The codes of an enrolment that has begun. */
function shownCodes(challenge: Challenge | undefined, { transaction }: View): readonly string[] {
  const { nonce = '' } = (challenge?.data ?? {}) as Partial<PendingCodes>
  return codesOf((purpose) => transaction.derived(`${purpose} ${nonce}`))
}

/** The same for a code that was used as for one that never was one. */
const refusal: Refusal = { status: 401, key: 'recoveryCode.invalid', field }

/** A code as it was typed; undefined where there is nothing to check. */
function typedIn(input: Input): string | undefined {
  const typed = textAt(input, field)
  return typed === undefined || isMistyped(input, field) || codeIn(typed) === undefined ? undefined : typed
}

async function judgeChallenge(input: Input, context: StepContext): Promise<Judgement> {
  const typed = typedIn(input)
  if (typed === undefined) return { verdict: 'unreadable' }
  const enrollment = context.enrollments.find(({ authenticator }) => authenticator === key) as
    | Enrollment<CodesData>
    | undefined
  const left = enrollment && withoutCode(enrollment.data, typed, context.secrets)
  return {
    verdict: left === undefined ? 'wrong' : 'right',
    budgets: codeBudgets(context, key),
    ...(enrollment !== undefined && left !== undefined && { enrollmentId: enrollment.id }),
    effects:
      enrollment === undefined || left === undefined
        ? []
        : [
            // With the last one the set stays, as good as none: the sign-in was by one of the user's own factors (A69).
            {
              type: 'enrollment.spend',
              id: enrollment.id,
              from: enrollment.stored,
              data: { ...left, isUsed: true } satisfies CodesData,
            } as const,
            ...codeSuccess(context, key),
          ],
    refusal,
    rule: 'wrong-code',
  }
}

/** A code of the page shows that they were written down. It is used by that: it proves the possession in this transaction. */
async function judgeEnrolment(
  input: Input,
  context: StepContext,
  challenge: Challenge | undefined,
): Promise<Judgement> {
  const typed = typedIn(input)
  const { person, now, secrets } = context
  if (typed === undefined || challenge === undefined || person === undefined) return { verdict: 'unreadable' }
  const codes = codesData(shownCodes(challenge, context), secrets)
  const data = now < challenge.expiresAt ? withoutCode(codes, typed, secrets) : undefined
  return {
    verdict: data === undefined ? 'wrong' : 'right',
    budgets: codeBudgets(context, key),
    effects:
      data === undefined
        ? []
        : [
            {
              type: 'enrollment.put',
              // In place of a set that was used it is as old as this moment: a thief's set is none from before a recovery (A76).
              enrollment: {
                personId: person.id,
                authenticator: key,
                prefix: 'rce',
                method,
                data,
                isNew: true,
              },
            },
          ],
    refusal,
    rule: 'wrong-code',
  }
}
