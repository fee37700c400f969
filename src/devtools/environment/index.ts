/**
 * The development environment: an engine with its SMTP server, inbox and control API around it, and the operations of
 * the control API on that engine. `rekey dev` and the testing kit both start it.
 */
export {
  type DevEnvironment,
  type DevEnvironmentOptions,
  mary,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
} from './environment.ts'
export type { Faults } from './faults.ts'
export type { RefusedCall } from './refusals.ts'
export type { SdkTokens, SignedIn, SignInOptions } from './sign-in.ts'
