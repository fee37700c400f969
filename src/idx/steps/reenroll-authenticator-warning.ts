import type { Step } from '../../flow/index.ts'
import { reenrollAuthenticator } from './reenroll-authenticator.ts'

/** A password that will expire soon signs the user in, once it is replaced or the warning is skipped. */
export const reenrollAuthenticatorWarning: Step = {
  ...reenrollAuthenticator,
  name: 'reenroll-authenticator-warning',
  stages: ['reenroll-warning'],
}
