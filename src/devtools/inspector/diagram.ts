import { type Html, html } from '../../base/index.ts'
import type { Recorded } from './recorder.ts'
import type { Chapter } from './story.ts'

const lanes = ['App', 'Rekey', 'Mailbox'] as const
type Lane = (typeof lanes)[number]

interface Arrow {
  readonly from: Lane
  readonly to: Lane
  readonly text: string
  readonly answer: boolean
  readonly refused: boolean
}

/** The arrows of a sequence diagram between the app, the engine and the mailbox of the user. */
export function arrowsOf(story: readonly Chapter[]): readonly Arrow[] {
  return story.flatMap((chapter): Arrow[] => {
    if (chapter.kind === 'mail') {
      const { mail } = chapter
      const sent = mail.state === 'sent'
      const text = sent
        ? mail.template
        : `${mail.template}: ${mail.isWithoutRecipient ? 'no recipient, dropped' : mail.state}`
      return [
        {
          from: 'Rekey',
          to: mail.isWithoutRecipient ? 'Rekey' : 'Mailbox',
          text,
          answer: false,
          refused: !sent && !mail.isWithoutRecipient,
        },
      ]
    }
    return chapter.kind === 'exchange' ? exchanged(chapter.exchange) : []
  })
}

function exchanged(exchange: Recorded): Arrow[] {
  const { endpoint, path, sent, status, offered, messages, stageAfter, times, reason } = exchange
  const refused = status >= 400 || (endpoint === 'link' && reason !== 'alive')
  if (endpoint === 'link') {
    const back = status === 302
    return [
      {
        from: 'Mailbox',
        to: 'Rekey',
        text: `link opened${exchange.browser ? ` in ${exchange.browser}` : ''}`,
        answer: false,
        refused: false,
      },
      {
        from: 'Rekey',
        to: back ? 'App' : 'Mailbox',
        text: back
          ? '302 with the code'
          : `${status} ${reason === 'alive' ? 'page with the code' : `page: ${reason ?? ''}`}`,
        answer: true,
        refused,
      },
    ]
  }
  const fields = Object.entries(sent)
    .filter(([name]) => shownFields.has(name))
    .map(([, value]) => value)
  const name = path
    .split('/')
    .slice(path.includes('/idp/idx/') ? 3 : -1)
    .join('/')
  const answer = messages.length > 0 ? messages.join(', ') : (stageAfter ?? offered.join(', '))
  return [
    {
      from: 'App',
      to: 'Rekey',
      text: [name, fields.length > 0 && `(${fields.join(', ')})`, times > 1 && `× ${times}`]
        .filter(Boolean)
        .join(' '),
      answer: false,
      refused: false,
    },
    {
      from: 'Rekey',
      to: 'App',
      text: `${status} ${answer || (endpoint === 'token' ? 'tokens' : 'interaction handle')}`,
      answer: true,
      refused,
    },
  ]
}

const shownFields = new Set([
  'identifier',
  'credentials.passcode',
  'authenticator.id',
  'redirect_uri',
  'interaction_code',
])

/** Renders the arrows as a Mermaid sequence diagram. */
export function mermaidOf(arrows: readonly Arrow[], note: string): string {
  const used = lanes.filter(
    (lane) => lane !== 'Mailbox' || arrows.some(({ from, to }) => from === lane || to === lane),
  )
  return [
    'sequenceDiagram',
    '  autonumber',
    ...used.map((lane) => `  participant ${lane}`),
    ...arrows.map(
      ({ from, to, text, answer, refused }) =>
        `  ${from}${answer ? '-->>' : refused ? '-x' : '->>'}${to}: ${mermaidText(text)}`,
    ),
    `  Note over ${used.at(0)},${used.at(-1)}: ${mermaidText(note)}`,
    '',
  ].join('\n')
}

/** Escapes text for Mermaid: user input must neither end a line nor open a tag. */
const mermaidText = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[#;<>&"]/g, (character) => `#${character.codePointAt(0)};`)

const laneAt: Readonly<Record<Lane, number>> = { App: 90, Rekey: 370, Mailbox: 650 }
const rowHeight = 40
const longestText = 38

/** Renders the arrows as SVG. The colours come from the stylesheet of the page, for light and dark mode. */
export function pictureOf(arrows: readonly Arrow[], title: string): Html {
  const height = 64 + arrows.length * rowHeight + 16
  return html`<svg class="diagram" viewBox="0 0 740 ${height}" width="740" height="${height}" role="img" aria-label="${title}">
    <defs>
      <marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0.5 8 4 0 7.5z"/></marker>
      <marker id="tip-bad" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip-bad" d="M0 0.5 8 4 0 7.5z"/></marker>
    </defs>
    ${lanes.map(
      (lane) => html`<line class="lane" x1="${laneAt[lane]}" y1="42" x2="${laneAt[lane]}" y2="${height - 6}"/>
        <rect class="lane-head" x="${laneAt[lane] - 56}" y="8" width="112" height="34" rx="9"/>
        <text class="lane-name" x="${laneAt[lane]}" y="30">${lane}</text>`,
    )}
    ${arrows.map((arrow, index) => arrowAt(arrow, 84 + index * rowHeight))}
  </svg>`
}

function arrowAt({ from, to, text, answer, refused }: Arrow, y: number): Html {
  const [start, end] = [laneAt[from], laneAt[to]]
  const letters = [...text]
  const short = letters.length > longestText ? `${letters.slice(0, longestText - 1).join('')}…` : text
  const kind = `${answer ? 'arrow is-answer' : 'arrow'}${refused ? ' is-bad' : ''}`
  const tip = refused ? 'url(#tip-bad)' : 'url(#tip)'
  if (start === end) {
    return html`<g><title>${text}</title><path class="${kind}" d="M${start} ${y - 8}h34v14h-30" marker-end="${tip}"/>
      <text class="arrow-text is-start" x="${start + 44}" y="${y + 3}">${short}</text></g>`
  }
  const side = end > start ? -2 : 2
  return html`<g><title>${text}</title><line class="${kind}" x1="${start}" y1="${y}" x2="${end + side}" y2="${y}" marker-end="${tip}"/>
    <text class="${refused ? 'arrow-text is-bad' : 'arrow-text'}" x="${(start + end) / 2}" y="${y - 7}">${short}</text></g>`
}
