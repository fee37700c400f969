import { type Html, html, isoTime } from '../../base/index.ts'
import { intents } from '../../flow/index.ts'
import { moment } from '../inbox/parts.ts'
import { type Explanation, explain, explainStray } from './explain/index.ts'
import { type FlowFacts, type StrayFacts, timeIn } from './facts.ts'

/** An entry of the list: a transaction, or an exchange that belongs to none. */
export interface Listed {
  readonly id: string
  readonly at: number
  readonly title: string
  readonly label: string
  readonly explanation: Explanation
}

export const listedFlow = (facts: FlowFacts): Listed => {
  const { id, identifier, intent, updatedAt } = facts.timeline
  return {
    id,
    at: Math.max(timeIn(updatedAt), facts.exchanges.at(-1)?.at ?? 0),
    title: identifier ?? 'Not identified yet',
    label: intents[intent].noun,
    explanation: explain(facts),
  }
}

const strayTitles = {
  interact: 'Refused at interact',
  idx: 'Unknown handle',
  link: 'Unknown link',
  token: 'Unknown code',
}

export const listedStray = (facts: StrayFacts): Listed => ({
  id: facts.exchange.id,
  at: facts.exchange.at,
  title: strayTitles[facts.exchange.endpoint],
  label: facts.client?.label ?? 'No app',
  explanation: explainStray(facts),
})

export const newestFirst = (listed: readonly Listed[]): readonly Listed[] =>
  listed.toSorted((a, b) => b.at - a.at)

export function flowList(listed: readonly Listed[], open: string | undefined): Html {
  return html`
    <p class="count" id="count">${listed.length === 1 ? '1 flow' : `${listed.length} flows`}</p>
    <ol class="rows">${listed.map((one) => row(one, one.id === open))}</ol>`
}

/** Renders the sentence with its times, which the script converts to the time zone of the browser. */
export const shown = ({ sentence }: Explanation): readonly Html[] =>
  sentence.map((part) => (typeof part === 'string' ? html`${part}` : moment(isoTime(part.at), 'clock')))

const toneWords = { good: 'Done', waiting: 'Waiting', bad: 'Stopped' } as const

/** Renders the state as a word and a colour. The word alone is sufficient for accessibility. */
export const toneChip = ({ tone }: Explanation): Html =>
  html`<span class="tone is-${tone}">${toneWords[tone]}</span>`

const row = ({ id, at, title, label, explanation }: Listed, isOpen: boolean): Html => html`
  <li class="${isOpen ? 'row is-open' : 'row'}" data-id="${id}">
    <a class="row-link" href="/flows/${id}"${isOpen && html` aria-current="true"`}>
      <span class="row-to">${title}</span>
      ${moment(isoTime(at), 'short')}
      <span class="row-subject">${shown(explanation)}</span>
      <span class="row-chips">${toneChip(explanation)}<span class="quiet">${label}</span></span>
    </a>
  </li>`
