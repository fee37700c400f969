import type { ServerResponse } from 'node:http'
import type { Message, MessageStore } from './messages.ts'

/** What a list shows of a message; its body is fetched when somebody opens it. */
export type MessageSummary = Omit<Message, 'text' | 'html'>

export function summaryOf({ text: _text, html: _html, ...summary }: Message): MessageSummary {
  return summary
}

const heartbeatMs = 20_000
const mostUnread = 1024 * 1024

/**
 * Tells of mail as it arrives, as Server-Sent Events: `message` with a summary and the message's id, and `cleared`.
 * A client that comes back with Last-Event-ID gets what it missed. Ends with the connection.
 */
export function streamMessages(response: ServerResponse, messages: MessageStore, lastEventId: string): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  const send = (text: string): void => {
    // A client that takes nothing in would make the process hold everything for it.
    if (response.writableLength > mostUnread) response.destroy()
    else response.write(text)
  }
  const sendMessage = (message: Message): void =>
    send(`id: ${message.id}\nevent: message\ndata: ${JSON.stringify(summaryOf(message))}\n\n`)

  send('retry: 1000\n\n')
  for (const message of messages.since(lastEventId)) sendMessage(message)
  const unsubscribe = messages.subscribe((change) => {
    if (change.kind === 'arrived') sendMessage(change.message)
    else send('event: cleared\ndata: {}\n\n')
  })
  // A comment now and then finds out that the other side is gone.
  const heartbeat = setInterval(() => send(':\n\n'), heartbeatMs)
  response.once('close', () => {
    clearInterval(heartbeat)
    unsubscribe()
  })
}
