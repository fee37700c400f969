import type { Logger } from '../../base/index.ts'
import type { ControlPort } from './port.ts'
import type { SmtpSink } from './smtp-sink.ts'

export interface ControlServerOptions {
  /** The default is 0: any free port. */
  readonly port?: number
  readonly engine: ControlPort
  readonly sink: SmtpSink
  readonly logger?: Logger
  readonly hints?: InboxHints
}

/** The hints of the empty inbox. They are read at each request, because the app may start after the inbox. */
export interface InboxHints {
  readonly appUrl?: () => string | undefined
  readonly login?: string
}
