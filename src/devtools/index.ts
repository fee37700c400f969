/**
 * The development tools: an SMTP server that captures all mails, the inbox and flow inspector to read them, and the
 * control API, so that tests in any language and developers in a browser can observe and control the engine.
 * Loopback only, development and test mode only. `environment/` starts an engine with all of this around it; the pages
 * and the control API reach it through `ControlPort` only.
 * Follows docs/contract.md (the control API) and RFC 5321, as far as a mail server for one sender needs it.
 */

export {
  createMessages,
  type Message,
  type MessageReader,
  type MessageStore,
  NoMessageError,
  type Waiting,
} from './control/messages.ts'
export type { ControlServerOptions, InboxHints } from './control/options.ts'
export type { ControlPerson, ControlPort, NewPerson, PathFault, PersonChanges } from './control/port.ts'
export { readNewPerson, readPersonChanges, readSignIn } from './control/requests.ts'
export { type ControlServer, startControlServer } from './control/server.ts'
export { type SmtpFault, type SmtpSink, type SmtpSinkOptions, startSmtpSink } from './control/smtp-sink.ts'
export { checkNames, checkNothing, checkOneOf, checkThat, type Names } from './environment/checks.ts'
export {
  type EnrolledFactor,
  type FactorToEnroll,
  type KitFactors,
  kitFactors,
  type PasskeyToEnroll,
  type PhoneToEnroll,
  type QuestionToEnroll,
  type TypedFactor,
} from './environment/factors.ts'
export {
  type DevEnvironment,
  type DevEnvironmentOptions,
  type Faults,
  mary,
  type RefusedCall,
  type SdkTokens,
  type SignedIn,
  type SignInOptions,
  samplePublicClient,
  sampleWebClient,
  startDevEnvironment,
} from './environment/index.ts'
export { createRecorder, type FlowReader, type Recorder } from './inspector/index.ts'
export { previewNames } from './page-previews/index.ts'
