import { type Html, html } from '../html.ts'
import type { Content } from '../layout.ts'
import type { Authenticator, Enrollment } from '../my-account.ts'
import type { Words } from '../words.ts'
import { csrfField, inputField, postForm } from './form.ts'
import type { View } from './page.ts'

/** One thing that the user signs in with, as its row shows it. */
export interface Method {
  readonly authenticator: Authenticator
  readonly enrollment: Enrollment
  /** The number of a phone. */
  readonly phoneNumber?: string | undefined
}

export const methodsPath = '/methods'
export const pathOf = ({ authenticator, enrollment }: Method, what: 'name' | 'remove'): string =>
  `${methodsPath}/${authenticator.id}/${enrollment.id}/${what}`

/** How a method is called: by the name that the user has given it, or else by what it is. */
export const nameOf = ({ authenticator, enrollment }: Method, words: Words): string =>
  enrollment.nickname || kindOf(authenticator, words)

/** Okta's name of passkeys, “Security Key or Biometric”, is the one of the protocol: users know the other one. */
export const kindOf = ({ key, name }: Pick<Authenticator, 'key' | 'name'>, { methods }: Words): string =>
  methods.kinds[key] ?? name

/** What the signed-in user signs in with, and what may be added. */
export function methodsPage(
  view: Pick<View, 'words' | 'csrf'>,
  methods: readonly Method[],
  addable: readonly Authenticator[],
): Content {
  const words = view.words.methods
  return {
    title: words.title,
    badge: 'key',
    body: html`<ul class="methods">
${methods.map((method) => row(method, view.words))}
</ul>
${
  addable.length > 0 &&
  html`<h2>${words.add}</h2>
<ul class="methods">
${addable.map(
  ({ key, name }) => html`<li class="method">
<div class="method-facts"><strong id="add-${key}">${kindOf({ key, name }, view.words)}</strong>${view.words.enroll.hints[key] !== undefined && html`<small>${view.words.enroll.hints[key]}</small>`}</div>
<form method="post" action="${methodsPath}/add">
${csrfField(view.csrf)}
<input type="hidden" name="key" value="${key}">
<button type="submit" class="small" aria-describedby="add-${key}">${words.addButton}</button>
</form>
</li>`,
)}
</ul>`
}
<nav class="links"><a href="/">${words.home}</a></nav>`,
  }
}

function row(method: Method, words: Words): Html {
  const { authenticator, enrollment, phoneNumber } = method
  const { rename, remove, facts } = words.methods
  const id = `method-${enrollment.id}`
  const { nickname, created, lastChallenged, profile, canUnenroll, settlesAt, waitingUntil } = enrollment
  const lines = [
    nickname && nickname !== kindOf(authenticator, words) && kindOf(authenticator, words),
    phoneNumber ?? profile?.phoneNumber ?? profile?.email,
    lastChallenged !== undefined
      ? facts.used(day(lastChallenged, words))
      : created !== undefined && facts.added(day(created, words)),
    settlesAt !== undefined && waitingUntil === undefined && facts.settles(moment(settlesAt, words)),
    waitingUntil !== undefined && facts.removal(moment(waitingUntil, words)),
  ].filter((line) => typeof line === 'string')
  return html`<li class="method">
<div class="method-facts"><strong id="${id}">${nameOf(method, words)}</strong>${lines.map((line) => html`<small>${line}</small>`)}</div>
<p class="actions">
${nickname !== undefined && canUnenroll && html`<a href="${pathOf(method, 'name')}" aria-describedby="${id}">${rename}</a>`}
${canUnenroll && waitingUntil === undefined && html`<a href="${pathOf(method, 'remove')}" aria-describedby="${id}">${remove}</a>`}
</p>
</li>`
}

const day = (time: string, words: Words): string => words.day.format(new Date(time))
/** A time of the account in words: the sample app does not know the user's time zone. */
export const moment = (time: string, words: Words): string => `${words.date.format(new Date(time))} UTC`

/** Give a method a name, to tell it from others. */
export function namePage(view: View, method: Method): Content {
  const words = view.words.methods
  return {
    title: words.nameTitle,
    badge: 'key',
    body: html`<p class="lead">${words.nameLead(kindOf(method.authenticator, view.words))}</p>
${postForm(
  view,
  pathOf(method, 'name'),
  inputField(view, {
    name: 'nickname',
    label: words.nameLabel,
    autocomplete: 'off',
    value: method.enrollment.nickname ?? '',
    first: true,
    optional: true,
    maxLength: 100,
  }),
  words.save,
)}
<nav class="links"><a href="${methodsPath}">${words.back}</a></nav>`,
  }
}

/** Remove a method; with a way for a user who has lost it, and cannot prove it any more. */
export function removePage(view: Pick<View, 'words' | 'csrf'>, method: Method, isLost: boolean): Content {
  const words = view.words.methods
  const to = pathOf(method, 'remove')
  return {
    title: words.removeTitle(nameOf(method, view.words)),
    badge: 'lock',
    body: html`<p class="lead">${isLost ? words.lostLead : words.removeLead}</p>
<form method="post" action="${to}">
${csrfField(view.csrf)}
${isLost && html`<input type="hidden" name="wait" value="true">`}
<button type="submit" class="primary">${isLost ? words.removeLater : words.remove}</button>
</form>
${!isLost && html`<p class="other"><a href="${to}?lost=yes">${words.lost}</a></p>`}
<nav class="links"><a href="${methodsPath}">${words.back}</a></nav>`,
  }
}
