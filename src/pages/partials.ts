import { type Html, html } from '../base/index.ts'
import { fill, type PageWords } from '../i18n/index.ts'
import { iconOf, icons } from './icons.ts'
import { choiceName } from './read-form.ts'
import {
  type Described,
  fieldsOfOption,
  type IdxForm,
  type IdxOption,
  type IdxResponse,
  innerOf,
  membersOf,
  partAt,
  shownAs,
} from './response.ts'

/**
 * The secret of an authenticator app, as a picture and in groups to type. Only a picture that the engine has
 * drawn is shown.
 */
export function keyPicture(data: Readonly<Record<string, unknown>>, words: PageWords): Html | false {
  const { href } = membersOf(data.qrcode)
  const { sharedSecret } = data
  const isPicture = typeof href === 'string' && href.startsWith('data:image/png;base64,')
  if (!isPicture && typeof sharedSecret !== 'string') return false
  return html`${isPicture && html`<img class="qr" src="${href}" alt="${words.app.qrCode}" width="200" height="200">`}
${
  typeof sharedSecret === 'string' &&
  html`<p class="key">${words.app.noScan}<br><code dir="ltr">${(sharedSecret.match(/.{1,4}/g) ?? []).map((group) => html`<span>${group}</span>`)}</code></p>`
}`
}

/** The recovery codes of a user, to be printed or copied. */
export function codesList({ recoveryCodes }: Readonly<Record<string, unknown>>): Html | false {
  if (!Array.isArray(recoveryCodes)) return false
  return html`<ul class="codes" dir="ltr">${recoveryCodes.map((code) => html`<li><code>${String(code)}</code></li>`)}</ul>`
}

/** The rules of a password, from the settings of its authenticator. */
export function passwordRules(settings: unknown, words: PageWords): Html | false {
  const { complexity, age } = membersOf(settings)
  const { minLength, excludeUsername, excludeAttributes, ...counts } = membersOf(complexity)
  const attributes = Array.isArray(excludeAttributes) ? excludeAttributes : []
  const isAsked = (value: unknown): boolean => typeof value === 'number' && value > 0
  const say = words.newPassword
  const rules = [
    isAsked(minLength) && fill(say.minLength, { count: String(minLength) }),
    isAsked(counts.minLowerCase) && say.minLowerCase,
    isAsked(counts.minUpperCase) && say.minUpperCase,
    isAsked(counts.minNumber) && say.minNumber,
    isAsked(counts.minSymbol) && say.minSymbol,
    excludeUsername === true && say.excludeUsername,
    attributes.includes('firstName') && say.excludeFirstName,
    attributes.includes('lastName') && say.excludeLastName,
    isAsked(membersOf(age).historyCount) && say.history,
  ].filter((rule) => typeof rule === 'string')
  return (
    rules.length > 0 &&
    html`<div class="rules" id="rules"><p>${say.rules}</p><ul>${rules.map((rule) => html`<li>${rule}</li>`)}</ul></div>`
  )
}

/** One thing to choose from a list: an authenticator, an enrollment, or one of its methods. */
interface Choice {
  readonly value: string
  readonly key: string
  readonly method?: string
  readonly label: string
  readonly hint: string | undefined
  /** Which of several, such as the number of a phone. */
  readonly detail: string | undefined
}

/**
 * What can be chosen. Where a method is to be chosen, too, each is a choice of its own, so that one press is
 * enough.
 */
export function choicesOf(
  options: readonly IdxOption[],
  response: IdxResponse,
  words: PageWords,
  isEnrolling: boolean,
): readonly Choice[] {
  const names: Readonly<Record<string, string>> = words.methods
  const hints: Readonly<Record<string, string>> = isEnrolling ? words.enrollHints : words.hints
  return options.flatMap((option, index): readonly Choice[] => {
    const about = partAt(response, option.relatesTo)
    const { key = '' } = about
    const label = names[key] ?? option.label
    const detail = isEnrolling ? undefined : detailOf(about, key, option.label)
    const methods = methodsIn(option)
    if (isEnrolling || methods.length < 2) {
      return [{ value: String(index), key, label, hint: hints[key], detail }]
    }
    return methods.map((method) => ({
      value: `${index}:${method.value}`,
      key,
      method: method.value,
      label: names[method.value] ?? method.label,
      hint: hints[method.value] ?? hints[key],
      detail,
    }))
  })
}

const methodsIn = (option: IdxOption) => {
  const field = (fieldsOfOption(option) ?? []).find(({ name }) => name === 'methodType')
  return field === undefined ? [] : shownAs(field).values
}

function detailOf(
  { profile = {}, nickname, displayName }: Described,
  key: string,
  label: string,
): string | undefined {
  const { phoneNumber, email } = profile
  const shown = [nickname, key === 'webauthn' ? displayName : undefined, phoneNumber, email].filter(
    (one) => typeof one === 'string' && one !== label,
  )
  return shown.join(' · ') || undefined
}

const choiceText = ({ label, hint, detail }: Choice): Html =>
  html`<span class="choice-text"><strong>${label}</strong>${detail !== undefined && html` <small class="detail"><bdi dir="ltr">${detail}</bdi></small>`}${hint !== undefined && html` <small>${hint}</small>`}</span>`

/** A list of buttons: one press chooses and sends. */
export const choiceButtons = (choices: readonly Choice[], isFocused: boolean): Html =>
  html`<ul class="choices">${choices.map(
    (choice, index) =>
      html`<li><button type="submit" class="choice" name="${choiceName}" value="${choice.value}"${isFocused && index === 0 && html` autofocus`}><span class="choice-icon">${icons[iconOf(choice.key, choice.method)]}</span>${choiceText(choice)}<span class="chevron" aria-hidden="true"></span></button></li>`,
  )}</ul>`

/** The same as circles, in a form that asks for more. */
export const choiceCircles = (
  choices: readonly Choice[],
  legend: string,
  chosen: string | undefined,
): Html => {
  const first = choices.some(({ value }) => value === chosen) ? chosen : choices[0]?.value
  return html`<fieldset class="field"><legend>${legend}</legend>${choices.map(
    (choice) =>
      html`<label class="option"><input type="radio" name="${choiceName}" value="${choice.value}" required${choice.value === first && html` checked`}>${choiceText(choice)}</label>`,
  )}</fieldset>`
}

/** What the script of a passkey reads of its form. Undefined where the form asks for none. */
export function passkeyData(
  form: IdxForm,
  response: IdxResponse,
):
  | {
      readonly ask: 'create' | 'get' | 'autofill'
      readonly options: unknown
      readonly names: readonly string[]
    }
  | undefined {
  const credentials = (form.value ?? []).find(({ name }) => name === 'credentials')
  const fields = credentials === undefined ? [] : (innerOf(credentials) ?? [])
  const names = fields.flatMap(({ name, visible }) => (visible === false ? [`credentials.${name}`] : []))
  if (!names.includes('credentials.clientData')) return undefined
  if (form.name.includes('autofill') || form.name === 'launch-passkeys-authenticator') {
    const { challengeData } = response.webauthnAutofillUIChallenge?.value ?? {}
    const ask = form.name.includes('autofill') ? 'autofill' : 'get'
    return { ask, names, options: { data: challengeData, known: [] } }
  }
  const { contextualData = {} } = response.currentAuthenticator?.value ?? {}
  const { activationData, challengeData } = contextualData
  if (activationData !== undefined) {
    const { excludeCredentials } = membersOf(activationData)
    return { ask: 'create', names, options: { data: activationData, known: excludeCredentials ?? [] } }
  }
  const known = (response.authenticatorEnrollments?.value ?? []).flatMap(
    ({ key, credentialId, transports }) =>
      key === 'webauthn' && typeof credentialId === 'string' ? [{ id: credentialId, transports }] : [],
  )
  return { ask: 'get', names, options: { data: challengeData, known } }
}
