import type { ServerResponse } from 'node:http'
import type { Message, MessageStore } from './messages.ts'

/** What a list shows of a message; its body is fetched when somebody opens it. */
export type MessageSummary = Omit<Message, 'text' | 'html'>

export function summaryOf({ text: _text, html: _html, ...summary }: Message): MessageSummary {
  return summary
}

const heartbeatMs = 20_000
const mostUnread = 1024 * 1024

/** Sends one event: its name, its data as JSON, and an id that a client tells when it comes back. */
export type SendEvent = (event: string, data: object, id?: string) => void

/** Opens a stream of Server-Sent Events on a response; it ends with the connection. */
export function openEvents(response: ServerResponse): SendEvent {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  const write = (text: string): void => {
    // A client that takes nothing in would make the process hold everything for it.
    if (response.writableLength > mostUnread) response.destroy()
    else response.write(text)
  }
  write('retry: 1000\n\n')
  // A comment now and then finds out that the other side is gone.
  const heartbeat = setInterval(() => write(':\n\n'), heartbeatMs)
  response.once('close', () => clearInterval(heartbeat))
  return (event, data, id) =>
    write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/**
 * Tells of mail as it arrives: `message` with a summary and the message's id, and `cleared`. A client that comes back
 * with Last-Event-ID gets what it missed.
 */
export function streamMessages(response: ServerResponse, messages: MessageStore, lastEventId: string): void {
  const send = openEvents(response)
  const sendMessage = (message: Message): void => send('message', summaryOf(message), message.id)
  for (const message of messages.since(lastEventId)) sendMessage(message)
  const unsubscribe = messages.subscribe((change) => {
    if (change.kind === 'arrived') sendMessage(change.message)
    else send('cleared', {})
  })
  response.once('close', unsubscribe)
}
