import type { PersonStatus } from '../../src/directory/index.ts'

/** What becomes of a person's sign-in and recovery, by her status: the table that the test checks and the docs show. */
interface StatusAnswer {
  /** What the right password is answered with. */
  readonly signIn: string
  /** Whether a recovery mails her. */
  readonly mail: boolean
  /** What the mailed code leads to; without a mail no code can be right. */
  readonly code: string
}

const wrong = '401 errors.E0000004'
const noCode = 'no code is right'
const reset: Pick<StatusAnswer, 'mail' | 'code'> = {
  mail: true,
  code: 'reset-authenticator, then signed in, ACTIVE',
}

export const statusAnswers: Readonly<Record<PersonStatus, StatusAnswer>> = {
  STAGED: { signIn: wrong, mail: false, code: noCode },
  PROVISIONED: { signIn: wrong, ...reset },
  ACTIVE: { signIn: 'signed in', ...reset },
  RECOVERY: { signIn: wrong, ...reset },
  PASSWORD_EXPIRED: { signIn: 'reenroll-authenticator, then signed in, ACTIVE', ...reset },
  LOCKED_OUT: { signIn: wrong, ...reset },
  SUSPENDED: { signIn: wrong, mail: true, code: '403 oie.selfservice.reset.password.not.allowed' },
  DEPROVISIONED: { signIn: wrong, mail: false, code: noCode },
}
