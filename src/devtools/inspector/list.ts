import { type Html, html, isoTime } from '../../base/index.ts'
import { intents } from '../../flow/index.ts'
import { toneChip as chip, moment } from '../../ui/index.ts'
import { type Explanation, explain, explainStray } from './explain/index.ts'
import { type FlowFacts, isOpen, nameIn, type StrayFacts, timeIn } from './facts.ts'

/** An entry of the list: a transaction, or an exchange that belongs to none. */
export interface Listed {
  readonly id: string
  readonly at: number
  readonly title: string
  readonly label: string
  /** Whether it can go on: a transaction that is open stays open after a wrong answer. */
  readonly isOpen: boolean
  readonly explanation: Explanation
}

export const listedFlow = (facts: FlowFacts): Listed => {
  const { id, intent, updatedAt } = facts.timeline
  return {
    id,
    at: Math.max(timeIn(updatedAt), facts.exchanges.at(-1)?.at ?? 0),
    title: nameIn(facts) ?? 'No user named yet',
    label: intents[intent].noun,
    isOpen: isOpen(facts),
    explanation: explain(facts),
  }
}

const strayTitles = {
  interact: 'Refused at interact',
  idx: 'Unknown handle',
  link: 'Unknown link',
  token: 'Refused at token',
  authorize: 'Sign-in by redirect',
  oauth: 'Refused call',
  api: 'Refused API call',
  origin: 'Untrusted origin',
  unknown: 'Unknown address',
} as const

export const listedStray = (facts: StrayFacts): Listed => ({
  id: facts.exchange.id,
  at: facts.exchange.at,
  title: strayTitles[facts.exchange.endpoint],
  label: facts.client?.label ?? 'No app',
  isOpen: false,
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

/** The state of a flow. One that was refused something and can go on is not stopped: the user may try again. */
export const stateChip = ({ tone }: Explanation, isOpen: boolean): Html =>
  chip(tone, tone === 'bad' && isOpen ? 'Open' : toneWords[tone])

const row = ({ id, at, title, label, isOpen: goesOn, explanation }: Listed, isShown: boolean): Html => html`
  <li class="${isShown ? 'row is-open' : 'row'}" data-id="${id}">
    <a class="row-link" href="/flows/${id}"${isShown && html` aria-current="true"`}>
      <span class="row-to">${title}</span>
      ${moment(isoTime(at), 'short')}
      <span class="row-subject">${shown(explanation)}</span>
      <span class="row-chips">${stateChip(explanation, goesOn)}<span class="quiet">${label}</span></span>
    </a>
  </li>`
