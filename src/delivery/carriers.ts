import type { Row } from '../storage/index.ts'
import { secretsOf } from './email/reason-text.ts'
import { type MailVariables, type Renderer, templateNames } from './email/templates.ts'
import { MailRefused, type Transport } from './email/transport.ts'
import type { LogoutTransport, LogoutVariables } from './logout/transport.ts'
import type { Lane } from './outbox.store.ts'
import { type TextChannel, type TextVariables, textTemplates } from './text/definitions.ts'
import { renderText } from './text/render.ts'
import type { TextTransport } from './text/transport.ts'

/** A row in hand, opened. */
interface Opened {
  readonly row: Row<'outbox'>
  readonly locale?: string
  readonly variables: MailVariables | TextVariables | LogoutVariables
}

/** What a worker does with its rows: renders and hands over. */
export interface Carrier {
  readonly lane: Lane
  /** How many rows are claimed at once besides those that are begun at once: a statement for many costs hardly more than for one. */
  readonly ahead: number
  /** Called before each look into the outbox. */
  prepare?(): Promise<void>
  /** @param message its `to` is null where there is no recipient, or one that gets nothing: it is rehearsed (A62). */
  carry(message: Opened & { readonly to: string | null }, signal: AbortSignal): Promise<void>
  /** Codes and links: what no reason of a failure may contain. */
  secretsOf(message: Opened): readonly string[]
}

const unknownTemplate = (name: string) =>
  new MailRefused(`there is no template ${name}`, { permanent: true, reason: 'content' })

export function mailCarrier(transport: Transport, renderer: Renderer): Carrier {
  const templateOf = ({ row }: Opened) => templateNames.find((name) => name === row.template)
  return {
    lane: 'mails',
    ahead: 15,
    async carry({ to, ...message }, signal) {
      const template = templateOf(message)
      if (template === undefined) throw unknownTemplate(message.row.template)
      const { locale, row } = message
      const variables = message.variables as MailVariables
      const rendered = renderer.render({ template, variables, locale })
      if (to === null) await transport.rehearse?.(signal)
      else await transport.send({ id: row.id, to, template, ...rendered }, signal)
    },
    secretsOf(message) {
      const template = templateOf(message)
      return template === undefined ? [] : secretsOf(template, message.variables as MailVariables)
    },
  }
}

export const textCarrier = (transport: TextTransport): Carrier => ({
  lane: 'texts',
  ahead: 0,
  async carry({ row, to, locale, variables: stored }, signal) {
    const template = textTemplates.find((name) => name === row.template)
    if (template === undefined) throw unknownTemplate(row.template)
    const channel = row.channel as TextChannel
    const variables = stored as TextVariables
    const rendered = renderText(channel, variables, locale)
    if (to === null) await transport.rehearse?.(signal)
    else {
      await transport.send(
        { id: row.id, channel, to, template, variables, endsAt: row.ends_at, ...rendered },
        signal,
      )
    }
  },
  secretsOf: ({ variables }) => [(variables as TextVariables).code],
})

export const logoutCarrier = (transport: LogoutTransport): Carrier => ({
  lane: 'logouts',
  ahead: 0,
  prepare: transport.prepare,
  async carry({ row, to, variables }, signal) {
    if (to === null || row.person_id === null) return
    const { sessionId, issuer } = variables as LogoutVariables
    const logout = { id: row.id, attempt: row.attempts, clientId: to, personId: row.person_id }
    await transport.send({ ...logout, sessionId, issuer }, signal)
  },
  secretsOf: () => [],
})
