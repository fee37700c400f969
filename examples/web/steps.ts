import {
  AuthSdkError,
  IdxStatus,
  type IdxTransaction,
  type IdxTransactionMeta,
  type OktaAuth,
} from '@okta/okta-auth-js'
import { rememberBeginning } from './beginnings.ts'
import { captchaIn, captchaOf, loadingOf } from './captcha.ts'
import { type Errand, errandOf } from './errands.ts'
import { error, hasKey, info, type Message, messagesOf } from './messages.ts'
import { learnOffers, noteOffers } from './offers.ts'
import { beginAttempt, signIn } from './okta.ts'
import { internationalNumber } from './pages/authenticator-enrollment-data.ts'
import { choicesOf } from './pages/choices.ts'
import { confirmIdentity } from './pages/confirm-identity.ts'
import { pageOf } from './pages/index.ts'
import { methodsPath } from './pages/methods.ts'
import type { Field, StepPage, View } from './pages/page.ts'
import { type Stopped, stoppedPage } from './pages/stopped.ts'
import { rememberReturn } from './return-path.ts'
import { contentSecurityPolicy, csrfToken, readForm } from './security.ts'
import { take } from './session.ts'
import { go, type Handler, show, type Visit } from './visit.ts'

/** Shows the page of a step, if it is the current step of the transaction. */
export const showStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const messages = () => take(visit.request, 'messages') ?? []
    if (page.begins) {
      rememberReturn(visit.request, visit.config)
      await learnOffers(visit)
      return render(visit, page, { transaction: undefined, messages: messages() })
    }

    const client = visit.client()
    if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
    // Without arguments, the SDK answers from its storage without asking the server.
    const transaction = atStep(page, await client.idx.proceed())
    if (transaction.nextStep?.name !== page.step) return redirectToNext(visit, client, transaction, page.path)
    return render(visit, page, {
      transaction,
      messages: [...messages(), ...messagesOf(transaction, visit.words)],
    })
  }

/** Handles the form of a step: passes it to the SDK and redirects to the next page. */
export const submitStep =
  (page: StepPage): Handler =>
  async (visit) => {
    const { request, words, beginnings } = visit
    const field = readForm(request.body)
    const client = visit.client()
    let current: IdxTransaction | undefined
    if (page.begins) {
      beginAttempt(request)
    } else {
      if (!client.idx.canProceed()) return go(visit, withoutAttempt(visit))
      // Another tab may have continued: the input for one step must not be sent to the next one.
      current = atStep(page, await client.idx.proceed())
      if (current.nextStep?.name !== page.step) return redirectToNext(visit, client, current, page.path)
    }

    const shown = current ? captchaOf(current) : visit.offers.captchas?.[page.step]
    const captcha = captchaIn(shown, field)
    const submitted = page.submit({
      ...{ client, field, words, captcha },
      step: current?.nextStep,
      transaction: current,
    })
    const answer = await beyondFlow(client, submitted)
    if ('refused' in answer)
      return render(visit, page, { transaction: current, messages: answer.refused, field, status: 400 })

    const messages = messagesOf(answer, words)
    noteCaptcha(visit, answer)
    if (answer.nextStep?.name === page.step && messages.length > 0)
      return render(visit, page, { transaction: answer, messages, field, status: 400 })

    if (page.begins) rememberBeginning(beginnings, request, answer, words.appName)
    noteOffers(visit, answer)
    noteAddress(visit, answer)
    if (answer.nextStep?.canResend) request.session.codeSentAt = Date.now()
    const phoneNumber = field('phoneNumber')
    if (phoneNumber !== '' && answer.nextStep?.name === 'enroll-authenticator') {
      const methodType = answer.nextStep.authenticator?.methods?.[0]?.type ?? 'sms'
      request.session.phone = { phoneNumber: internationalNumber(field) ?? '', methodType }
    }
    const errand = errandOf(visit, answer.meta?.state)
    if (errand && page.step === 'enroll-authenticator' && field('skip') === '' && answer.requestDidSucceed)
      request.session.errand = { ...errand, added: true }
    return redirectToNext(visit, client, answer, page.path)
  }

/** The sign-up that an attempt is, by its `state`; undefined for any other attempt. */
const signUpOf = (
  { request: { session } }: Visit,
  state: string | undefined = session.state,
): { readonly email?: string } | undefined => (session.signUp?.state === state ? session.signUp : undefined)

/** Notes the address of a new account, once the server has taken it: the page of the code says where the mail went. */
function noteAddress(visit: Visit, answer: IdxTransaction): void {
  const { request } = visit
  const signUp = signUpOf(visit, answer.meta?.state)
  const email = readForm(request.body)('email').trim()
  if (signUp === undefined || email === '' || !answer.requestDidSucceed) return
  request.session.signUp = { ...request.session.signUp, state: answer.meta?.state ?? '', email }
}

/**
 * A sign-in may ask for attributes of the profile at its end. The SDK knows no such step in `authenticate()`: it throws, though the
 * server has taken the answer. In the flow of a sign-up, which has this form, it goes on, also on the pages that follow.
 */
async function beyondFlow(
  client: OktaAuth,
  submitted: ReturnType<StepPage['submit']>,
): Promise<Awaited<ReturnType<StepPage['submit']>>> {
  try {
    return await submitted
  } catch (failure) {
    const isUnknown =
      failure instanceof AuthSdkError && failure.errorSummary.includes('No remediation can match')
    const transaction = client.transactionManager.load()
    if (!isUnknown || transaction === null) throw failure
    client.idx.setFlow('register')
    const inFlow = { ...transaction, flow: 'register' } as IdxTransactionMeta
    client.transactionManager.save(inFlow, { muteWarning: true })
    return client.idx.proceed()
  }
}

/** The transaction at the step of a page: the one that is asked for, or another one that may be taken instead. */
function atStep(page: StepPage, transaction: IdxTransaction): IdxTransaction {
  if (page.besides !== true || transaction.nextStep?.name === page.step) return transaction
  const other = transaction.availableSteps?.find(({ name }) => name === page.step)
  if (other === undefined) return transaction
  return { ...transaction, nextStep: { ...other, canSkip: transaction.nextStep?.canSkip ?? false } }
}

/** Notes the captcha of a form that is asked for again. */
function noteCaptcha({ offers }: Visit, transaction: IdxTransaction): void {
  const { name } = transaction.nextStep ?? {}
  if (name !== undefined) offers.captchas = { ...offers.captchas, [name]: captchaOf(transaction) }
}

/** Redirects to the next page of a transaction. `from` is the page to return to if the server requests a pause. */
export const redirectToNext = async (
  visit: Visit,
  client: OktaAuth,
  transaction: IdxTransaction,
  from: string,
) => go(visit, await nextPath(visit, client, transaction, from))

/** The next page of a transaction: home if it has tokens, the page of its next step, or the page with the reason of its end. */
export async function nextPath(
  visit: Visit,
  client: OktaAuth,
  transaction: IdxTransaction,
  from: string,
): Promise<string> {
  const { request, words } = visit
  const messages = messagesOf(transaction, words)
  const recovers = transaction.meta?.flow === 'recoverPassword'
  const errand = errandOf(visit, transaction.meta?.state)
  const isNew = signUpOf(visit, transaction.meta?.state) !== undefined

  if (transaction.status === IdxStatus.SUCCESS && transaction.tokens) {
    const goOn = request.session.returnTo ?? '/'
    await signIn(request, client, transaction.tokens)
    if (errand) {
      const done = errand.added ? words.methods.added : words.confirm.done
      if (errand.kind === 'confirm' || errand.added) request.session.messages = [info(done)]
      return errand.goOn
    }
    if (recovers) request.session.messages = [info(words.home.passwordChanged)]
    if (!isNew) return goOn
    request.session.welcome = { goOn }
    return '/welcome'
  }

  const stop = (kind: Stopped['kind'], reasons: readonly Message[], again: string) => {
    request.session.stopped = { kind, messages: reasons, again }
    return '/stopped'
  }
  const unlocks = transaction.meta?.flow === 'unlockAccount'
  const signsUp = signUpOf(visit, transaction.meta?.state) !== undefined
  const beginnings: readonly (readonly [boolean, string])[] = [
    [errand !== undefined, methodsPath],
    [recovers, '/recover-password'],
    [unlocks, '/unlock-account'],
    [signsUp, '/register'],
  ]
  const begin = beginnings.find(([isIt]) => isIt)?.[1] ?? '/login'

  if (transaction.status === IdxStatus.PENDING) {
    const only = onlyEnrolment(transaction, errand, signsUp)
    if (only !== undefined) {
      if (errand) request.session.errand = { ...errand, chosen: true }
      return nextPath(visit, client, await client.idx.proceed({ authenticator: only }), from)
    }
    const { name } = transaction.nextStep ?? {}
    // A signed-in user confirms the name that is known; only a new attempt asks for it.
    const page = errand && name === confirmIdentity.step ? confirmIdentity : pageOf(name)
    if (!page)
      return stop('no-page', [error(words.stopped.unknownStep(transaction.nextStep?.name ?? ''))], begin)
    // The SDK does not store failed responses, so their messages are stored for the next page.
    if (!transaction.requestDidSucceed) request.session.messages = messages
    return page.path
  }

  // The server is busy or unavailable. The transaction is unchanged, and the same form works later.
  const pause = reasonToPause(transaction)
  // Too many wrong answers close the attempt, and only that: a new one begins at once.
  if (
    pause === 'busy' &&
    transaction.status === IdxStatus.TERMINAL &&
    apiErrorOf(transaction) === undefined
  ) {
    client.transactionManager.clear()
    return stop('ended', [error(words.stopped.tooManyWrong)], begin)
  }
  if (pause)
    return stop('pause', [error(pause === 'busy' ? words.stopped.tooMany : words.problem.unreachable)], from)

  // The transaction has ended. Clear it, or the SDK would return the same result for the next call.
  client.transactionManager.clear()
  const failed = messages.length === 0 || messages.some(({ kind }) => kind === 'error')
  if (failed) return stop('ended', messages.length > 0 ? messages : [error(words.problem.refused)], begin)
  return stop('done', messages, '/login')
}

/**
 * What the server lists alone, where there is nothing to choose: the method that the user has chosen to add already, and what a new
 * account must have.
 */
function onlyEnrolment(
  transaction: IdxTransaction,
  errand: Errand | undefined,
  signsUp: boolean,
): string | undefined {
  const { nextStep, requestDidSucceed } = transaction
  const isAdded = errand?.kind === 'add' && !errand.chosen
  const isRequired = signsUp && nextStep?.canSkip !== true && requestDidSucceed !== false
  if (!(isAdded || isRequired) || nextStep?.name !== 'select-authenticator-enroll') return undefined
  const [only, ...others] = choicesOf(transaction, nextStep)
  return others.length === 0 ? only?.key : undefined
}

/** The code of an API error. Unlike its types, the SDK returns the error of the API in place of the context. */
const apiErrorOf = ({ context }: IdxTransaction): unknown =>
  ((context ?? {}) as { errorCode?: unknown }).errorCode

/** Whether the failure is temporary: a rate limit of the protocol, or an error of the API. */
export function reasonToPause(transaction: IdxTransaction): 'busy' | 'down' | undefined {
  if (hasKey(transaction, 'tooManyRequests', 'oie.tooManyRequests')) return 'busy'
  const errorCode = apiErrorOf(transaction)
  if (errorCode === undefined) return undefined
  return errorCode === 'E0000047' ? 'busy' : 'down'
}

/** The next page if there is no transaction: it has ended, perhaps in another tab. */
export function withoutAttempt({ request, words }: Visit): string {
  if (request.session.tokens !== undefined) return '/'
  request.session.stopped = { kind: 'ended', messages: [error(words.stopped.expired)], again: '/login' }
  return '/stopped'
}

/** Shows once why an attempt ended. */
export const showStopped: Handler = (visit) => {
  const stopped = take(visit.request, 'stopped')
  if (!stopped) return go(visit, '/')
  show(visit, stoppedPage(visit.words, stopped), { messages: stopped.messages })
}

interface RenderOptions {
  readonly transaction: IdxTransaction | undefined
  readonly messages: readonly Message[]
  readonly field?: Field
  readonly status?: number
}

/** What every page is rendered with. */
export function viewOf(visit: Visit, messages: readonly Message[]): View {
  const { words, request, config, offers } = visit
  const errand = errandOf(visit)
  return {
    words,
    csrf: csrfToken(request),
    messages,
    field: () => '',
    transaction: undefined,
    step: undefined,
    resendIn: secondsUntilResend(visit),
    inboxUrl: config.inboxUrl,
    codeLifetime: config.codeLifetime,
    signedIn: request.session.tokens !== undefined,
    back: errand
      ? { path: methodsPath, label: words.methods.back }
      : { path: '/login', label: words.recovery.backToSignIn },
    unlocks: offers.unlock,
    signsUp: offers.signUp,
    newAddress: signUpOf(visit)?.email,
    isSignUp: signUpOf(visit) !== undefined,
    ...(errand && { username: errand.username }),
    ...regionOf(request.acceptsLanguages()),
  }
}

/** The region of the preferred language, such as `AT` of `de-AT`: the country of a phone is most likely the same. */
function regionOf(languages: readonly string[]): Pick<View, 'region'> {
  const region = languages.map((language) => /-([A-Za-z]{2})$/.exec(language)?.[1]).find(Boolean)
  return region === undefined ? {} : { region: region.toUpperCase() }
}

/** The other way of sending a code to the phone that is being set up, if the server offers it. */
export function otherPhoneMethod(visit: Visit, transaction: IdxTransaction): 'sms' | 'voice' | undefined {
  if (transaction.nextStep?.name !== 'enroll-authenticator') return undefined
  const present = visit.request.session.phone?.methodType
  if (present === undefined || transaction.nextStep.authenticator?.key !== 'phone_number') return undefined
  const phone = choicesOf(transaction, undefined, 'select-authenticator-enroll').find(
    ({ key }) => key === 'phone_number',
  )
  const other = phone?.methods.find(({ value }) => value !== present)?.value
  return other === 'sms' || other === 'voice' ? other : undefined
}

function render(visit: Visit, page: StepPage, { transaction, messages, field, status }: RenderOptions): void {
  const otherMethod = transaction && otherPhoneMethod(visit, transaction)
  const captcha = transaction ? captchaOf(transaction) : visit.offers.captchas?.[page.step]
  const loading = captcha && loadingOf(captcha, visit.config.captchaScript)
  if (loading) {
    const policy = contentSecurityPolicy({ captcha: loading.sources })
    visit.response.set('Content-Security-Policy', policy)
  }
  const view: View = {
    ...viewOf(visit, messages),
    captcha,
    ...(field && { field }),
    transaction,
    step: transaction?.nextStep,
    ...(otherMethod && { otherMethod }),
  }
  show(
    visit,
    { ...page.render(view), foreignScript: loading?.script },
    { messages, ...(status !== undefined && { status }) },
  )
}

const pauseSeconds = 30

/** The remaining time before another code can be requested. */
export function secondsUntilResend({ request }: Visit): number {
  const seconds = (Date.now() - (request.session.codeSentAt ?? 0)) / 1000
  return Math.max(0, Math.ceil(pauseSeconds - seconds))
}
