/**
 * Delivery of mails, texts and calls, and of logout tokens to apps: the outbox, the workers that send from it, and the templates. A mail is a row in the outbox, written
 * in the same database transaction as its cause, so that neither exists without the other. Owns retries and expiry; the
 * calling code decides about the content. `email/` has the transports and templates of mails, `text/` those of texts and calls. Messages follow RFC 5322 and are
 * marked as automatic by RFC 3834.
 */

export type { MailEnd } from './closing.ts'
export { createMemoryTransport, type MemoryTransport, type SentMail } from './email/memory.ts'
export { isSenderName, parseSender, senderForms } from './email/sender.ts'
export { createSmtpTransport, type SmtpOptions, slowFactor } from './email/smtp.ts'
export type { SmtpTimeouts } from './email/smtp-dialogue.ts'
export {
  heloNameFrom,
  isHeloName,
  isLoopback,
  parseSmtpUrl,
  type SmtpTarget,
  smtpUrlProblem,
} from './email/smtp-url.ts'
export {
  loadTemplates,
  type MailVariables,
  type NoticeTemplate,
  noticeTemplates,
  type RenderedMail,
  type Renderer,
  type TemplateName,
  templateNames,
  type VariableName,
} from './email/templates.ts'
export {
  type Mailbox,
  MailRefused,
  type OutgoingMail,
  type RefusalReason,
  refusalReasons,
  type Transport,
} from './email/transport.ts'
export type { LogoutTransport, OutgoingLogout } from './logout/transport.ts'
export {
  type AttemptOutcome,
  attemptOutcomes,
  type Backlog,
  backlogOf,
  type ClosedMail,
  countLostNotices,
  endCodeMails,
  forgetMailsOf,
  type Lane,
  listMails,
  type MailOutcome,
  type MailStatus,
  mailStatuses,
  type NewLogout,
  type NewMail,
  type NewText,
  type NotRetried,
  purgeMails,
  queueLogout,
  queueMail,
  queueText,
  retryMail,
  type StoredMail,
  type WaitingMail,
  waitingMailsOf,
} from './outbox.ts'
export {
  listSuppressions,
  removeSuppression,
  removeSuppressionsOf,
  type Suppression,
} from './suppressions.store.ts'
export {
  type Channel,
  channels,
  type OutboxChannel,
  type TextChannel,
  type TextTemplate,
  type TextVariables,
  textTemplates,
} from './text/definitions.ts'
export { createTelephonyHook, type TelephonyHookOptions } from './text/hook.ts'
export { createMemoryTexts, createNoTexts } from './text/memory.ts'
export { type RenderedText, renderText } from './text/render.ts'
export type { OutgoingText, TextTransport } from './text/transport.ts'
export {
  type Delivery,
  type DeliveryOptions,
  type LogoutDeliveryOptions,
  leaveDelivery,
  startDelivery,
  startLogoutDelivery,
  startTextDelivery,
  type TextDeliveryOptions,
} from './worker.ts'
