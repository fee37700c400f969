import type { Step } from '../../flow/index.ts'
import { cancel } from './cancel.ts'
import { challengeAuthenticator } from './challenge-authenticator.ts'
import { identify } from './identify.ts'
import { identifyRecovery } from './identify-recovery.ts'
import { poll } from './poll.ts'
import { recover } from './recover.ts'
import { reenrollAuthenticator } from './reenroll-authenticator.ts'
import { resend } from './resend.ts'
import { resetAuthenticator } from './reset-authenticator.ts'
import { selectAuthenticatorAuthenticate } from './select-authenticator-authenticate.ts'

/** Everything a visitor can do. The order is that of the forms in a response: the first becomes the SDK's next step. */
export const steps: readonly Step[] = [
  identify,
  identifyRecovery,
  recover,
  challengeAuthenticator,
  resetAuthenticator,
  reenrollAuthenticator,
  selectAuthenticatorAuthenticate,
  resend,
  poll,
  cancel,
]
