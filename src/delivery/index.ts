/**
 * Mail: the outbox, the worker that delivers it, and the mechanism of layout and templates. A mail is a row in the
 * outbox, written in the transaction that is the reason for it, so neither is there without the other. Owns when and
 * how often a mail is tried and when it is given up; what a mail says is decided by its sender. `transports/` holds
 * the ways out. Messages follow RFC 5322, automatic ones are marked by RFC 3834.
 */

export { createMemoryTransport, type MemoryTransport, type SentMail } from './email/memory.ts'
export { createSmtpTransport, type SmtpOptions } from './email/smtp.ts'
export {
  loadTemplates,
  type MailVariables,
  type RenderedMail,
  type Renderer,
  type TemplateName,
  type TemplateOptions,
  templateNames,
  type VariableName,
} from './email/templates.ts'
export { type Mailbox, MailRefused, type OutgoingMail, type Transport } from './email/transport.ts'
export {
  type Backlog,
  backlogOf,
  type ClosedMail,
  type MailOutcome,
  type NewMail,
  purgeMails,
  type QueueContext,
  queueMail,
  type WaitingMail,
  waitingMailsOf,
} from './outbox.ts'
export { type Delivery, type DeliveryOptions, leaveDelivery, startDelivery } from './worker.ts'
