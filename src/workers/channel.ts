/** What carries messages between a primary and one of its workers. */
export interface Line {
  /** @param sent called when it has left, or cannot */
  send(message: object, sent: () => void): void
  onMessage(listener: (message: unknown) => void): void
}

type Handler = (...given: readonly never[]) => unknown

/** Calls and notes between a primary and one worker. */
export interface Channel {
  /** Calls a function of the other side, and answers what it answers. Never settles where the other side is gone. */
  call<T>(name: string, ...given: readonly unknown[]): Promise<T>
  /** Calls one without waiting for an answer. */
  note(name: string, ...given: readonly unknown[]): void
  /** Adds functions that the other side may call. */
  serve(handlers: Readonly<Record<string, Handler>>): void
  /** Resolves when all that was said has left. */
  flushed(): Promise<void>
}

type Part =
  | readonly [kind: 'call', id: number, name: string, given: readonly unknown[]]
  | readonly [kind: 'note', name: string, given: readonly unknown[]]
  | readonly [kind: 'answer', id: number, value: unknown]

/**
 * What is said within one cycle of the event loop is one message: under load the requests that have arrived together share
 * what it costs, which is most of what workers cost each other.
 */
export function createChannel(line: Line): Channel {
  const handlers = new Map<string, (...given: readonly unknown[]) => unknown>()
  const asked = new Map<number, (value: unknown) => void>()
  let parts: Part[] = []
  let last = 0

  function say(part: Part): void {
    if (parts.length === 0) setImmediate(() => flush())
    parts.push(part)
  }

  function flush(sent: () => void = () => {}): void {
    const rekey = parts
    parts = []
    line.send({ rekey }, sent)
  }

  function take(part: Part): void {
    switch (part[0]) {
      case 'call': {
        const [, id, name, given] = part
        const value = handlers.get(name)?.(...given)
        if (!(value instanceof Promise)) say(['answer', id, value])
        else void value.then((settled) => say(['answer', id, settled]))
        return
      }
      case 'note':
        handlers.get(part[1])?.(...part[2])
        return
      case 'answer': {
        const [, id, value] = part
        asked.get(id)?.(value)
        asked.delete(id)
      }
    }
  }

  line.onMessage((message) => {
    if (typeof message !== 'object' || message === null || !('rekey' in message)) return
    for (const part of message.rekey as readonly Part[]) take(part)
  })
  return {
    call: <T>(name: string, ...given: readonly unknown[]) =>
      new Promise<T>((resolve) => {
        last++
        asked.set(last, resolve as (value: unknown) => void)
        say(['call', last, name, given])
      }),
    note: (name, ...given) => say(['note', name, given]),
    flushed: () => new Promise<void>((resolve) => flush(resolve)),
    serve(added) {
      for (const [name, handler] of Object.entries(added)) {
        handlers.set(name, handler as (...given: readonly unknown[]) => unknown)
      }
    },
  }
}
