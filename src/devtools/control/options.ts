import type { Logger } from '../../base/index.ts'
import type { ControlPort } from './port.ts'
import type { SmtpSink } from './smtp-sink.ts'

export interface ControlServerOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly engine: ControlPort
  readonly sink: SmtpSink
  readonly logger?: Logger
  readonly hints?: InboxHints
}

/** What the empty inbox tells a newcomer to do. Read at each request: the app may start after the inbox. */
export interface InboxHints {
  readonly appUrl?: () => string | undefined
  readonly login?: string
}
