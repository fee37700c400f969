import type { ServerResponse } from 'node:http'
import type { Message, MessageStore } from './messages.ts'

/** The part of a message that a list shows. The body is fetched when the message is opened. */
type MessageSummary = Omit<Message, 'text' | 'html'>

export function summaryOf({ text: _text, html: _html, ...summary }: Message): MessageSummary {
  return summary
}

const heartbeatMs = 20_000
const mostUnread = 1024 * 1024

/** Sends one event: its name, its data as JSON, and an id that a client sends when it reconnects. */
type SendEvent = (event: string, data: object, id?: string) => void

/** Opens a stream of server-sent events on a response. It ends with the connection. */
export function openEvents(response: ServerResponse): SendEvent {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  const write = (text: string): void => {
    // Disconnect a client that does not read: its events would fill the memory.
    if (response.writableLength > mostUnread) response.destroy()
    else response.write(text)
  }
  write('retry: 1000\n\n')
  // Regular comments detect lost connections.
  const heartbeat = setInterval(() => write(':\n\n'), heartbeatMs)
  response.once('close', () => clearInterval(heartbeat))
  return (event, data, id) =>
    write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

/**
 * Streams changes of the inbox: `message` with a summary and the id of the message, `removed` with
 * an id, and `cleared`. A client that
 * reconnects with Last-Event-ID gets the events that it missed.
 */
export function streamMessages(response: ServerResponse, messages: MessageStore, lastEventId: string): void {
  const send = openEvents(response)
  const sendMessage = (message: Message): void => send('message', summaryOf(message), message.id)
  for (const message of messages.since(lastEventId)) sendMessage(message)
  const unsubscribe = messages.subscribe((change) => {
    if (change.kind === 'arrived') sendMessage(change.message)
    else if (change.kind === 'removed') send('removed', { id: change.id })
    else send('cleared', {})
  })
  response.once('close', unsubscribe)
}
