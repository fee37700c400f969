import { type Html, html } from '../../base/index.ts'
import type { Message } from '../control/messages.ts'
import { pageAddress } from './addresses.ts'
import { copyButton, icons, moment } from './parts.ts'

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

export function messageList(
  messages: readonly Message[],
  at: { readonly search: string; readonly open?: Message | undefined },
): Html {
  const found = matching(messages, at.search)
  const shown = found.slice(0, mostShown)
  return html`
    <p class="count" id="count">${countOf(found.length, shown.length, at.search)}</p>
    <ol class="rows">${shown.map((message) => row(message, at))}</ol>`
}

function countOf(found: number, shown: number, search: string): string {
  const messages = found === 1 ? '1 message' : `${found} messages`
  if (shown < found) return `The newest ${shown} of ${messages}`
  return search === '' ? messages : `${messages} found`
}

function row(
  message: Message,
  { search, open }: { readonly search: string; readonly open?: Message | undefined },
): Html {
  const { id, to, subject, code, link, sentAt } = message
  const current = open?.id === id
  return html`
    <li class="${current ? 'row is-open' : 'row'}" data-id="${id}">
      <a class="row-link" href="${pageAddress({ id, search })}"${current && html` aria-current="true"`}>
        <span class="row-to">${to}</span>
        ${moment(sentAt, 'short')}
        <span class="row-subject">${subject || '(no subject)'}</span>
      </a>
      ${
        (code || link) &&
        html`<div class="row-keys">
          ${code && html`<span class="chip"><code>${code}</code>${copyButton(code, 'code')}</span>`}
          ${link && html`<span class="chip chip-link">${icons.link}Link${copyButton(link, 'link')}</span>`}
        </div>`
      }
    </li>`
}
