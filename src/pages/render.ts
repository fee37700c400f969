import { type Html, html } from '../base/index.ts'
import { type BrandStyle, brandLinks } from '../brand/index.ts'
import { directionOf, fill, languageFor, type PageWords, pageWordsFor } from '../i18n/index.ts'
import { selectorOf } from '../interactions/index.ts'
import { captchaField, captchaOf, type PageCaptcha } from './captcha.ts'
import { consentForm, isConsent } from './consent.ts'
import {
  type Asked,
  type Entry,
  entriesOf,
  type FieldContext,
  focusOf,
  hiddenFields,
  renderEntry,
  sentence,
} from './fields.ts'
import { type Icon, icons } from './icons.ts'
import { buttonOf, type Layout, layoutOf } from './layout.ts'
import { isError, messageText } from './messages.ts'
import { choiceButtons, choiceCircles, choicesOf, passkeyData } from './partials.ts'
import { choiceName } from './read-form.ts'
import {
  currentOf,
  fieldsOfOption,
  formsIn,
  formsOf,
  type IdxField,
  type IdxForm,
  type IdxMessage,
  type IdxResponse,
  innerOf,
  partAt,
} from './response.ts'

/** Whose pages they are. */
export interface Brand {
  /** The engine's public address, without a slash at the end. */
  readonly base: string
  readonly name: string
  /** What it adds to the look; absent: the name alone. */
  readonly look?: BrandStyle
  /** What follows the path of the pages in the address of this one. */
  readonly query?: string
}

export interface PageOptions {
  /** What is posted with a form to show that it is of this page: `page`. */
  token?(form: IdxForm): string
  /** What was typed before, by path; never a secret. */
  readonly values?: Readonly<Record<string, string>>
  /** Where the script of a captcha comes from in place of its provider. */
  readonly captchaScript?: string | undefined
  /** Something that the page itself has to say, above its messages. */
  readonly notice?: string
  /** Where an end leads. */
  readonly wayOn?: WayOn | undefined
}

/** An app and the address of its pages; without a label: where a transaction of no app is begun again. */
interface WayOn {
  readonly label?: string
  readonly address: string
}

/** Where the forms are sent to, and where the page is: below the engine's address. */
export const signInPath = '/signin'

/** Where a transaction that no app has begun ends: below the engine's address. */
export const endPath = `${signInPath}/done`

/** The address of the page of a transaction: others of the browser have pages of their own. */
export const pageAddress = (base: string, handle: string): string =>
  `${base}${signInPath}${pageQuery(handle)}`

/** What that address has after the path. */
export const pageQuery = (handle: string): string => `?t=${selectorOf(handle)}`

/** Where a sign-in that is complete goes back to its app; the selector names the cookie that ends with it. */
export const returnAddress = (base: string, handle: string, stateToken: string): string =>
  `${base}/login/token/redirect?${new URLSearchParams({ stateToken, t: selectorOf(handle) })}`

export const stylesheetPath = '/assets/signin.css'
export const passkeyScriptPath = '/assets/signin-passkey.js'

interface Context {
  readonly response: IdxResponse
  readonly words: PageWords
  readonly language: string
  readonly action: string
  readonly values: Readonly<Record<string, string>>
  readonly captcha: PageCaptcha | undefined
  token(form: IdxForm): string
}

/**
 * The page of an IDX response. Everything that the response offers is a form of it, with every field in it,
 * so that an authenticator that this function does not know has a page as well. It needs no JavaScript, but
 * for passkeys.
 *
 * @param language the wanted locales, the preferred one first: `de-AT,de,en`
 */
export function renderPage(
  response: IdxResponse,
  brand: Brand,
  language: string | undefined,
  { token = () => '', values = {}, notice, wayOn, captchaScript }: PageOptions = {},
): string {
  const words = pageWordsFor(language)
  const context: Context = {
    ...{ response, words, token, values, captcha: captchaOf(response, captchaScript) },
    language: languageFor(language),
    action: `${brand.base}${signInPath}${brand.query ?? ''}`,
  }
  const messages = response.messages?.value ?? []
  const [main, ...others] = response.remediation?.value ?? []
  if (main === undefined) return endPage(messages, brand, context, wayOn)

  const layout = layoutOf(main, response, words)
  const rest = [...others, ...formsIn(response).filter((form) => !response.remediation?.value.includes(form))]
  const isWrong = messages.some(isError) || hasFieldErrors(main.value ?? [])
  const user = main.name === 'identify' ? undefined : response.user?.value.identifier
  return document(brand, context, {
    title: layout.title,
    isWrong,
    scripts: [main, ...others].some((form) => passkeyData(form, response) !== undefined),
    captcha: context.captcha,
    body: html`${badge(layout.icon)}<h1>${layout.title}</h1>
${!isConsent(main) && leadOf(layout)}
${user !== undefined && html`<p class="who">${icons.user}<span>${sentence(words.forUser, { user })}</span></p>`}
${isConsent(main) && leadOf(layout)}
${appLine(main, response, words)}
${messageBox(messages, words, notice)}
${layout.before}
${formOf(main, layout, context, { isMain: true, hasMessages: messages.length > 0 || notice !== undefined })}
${alternatives(main, rest, context)}`,
  })
}

/** Above the list of what an app wants it is the beginning of each entry: nothing comes between. */
const leadOf = ({ lead }: Layout): Html | false => lead !== undefined && html`<p class="lead">${lead}</p>`

/**
 * Which app the user goes on to, on every page: of two that a browser is at, a page of the one is not taken
 * for one of the other (A71). The first page says it in its lead, a consent in its title.
 */
function appLine(main: IdxForm, response: IdxResponse, words: PageWords): Html | false {
  const app = response.app?.value.label
  return (
    main.name !== 'identify' &&
    !isConsent(main) &&
    app !== undefined &&
    html`<p class="for-app">${sentence(words.toApp, { app })}</p>`
  )
}

/** A page that is no step: there is nothing to send. */
export function renderNotice(
  brand: Brand,
  language: string | undefined,
  page: {
    readonly title: (words: PageWords) => string
    readonly text: (words: PageWords) => string
    readonly wayOn?: WayOn | undefined
    /** Absent: that of something that did not work. */
    readonly icon?: Icon
    /** What follows the text. */
    readonly more?: (words: PageWords) => Html | false
  },
): string {
  const words = pageWordsFor(language)
  const context = { language: languageFor(language), words }
  return document(brand, context, {
    title: page.title(words),
    isWrong: false,
    scripts: false,
    body: html`${badge(page.icon ?? 'failed')}<h1>${page.title(words)}</h1><p class="lead" role="status">${page.text(words)}</p>${page.more?.(words)}${wayOnLink(page.wayOn, words)}`,
  })
}

/** The addresses of the engine itself: what an operator or a user opens who has one of them only. */
const ownPaths = ['/', '/oauth2', '/oauth2/default']

/**
 * What an address of the engine itself shows in a browser: the name of the org, and where a sign-in begins.
 * Undefined for every other path. `basePath` is the path of the public address, without a slash at the end.
 */
export const renderFront = (
  brand: Brand,
  language: string | undefined,
  { path, basePath }: { readonly path: string; readonly basePath: string },
): string | undefined => {
  const own = path === basePath ? '/' : path.slice(basePath.length).replace(/(?<=.)\/$/, '')
  if (!path.startsWith(basePath) || !ownPaths.includes(own)) return undefined
  return renderNotice(brand, language, {
    title: ({ end }) => end.noneTitle,
    text: ({ end }) => end.none,
  })
}

function document(
  { base, name: ownName, look }: Brand,
  { words, language }: Pick<Context, 'words' | 'language'>,
  page: {
    readonly title: string
    readonly isWrong: boolean
    readonly scripts: boolean
    readonly captcha?: PageCaptcha | undefined
    readonly body: Html
  },
): string {
  const { title, isWrong, scripts, captcha, body } = page
  const name = look?.name ?? ownName
  const shown = isWrong ? fill(words.errorTitle, { title }) : title
  return html`<!doctype html>
<html lang="${language}" dir="${directionOf(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${shown} · ${name}</title>
<link rel="stylesheet" href="${base}${stylesheetPath}">
${look?.stylesheet !== undefined && html`<link rel="stylesheet" href="${base}${look.stylesheet}">`}
${scripts && html`<script src="${base}${passkeyScriptPath}" type="module"></script>`}
${captcha !== undefined && html`<script src="${captcha.script}" async defer></script>`}
</head>
<body>
<header class="brand">${
    look?.logo === undefined
      ? html`<span class="mark" aria-hidden="true">${[...name.trim()][0]?.toUpperCase() ?? ''}</span>`
      : html`<img class="logo" src="${base}${look.logo}" alt="">`
  }<span class="brand-name">${name}</span></header>
<main class="card">
${body}
</main>${brandFooter(look, words)}
</body>
</html>
`.markup
}

/** Nothing that the address is opened from is sent with it. */
const brandFooter = (look: BrandStyle | undefined, words: PageWords): Html | false => {
  const links = brandLinks.flatMap((one) => {
    const address = look?.links[one]
    return address === undefined
      ? []
      : [html`<a href="${address}" rel="noopener noreferrer">${words.brand[one]}</a>`]
  })
  return (
    links.length > 0 &&
    html`
<footer class="brand-links">${links}</footer>`
  )
}

const badge = (icon: Icon | undefined): Html | false =>
  icon !== undefined && html`<div class="badge badge-${icon}">${icons[icon]}</div>`

function messageBox(
  messages: readonly IdxMessage[],
  words: PageWords,
  notice: string | undefined,
): Html | false {
  const errors = messages.filter(isError)
  const others = messages.filter((message) => !isError(message))
  const textOf = (message: IdxMessage) => html`<p>${messageText(message, words)}</p>`
  if (messages.length === 0 && notice === undefined) return false
  return html`<div id="messages">${errors.length > 0 && html`<div class="message error" role="alert">${errors.map(textOf)}</div>`}
${(others.length > 0 || notice !== undefined) && html`<div class="message" role="status">${notice !== undefined && html`<p>${notice}</p>`}${others.map(textOf)}</div>`}</div>`
}

const hasFieldErrors = (fields: readonly IdxField[]): boolean =>
  fields.some((field) => (field.messages?.value.length ?? 0) > 0 || hasFieldErrors(innerOf(field) ?? []))

/** A form with all that it asks for. */
function formOf(
  form: IdxForm,
  layout: Layout,
  context: Context,
  { isMain, hasMessages = false }: { readonly isMain: boolean; readonly hasMessages?: boolean },
): Html {
  const { response, words, action, token, values, language, captcha } = context
  const passkey = passkeyData(form, response)
  if (passkey !== undefined) return passkeyForm(form, passkey, layout.button, context)
  if (isConsent(form)) return consentForm(form, response, words, { action, token: token(form) })
  const described = [hasMessages && 'messages', layout.rules && 'rules'].filter(
    (id) => typeof id === 'string',
  )
  const fields: FieldContext = {
    ...{ words, language, values },
    idPrefix: isMain ? '' : `${form.name}-`,
    described: isMain && described.length > 0 ? described.join(' ') : undefined,
  }
  const own = form.value ?? []
  const choosing = own.find((field) => formsOf(field) !== undefined)
  const asked = entriesOf(own, fields, layout.asked)
  const focused: FieldContext = isMain ? { ...fields, focus: focusOf(asked) } : fields
  const open = html`<form method="post" action="${action}">${hiddenFields(form, token(form))}`
  const human = captchaField(form, captcha, words)
  if (choosing?.name === 'authenticator') {
    const isEnrolling = form.name === 'select-authenticator-enroll'
    const choices = choicesOf(formsOf(choosing) ?? [], response, words, isEnrolling)
    if (asked.length === 0) return html`${open}${human}${choiceButtons(choices, isMain)}</form>`
    return html`${open}${asked.map((entry) => renderEntry(entry, focused))}
${choiceCircles(choices, words.unlock.how, values[choiceName])}
${human}
${submit(layout.button)}</form>`
  }
  const either = choosing === undefined ? false : eitherOf(choosing, layout.asked, focused, isMain)
  // The first page asks for the name, and a sign-up for the address.
  const isPassword =
    layout.asked.key === 'okta_password' && !['identify', 'enroll-profile'].includes(form.name)
  return html`${open}${isPassword && usernameOf(response, words)}
${asked.map((entry) => html`${renderEntry(entry, focused)}`)}${either}
${layout.rules}
${human}${submit(layout.button)}</form>`
}

const submit = (label: string): Html => html`<button type="submit" class="primary">${label}</button>`

/** Whose password it is: managers of passwords store it under this name. It is not read. */
function usernameOf(response: IdxResponse, words: PageWords): Html | false {
  const name = response.user?.value.identifier
  return (
    name !== undefined &&
    html`<input class="unseen" type="text" value="${name}" autocomplete="username" aria-label="${words.signIn.username}" tabindex="-1" aria-hidden="true" readonly>`
  )
}

/**
 * Several forms in one, of which a visitor fills one: what only one of them asks for is shown where it is
 * chosen.
 */
function eitherOf(field: IdxField, asked: Asked, context: FieldContext, isMain: boolean): Html {
  const { words, values } = context
  const options = formsOf(field) ?? []
  const chosen = values[choiceName] ?? '0'
  const lists = options.map((option) =>
    entriesOf(fieldsOfOption(option) ?? [], context, asked, `${field.name}.`),
  )
  const paths = [...new Set(lists.flat().map(({ path }) => path))]
  const labels = asked.key === 'security_question' ? [words.question.fromList, words.question.own] : []
  const all = paths.flatMap((path) => {
    const holders = lists.flatMap((list, index) => (list.some((one) => one.path === path) ? [index] : []))
    const entry = lists.flat().find((one) => one.path === path)
    return entry === undefined ? [] : [{ entry, holders }]
  })
  // What both ask for stands behind what only one of them does.
  const ordered = all.toSorted((one, another) => one.holders.length - another.holders.length)
  const inner: FieldContext = isMain
    ? { ...context, focus: wrongIn(ordered.map(({ entry }) => entry)) }
    : context
  return html`<div class="either"><fieldset class="field"><legend class="unseen">${labels[0] ?? field.label ?? field.name}</legend>${options.map(
    (option, index) =>
      html`<label class="option"><input type="radio" name="${choiceName}" value="${index}"${String(index) === chosen && html` checked`}><span>${labels[index] ?? option.label}</span></label>`,
  )}</fieldset>
${ordered.map(({ entry, holders: [holder = 0, ...more] }) =>
  more.length > 0
    ? renderEntry(entry, inner)
    : html`<div class="only-${holder}">${renderEntry({ ...entry, isUnasked: true }, inner)}</div>`,
)}</div>`
}

const wrongIn = (entries: readonly Entry[]): string | undefined =>
  entries.find(({ field }) => (field.messages?.value.length ?? 0) > 0)?.path

/**
 * A form that the browser fills in with a passkey. The button is shown by the script: without it nothing
 * could be sent.
 */
function passkeyForm(
  form: IdxForm,
  { ask, options, names }: NonNullable<ReturnType<typeof passkeyData>>,
  button: string,
  { words, action, token }: Context,
): Html {
  const { waiting, refused, known, without } = words.passkey
  const isFirstPage = form.name === 'launch-passkeys-authenticator' || ask === 'autofill'
  return html`<form method="post" action="${action}" class="passkey" data-passkey="${ask}" data-options="${JSON.stringify(options)}" data-waiting="${waiting}" data-refused="${refused}" data-known="${known}">${hiddenFields(form, token(form))}
${names.map((name) => html`<input type="hidden" name="${name}" value="">`)}
${
  ask !== 'autofill' &&
  html`${!isFirstPage && html`<p class="message" data-without>${without}</p>`}
<button type="submit" class="${isFirstPage ? 'secondary' : 'primary'}" hidden>${button}</button>
<p class="hint" role="status" data-status></p>`
}</form>`
}

/** What a page offers besides its own form: other ways first, then what leads away. */
function alternatives(main: IdxForm, forms: readonly IdxForm[], context: Context): Html {
  const { response, words } = context
  const isFirst = main.name === 'identify'
  // On the first page there is nothing to give up, and a way to sign in leads there as well.
  const isNeeded = ({ name }: IdxForm): boolean =>
    // Nothing was sent yet where it is asked how.
    !(name === 'resend' && main.name.endsWith('-data')) &&
    (name !== 'cancel' || !(isFirst || forms.some((one) => one.name === 'select-identify')))
  const offered = forms.filter(isNeeded)
  const isOpen = (form: IdxForm): boolean =>
    passkeyData(form, response) === undefined &&
    (form.value ?? []).some((field) => field.name !== 'stateHandle' && !isHidden(field))
  const passkeys = offered.filter((form) => passkeyData(form, response) !== undefined)
  // A choice of nothing but what is asked for already is none.
  const isChoice = (form: IdxForm): boolean => {
    const options = (form.value ?? []).flatMap((field) => formsOf(field) ?? [])
    return options.length !== 1 || partAt(response, options[0]?.relatesTo).key !== currentOf(response).key
  }
  const open = offered.filter((form) => isOpen(form) && isChoice(form))
  const plain = offered.filter((form) => !passkeys.includes(form) && !isOpen(form))
  const buttons = plain.filter(({ name }) => beside.includes(name))
  const renumber = main.name === 'enroll-authenticator' && otherNumber(forms, context)
  const links = plain
    .filter(({ name }) => !beside.includes(name))
    .toSorted((one, another) => away.indexOf(one.name) - away.indexOf(another.name))
  return html`${passkeys.map((form) => passkeyForm(form, ...dataOf(form, context)))}
${buttons.map((form) => buttonForm(form, context, 'secondary'))}
${renumber}
${open.map(
  (form) => html`<details class="more"><summary>${buttonOf(form, response, words)}</summary>
${formOf(form, layoutOf(form, response, words), context, { isMain: false })}</details>`,
)}
${links.length > 0 && html`<div class="links">${links.map((form) => (form.name === 'select-enroll-profile' ? html`<div class="pair"><span>${words.signIn.noAccount}</span>${buttonForm(form, context, 'link')}</div>` : buttonForm(form, context, 'link')))}</div>`}`
}

/**
 * The way back from the code of a phone that is being set up, for a number that was mistyped: the phone is
 * chosen once more, which asks for the number again. False for everything else.
 */
function otherNumber(forms: readonly IdxForm[], context: Context): Html | false {
  const { response, words, action, token } = context
  if (currentOf(response).key !== 'phone_number') return false
  const form = forms.find(({ name }) => name === 'select-authenticator-enroll')
  const options = (form?.value ?? []).flatMap((field) => formsOf(field) ?? [])
  const index = options.findIndex((option) => partAt(response, option.relatesTo).key === 'phone_number')
  if (form === undefined || index === -1) return false
  return html`<form method="post" action="${action}" class="alone">${hiddenFields(form, token(form))}<button type="submit" class="link" name="${choiceName}" value="${index}">${words.send.otherNumber}</button></form>`
}

/** Forms without fields that go on with what the page is about. */
const beside: readonly string[] = ['resend', 'skip', 'enroll-poll']

/** What leads away, in the order in which it is shown; what is not named comes first. */
const away: readonly string[] = [
  'recover',
  'unlock-account',
  'select-enroll-profile',
  'select-identify',
  'cancel',
]

const isHidden = ({ visible }: IdxField): boolean => visible === false

function dataOf(
  form: IdxForm,
  context: Context,
): readonly [NonNullable<ReturnType<typeof passkeyData>>, string, Context] {
  const data = passkeyData(form, context.response)
  if (data === undefined) throw new Error(`the form ${form.name} asks for no passkey`)
  return [data, buttonOf(form, context.response, context.words), context]
}

const buttonForm = (
  form: IdxForm,
  { response, words, action, token }: Context,
  layout: 'secondary' | 'link',
): Html =>
  html`<form method="post" action="${action}" class="alone">${hiddenFields(form, token(form))}<button type="submit" class="${layout}">${buttonOf(form, response, words)}</button></form>`

function endPage(
  messages: readonly IdxMessage[],
  brand: Brand,
  context: Context,
  wayOn: PageOptions['wayOn'],
): string {
  const { words, response } = context
  const isFailed = messages.some(isError)
  const title = isFailed ? words.end.failedTitle : words.end.title
  const back = response.cancel
  return document(brand, context, {
    title,
    isWrong: false,
    scripts: false,
    body: html`${badge(isFailed ? 'failed' : 'done')}<h1>${title}</h1>
${messages.map((message) => html`<p class="lead" role="status">${messageText(message, words)}</p>`)}
${back !== undefined && buttonForm(back, context, 'secondary')}${wayOnLink(wayOn, words)}`,
  })
}

const wayOnLink = (wayOn: PageOptions['wayOn'], { end }: PageWords): Html | false =>
  wayOn !== undefined &&
  html`<p class="way-on"><a class="primary" href="${wayOn.address}">${wayOn.label === undefined ? end.again : fill(end.toApp, { app: wayOn.label })}</a></p>`
