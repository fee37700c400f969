import { type Html, html } from '../../base/index.ts'
import { copyButton, icons, moment, toneChip } from '../../ui/index.ts'
import type { Message } from '../control/messages.ts'
import { pageAddress } from './addresses.ts'

/** The largest number of messages on a page, so that it stays fast. The search finds the others. */
const mostShown = 200

/** The messages that contain every word of the search in their addresses or subject. */
export function matching(messages: readonly Message[], search: string): readonly Message[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return messages.filter(({ to, from, subject }) => {
    const text = `${to} ${from} ${subject}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

interface At {
  readonly search: string
  readonly open?: Message | undefined
  /** The ids of the messages that were opened. */
  readonly opened: ReadonlySet<string>
}

export function messageList(messages: readonly Message[], at: At): Html {
  const found = matching(messages, at.search)
  const shown = found.slice(0, mostShown)
  const unread = shown.filter(({ id }) => !at.opened.has(id)).length
  return html`
    <p class="count"><span id="count">${countOf(found.length, shown.length, at.search)}</span>${unread > 0 && `, ${unread} unread`}</p>
    <ol class="rows">${shown.map((message) => row(message, at))}</ol>`
}

const phones: Readonly<Partial<Record<Message['channel'], string>>> = { sms: 'Text', voice: 'Call' }

/** What came to a phone is marked; a mail is what most messages are. */
export function phoneChip(channel: Message['channel']): Html | false {
  const label = phones[channel]
  return label !== undefined && html`${toneChip('quiet', label)} `
}

function countOf(found: number, shown: number, search: string): string {
  const messages = found === 1 ? '1 message' : `${found} messages`
  if (shown < found) return `The newest ${shown} of ${messages}`
  return search === '' ? messages : `${messages} found`
}

function row(message: Message, { search, open, opened }: At): Html {
  const { id, to, subject, code, link, sentAt, channel } = message
  const current = open?.id === id
  const isUnread = !opened.has(id)
  return html`
    <li class="row${current && ' is-open'}${isUnread && ' is-unread'}" data-id="${id}">
      <a class="row-link" href="${pageAddress({ id, search })}"${current && html` aria-current="true"`}>
        <span class="row-to">${to}</span>${isUnread && html`<span class="unseen">unread</span>`}
        ${moment(sentAt, 'short')}
        <span class="row-subject">${phoneChip(channel)}${subject || '(no subject)'}</span>
      </a>
      ${
        (code || link) &&
        html`<div class="row-keys">
          ${code && html`<span class="token"><code>${code}</code>${copyButton(code, 'code')}</span>`}
          ${link && html`<span class="token token-link">${icons.link}Link${copyButton(link, 'link')}</span>`}
        </div>`
      }
    </li>`
}
