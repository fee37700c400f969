/**
 * Delivery of mails: the outbox, the worker that sends from it, and the templates. A mail is a row in the outbox, written
 * in the same database transaction as its cause, so that neither exists without the other. Owns retries and expiry; the
 * calling code decides about the content. `email/` has the transports and templates. Messages follow RFC 5322 and are
 * marked as automatic by RFC 3834.
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
