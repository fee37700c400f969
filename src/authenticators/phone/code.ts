import { randomDigits, randomLegible } from '../../base/index.ts'
import {
  type Challenge,
  type Effect,
  type Input,
  isMistyped,
  type Judgement,
  nameAndAccount,
  type StepContext,
  textAt,
} from '../../flow/index.ts'
import { type Budget, everybody } from '../../limits/index.ts'

export const codeField = 'credentials.passcode'

/** What is stored of a code that was sent. */
export interface SentCode {
  readonly codeHash: string
  /** Whether the form says that a long code is expected. */
  readonly long: boolean
  /** Whether the sent code is long: its guesses need no daily budget. */
  readonly longCode: boolean
}

/** By what a visitor typed, and by the account behind it: the guesses at texts and at mails are counted together. */
export const subjectsOf = ({ progress, person, secrets }: StepContext) =>
  nameAndAccount(secrets, progress.subject?.identifier ?? '', person)

/** An unknown user never succeeds: what made-up names have used up is forgotten after a day (A45). */
const untilSuccessOf = ({ budgets, person }: StepContext): Budget =>
  person === undefined
    ? { ...budgets.codesUntilSuccess, windowMs: budgets.codesPerDay.windowMs }
    : budgets.codesUntilSuccess

/**
 * A new code, by the rules of a mailed one: six digits, or ten letters and digits once the budgets for guesses at short ones
 * are spent, so that guessing stops and the owner goes on. The form shows only what the visitor's own attempts have spent.
 */
export async function newCode(
  context: StepContext,
): Promise<{ readonly code: string; readonly sent: SentCode }> {
  const { budgets, random, secrets, transaction } = context
  const { typed, account } = subjectsOf(context)
  const { everywhere } = budgets.spray
  const untilSuccess = untilSuccessOf(context)
  // All are asked for, whatever the first one says: the number of statements must not depend on the account (A02).
  const [asTyped = 0, wrongEverywhere = 0, today = 0, lately = 0] = await context.used([
    { budget: budgets.codesPerDay, subject: typed },
    { budget: everywhere, subject: everybody },
    { budget: budgets.codesPerDay, subject: account },
    { budget: untilSuccess, subject: account },
  ])
  const attackFrom = (await context.attackFrom?.(wrongEverywhere)) ?? everywhere.limit
  const long = asTyped >= budgets.codesPerDay.limit || wrongEverywhere >= attackFrom
  const longCode = long || today >= budgets.codesPerDay.limit || lately >= untilSuccess.limit
  const code = longCode ? randomLegible(random, 10) : randomDigits(random, 6)
  return { code, sent: { codeHash: secrets.hash('code', `${transaction.id}:${code}`), long, longCode } }
}

/**
 * Checks a typed code. Compared even where it cannot be right, so that the time reveals nothing.
 *
 * @param isAlive whether the code may be right: there is a user, and the phone it went to
 */
export function judgeCode(
  input: Input,
  context: StepContext,
  challenge: (Pick<Challenge, 'expiresAt'> & { readonly sent: SentCode | undefined }) | undefined,
  {
    isAlive,
    right,
  }: {
    readonly isAlive: boolean
    readonly right: () => { effects: readonly Effect[]; enrollmentId?: string }
  },
): Judgement {
  const typed = textAt(input, codeField)
  const sent = challenge?.sent
  if (challenge === undefined || sent === undefined) return { verdict: 'unreadable' }
  if (typed === undefined || typed === '' || isMistyped(input, codeField)) return { verdict: 'unreadable' }
  const { budgets, now, secrets, transaction } = context
  const code = typed.normalize('NFKC').replace(/[\s-]/g, '').toUpperCase().slice(0, 64)
  const matches = secrets.matches('code', `${transaction.id}:${code}`, sent.codeHash)
  const isRight = matches && isAlive && now < challenge.expiresAt
  const subjects = subjectsOf(context)
  const clears: Effect = {
    type: 'budget.clear',
    budget: budgets.codesUntilSuccess,
    subject: subjects.account,
  }
  const { effects, enrollmentId } = isRight ? right() : { effects: [], enrollmentId: undefined }
  return {
    verdict: isRight ? 'right' : 'wrong',
    // Wrong answers are charged by what the form says, and by account where the sent code is short (A52).
    visible:
      sent.long || (isRight && sent.longCode)
        ? []
        : [{ budget: budgets.codesPerDay, subject: subjects.typed }],
    budgets: sent.longCode
      ? []
      : [
          { budget: budgets.codesPerDay, subject: subjects.account },
          { budget: untilSuccessOf(context), subject: subjects.account },
        ],
    ...(enrollmentId !== undefined && { enrollmentId }),
    effects: isRight ? [...effects, clears] : [],
    refusal: { status: 401, key: 'api.authn.error.PASSCODE_INVALID', field: codeField },
    rule: !isAlive ? 'nobody' : matches ? 'code-expired' : 'wrong-code',
  }
}
