/**
 * The development side: an SMTP server that delivers nothing, the mails it took, and the control API with the inbox
 * page over both, so that tests in any language and people in a browser see what the engine sends and can steer it.
 * Loopback only, development and test mode only. It knows an engine through `ControlPort` alone.
 * Follows docs/contract.md (the control API's table) and RFC 5321 as far as a mail server for one sender needs.
 */

export {
  createMessages,
  type InboxChange,
  type Message,
  type MessageReader,
  type MessageStore,
  NoMessageError,
  type Waiting,
} from './control/messages.ts'
export type { ControlServerOptions, InboxHints } from './control/options.ts'
export type { ControlPerson, ControlPort, NewPerson, PathFault, PersonChanges } from './control/port.ts'
export { type ControlServer, startControlServer } from './control/server.ts'
export { type SmtpFault, type SmtpSink, type SmtpSinkOptions, startSmtpSink } from './control/smtp-sink.ts'
export { createRecorder, type FlowReader, type Recorder } from './inspector/index.ts'
