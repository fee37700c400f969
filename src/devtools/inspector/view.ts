import { type Html, html, isoTime } from '../../base/index.ts'
import { intents } from '../../flow/index.ts'
import { spanInWords } from '../../i18n/index.ts'
import { copyButton, icons, moment } from '../../ui/index.ts'
import { arrowsOf, mermaidOf, pictureOf } from './diagram.ts'
import { type Explanation, explain, explainStray, plain } from './explain/index.ts'
import { type FlowFacts, isOpen, type MailFacts, nameIn, type StrayFacts } from './facts.ts'
import { shown, stateChip } from './list.ts'
import { isRefused, type Recorded } from './recorder.ts'
import { type Chapter, storyOf } from './story.ts'

/** The address of a mail in the inbox, by its id in the outbox; undefined where the inbox does not have it. */
type MailAddress = (mailId: string) => string | undefined

/** The page of a transaction: its explanation, its history and a sequence diagram. */
export function flowView(facts: FlowFacts, addressOf: MailAddress): Html {
  const { timeline } = facts
  const { id, identifier, intent, clientId, personId, createdAt, expiresAt, misses } = timeline
  const story = storyOf(facts)
  const explanation = explain(facts)
  const name = nameIn(facts)
  return html`
    <article class="flow" aria-labelledby="subject">
      <header class="mail-head flow-head">
        ${backLink}
        <h2 id="subject" tabindex="-1">${intents[intent].noun}${name === undefined ? '' : ` of ${name}`}</h2>
        <dl class="facts">
          <div><dt>Transaction</dt><dd><code>${id}</code></dd></div>
          <div><dt>App</dt><dd>${clientId}</dd></div>
          <div><dt>User</dt><dd>${personId ?? (identifier !== null ? 'there is no user with this name' : name === undefined ? 'none was named yet' : 'not authenticated yet')}${facts.personStatus && ` (${facts.personStatus})`}</dd></div>
          <div><dt>Began</dt><dd>${moment(createdAt, 'long')}</dd></div>
          ${timeline.closed === null && html`<div><dt>Open until</dt><dd>${moment(expiresAt, 'long')}</dd></div>`}
          ${misses > 0 && html`<div><dt>Wrong answers</dt><dd>${misses}</dd></div>`}
        </dl>
        ${verdict(explanation, isOpen(facts))}
      </header>
      ${storyPart(story, addressOf)}
      ${diagramPart(id, story, explanation)}
    </article>`
}

/** The page of an exchange that belongs to no transaction. */
export function strayView(facts: StrayFacts): Html {
  const { exchange, client } = facts
  const story: readonly Chapter[] = [
    { kind: 'exchange', at: exchange.at, exchange, events: [], budgets: [], mails: [] },
  ]
  const explanation = explainStray(facts)
  return html`
    <article class="flow" aria-labelledby="subject">
      <header class="mail-head flow-head">
        ${backLink}
        <h2 id="subject" tabindex="-1">No transaction</h2>
        <dl class="facts">
          <div><dt>App</dt><dd>${client?.label ?? 'not registered'}</dd></div>
          <div><dt>When</dt><dd>${moment(isoTime(exchange.at), 'long')}</dd></div>
        </dl>
        ${verdict(explanation, false)}
      </header>
      ${storyPart(story, () => undefined)}
      ${diagramPart(exchange.id, story, explanation)}
    </article>`
}

const verdict = (explanation: Explanation, goesOn: boolean): Html => {
  const { cause, advice, tone } = explanation
  return html`<div class="verdict is-${tone}" data-cause="${cause}">
    ${stateChip(explanation, goesOn)}
    <p class="verdict-text">${shown(explanation)}</p>
    ${advice !== undefined && html`<p class="verdict-advice">${advice}</p>`}
  </div>`
}

const storyPart = (story: readonly Chapter[], addressOf: MailAddress): Html => html`
  <section class="flow-part" aria-labelledby="story-title">
    <h3 id="story-title">What happened</h3>
    ${story.length === 0 && html`<p class="quiet">Nothing was recorded: the transaction began before this engine was started.</p>`}
    <ol class="story">${story.map((chapter) => chapterOf(chapter, addressOf))}</ol>
  </section>`

function chapterOf(chapter: Chapter, addressOf: MailAddress): Html {
  const time = moment(isoTime(chapter.at), 'second')
  switch (chapter.kind) {
    case 'exchange':
      return exchangeChapter(chapter, time)
    case 'mail':
      return small('mail', time, mailEnd(chapter.mail, addressOf), chapter.mail.error)
    case 'clock': {
      const { byMs } = chapter.move
      return small(
        'clock',
        time,
        `The clock was moved ${byMs < 0 ? 'back' : 'ahead'} by ${spanInWords('en', Math.abs(byMs))}.`,
      )
    }
    case 'event':
      return small('event', time, chapter.event.displayMessage, chapter.event.eventType)
  }
}

const small = (kind: string, time: Html, text: Html | string, more?: string): Html => html`
  <li class="chapter is-${kind}"><div class="chapter-head">${time}<span>${text}</span></div>
    ${more !== undefined && html`<p class="quiet">${more}</p>`}</li>`

/** The end of a mail; a delivered one leads to the inbox. */
const openWords = { email: 'Open the mail', sms: 'Open the text', voice: 'Open the call' } as const

const mailEnd = (mail: MailFacts, addressOf: MailAddress): Html => {
  const { id, template, state, isWithoutRecipient, attempts } = mail
  if (isWithoutRecipient) return html`${template}: dropped, because it had no recipient.`
  const tries = attempts > 1 ? ` after ${attempts} attempts` : ''
  const words = {
    sent: `delivered${tries}`,
    dead: 'given up',
    expired: 'expired before it could be sent',
    dropped: 'dropped',
    waiting: 'waiting',
  }
  const address = addressOf(id)
  return html`${template}: ${words[state]}.${address !== undefined && html` <a href="${address}">${openWords[mail.channel]}</a>`}`
}

function exchangeChapter(chapter: Extract<Chapter, { kind: 'exchange' }>, time: Html): Html {
  const { exchange, events, budgets, mails } = chapter
  const { status, reason } = exchange
  const refused = isRefused(exchange)
  return html`
    <li class="chapter${refused && ' is-refused'}">
      <div class="chapter-head">${time}<strong>${titleOf(exchange)}</strong>${stagesOf(exchange)}</div>
      <p class="wire"><code>${exchange.method} ${exchange.path}</code><span class="status${refused && ' is-bad'}">${status}</span>
        <span class="quiet">${Math.max(1, Math.round(exchange.durationMs))} ms</span>
        ${exchange.times > 1 && html`<span class="quiet">${exchange.times} times</span>`}
        ${exchange.browser !== undefined && html`<span class="quiet">${exchange.browser}</span>`}</p>
      <dl class="wire-facts">
        ${Object.keys(exchange.sent).length > 0 && html`<div><dt>Sent</dt><dd><ul class="fields">${Object.entries(exchange.sent).map(([name, value]) => html`<li><code>${name}</code> ${value}</li>`)}</ul></dd></div>`}
        ${exchange.messages.length > 0 && html`<div><dt>Messages</dt><dd>${exchange.messages.map((key) => html`<code>${key}</code> `)}${exchange.hint}</dd></div>`}
        ${reason !== undefined && reason !== 'alive' && html`<div><dt>Because</dt><dd>${reason}</dd></div>`}
        ${exchange.offered.length > 0 && html`<div><dt>Offered</dt><dd><ul class="fields">${exchange.offered.map((name) => html`<li><code>${name}</code></li>`)}</ul></dd></div>`}
        ${exchange.successorId !== undefined && html`<div><dt>Continued in</dt><dd><a href="/flows/${exchange.successorId}">${exchange.successorId}</a></dd></div>`}
        ${mails.length > 0 && html`<div><dt>${headOf(mails)}</dt><dd>${mails.map(mailLine)}</dd></div>`}
        ${budgets.length > 0 && html`<div><dt>Budgets</dt><dd><ul class="fields">${budgets.map(([name, used]) => html`<li><code>${name}</code> ${used}</li>`)}</ul></dd></div>`}
      </dl>
      ${
        events.length > 0 &&
        html`<details class="logged"><summary>${events.length === 1 ? '1 log event' : `${events.length} log events`}</summary>
        <ul>${events.map((event) => html`<li><code>${event.eventType}</code> ${event.outcome.result}${event.outcome.reason && ` · ${event.outcome.reason}`}${event.debugContext.debugData.rule && ` · rule ${event.debugContext.debugData.rule}`}</li>`)}</ul></details>`
      }
    </li>`
}

/** How what was queued is called together. */
const headOf = (mails: readonly MailFacts[]): string => {
  const [channel, ...others] = new Set(mails.map((mail) => mail.channel))
  return others.length > 0
    ? 'Messages sent'
    : { email: 'Mail', sms: 'Text', voice: 'Call' }[channel ?? 'email']
}

const mailLine = ({ template, isWithoutRecipient, state, error, attempts }: MailFacts): Html =>
  html`<span>${template} queued${isWithoutRecipient && ' without a recipient'}${state === 'waiting' && error !== undefined && `, not accepted after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${error}`}</span>`

function titleOf({ endpoint, path, step, status }: Recorded): string {
  if (endpoint === 'interact') return status < 400 ? 'The app starts' : 'The app is refused'
  if (endpoint === 'token') return status < 400 ? 'The app gets its tokens' : 'The app gets no tokens'
  if (endpoint === 'link') return 'The mailed link is opened'
  if (endpoint === 'authorize') return 'The app sends the browser to authorize'
  if (endpoint === 'origin') return 'The browser hides the answer from the page'
  if (endpoint === 'unknown') return 'Nothing is served there'
  if (endpoint === 'oauth' || endpoint === 'api') return 'The call is refused'
  return step ?? path.split('/idp/idx/')[1] ?? path
}

const stagesOf = ({ stageBefore, stageAfter }: Recorded): Html | false =>
  stageAfter !== undefined &&
  html`<span class="stages">${stageBefore !== stageAfter && stageBefore !== undefined && html`<span class="stage">${stageBefore}</span><span class="to" role="img" aria-label="then">→</span>`}<span class="stage is-now">${stageAfter}</span></span>`

function diagramPart(id: string, story: readonly Chapter[], explanation: Explanation): Html {
  const arrows = arrowsOf(story)
  const text = mermaidOf(arrows, plain(explanation.sentence))
  return html`
  <section class="flow-part" aria-labelledby="diagram-title">
    <div class="part-head"><h3 id="diagram-title">Sequence</h3>
      <a class="plain" href="/flows/${id}/har" download="${id}.har">${icons.download}HAR</a></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Sequence diagram">${pictureOf(arrows, `Sequence of ${arrows.length} messages; the list above has the same content`)}</div>
    <div class="part-head"><label for="mermaid">The same as Mermaid</label>${copyButton(text, 'diagram', 'Copy')}</div>
    <textarea id="mermaid" class="mermaid" readonly rows="8" spellcheck="false">${text}</textarea>
  </section>`
}

export const missingFlow: Html = html`
  <div class="hollow">
    ${html`<a class="back" href="/flows">${icons.back}All flows</a>`}
    <h2 id="subject" tabindex="-1">This flow is gone</h2>
    <p>The engine was reset, or the flow was dropped because the limit was reached.</p>
  </div>`

const backLink = html`<a class="back" href="/flows">${icons.back}All flows</a>`
