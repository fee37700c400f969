import type { MessageStore } from '../control/messages.ts'

/** The address of a page of the inbox, with the search. Default values are omitted. */
export function pageAddress(
  place: { readonly id?: string; readonly view?: string; readonly search?: string } = {},
): string {
  const query = new URLSearchParams()
  if (place.view !== undefined) query.set('view', place.view)
  if (place.search) query.set('q', place.search)
  const path = place.id === undefined ? '/' : `/inbox/${place.id}`
  return query.size === 0 ? path : `${path}?${query}`
}

/**
 * The id of a mail in the outbox of the engine, from its Message-ID; undefined for a mail of another sender.
 */
export function mailIdIn(source: Buffer | undefined): string | undefined {
  // Headers come first; the rest of a large mail is not read.
  const head = source?.subarray(0, 16_384).toString('latin1').split('\r\n\r\n')[0] ?? ''
  return /^Message-ID:\s*<([\w-]{1,64})@/im.exec(head)?.[1]
}

/** The addresses of the mails of the inbox, by their id in the outbox. */
export function mailAddresses(messages: MessageStore): (mailId: string) => string | undefined {
  const ids = new Map(
    messages.all().flatMap(({ id }) => {
      const mailId = mailIdIn(messages.source(id))
      return mailId === undefined ? [] : [[mailId, pageAddress({ id })] as const]
    }),
  )
  return (mailId) => ids.get(mailId)
}
