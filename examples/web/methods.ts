import type { OktaAuth } from '@okta/okta-auth-js'
import { beginErrand } from './errands.ts'
import { error, info } from './messages.ts'
import {
  type AccountAnswer,
  authenticatorsIn,
  callAccount,
  phoneNumbersIn,
  type StepUp,
} from './my-account.ts'
import { browserHeaders } from './okta.ts'
import {
  type Method,
  methodsPage,
  methodsPath,
  moment,
  nameOf,
  namePage,
  pathOf,
  removePage,
} from './pages/methods.ts'
import { thenTo } from './return-path.ts'
import { BadRequest, csrfToken, readForm } from './security.ts'
import { take } from './session.ts'
import { viewOf } from './steps.ts'
import { go, type Handler, show, type Visit } from './visit.ts'

// The page "Your sign-in methods": what the user signs in with is added in an attempt of its own, named and removed over the
// MyAccount API. The server asks for a fresh sign-in before it changes anything; the user comes back to what was begun.

/** The names that Okta documents for `enroll_amr_values`; others go by their keys. */
const amrNames: Readonly<Record<string, string>> = {
  google_otp: 'otp',
  phone_number: 'sms',
  security_question: 'kba',
}

const callerFor = ({ config, request, response }: Visit, client: OktaAuth) => {
  const headers = browserHeaders(config, request, response)
  return (method: 'GET' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<AccountAnswer> =>
    callAccount(client, headers, method, path, body)
}

/** Everything that the page shows; undefined where the session is over. */
async function read(visit: Visit, client: OktaAuth) {
  const call = callerFor(visit, client)
  const [listed, phones] = [
    await call('GET', '/authenticators?expand=enrollments'),
    await call('GET', '/phones'),
  ]
  if (listed.status === 401) return undefined
  if (listed.status !== 200) throw new BadRequest(404, 'the server does not let this app manage methods')
  const numbers = phoneNumbersIn(phones.body)
  const authenticators = authenticatorsIn(listed.body)
  const methods = authenticators.flatMap((authenticator) =>
    authenticator.enrollments.map(
      (enrollment): Method => ({ authenticator, enrollment, phoneNumber: numbers.get(enrollment.id) }),
    ),
  )
  return { authenticators, methods }
}

/** Runs a handler of a signed-in user; others sign in first, and come back to this page. */
const signedIn =
  (
    handler: (
      visit: Visit,
      client: OktaAuth,
      found: NonNullable<Awaited<ReturnType<typeof read>>>,
    ) => unknown,
  ): Handler =>
  async (visit) => {
    if (!visit.config.managesMethods) throw new BadRequest(404, 'not offered')
    if (visit.request.session.tokens === undefined) return go(visit, thenTo('/login', methodsPath))
    const client = visit.client()
    const found = await read(visit, client)
    if (found === undefined) return go(visit, '/')
    await handler(visit, client, found)
  }

export const showMethods: Handler = signedIn((visit, _, { authenticators, methods }) => {
  const messages = take(visit.request, 'messages') ?? []
  const view = { words: visit.words, csrf: csrfToken(visit.request) }
  const addable = authenticators.filter(({ enrollable }) => enrollable)
  show(visit, methodsPage(view, methods, addable), { messages })
})

/** Begins the attempt that adds a method. */
export const addMethod: Handler = signedIn(async (visit, client, { authenticators }) => {
  const key = readForm(visit.request.body)('key')
  if (!authenticators.some((one) => one.key === key && one.enrollable)) return go(visit, methodsPath)
  await beginErrand(
    visit,
    { kind: 'add', username: usernameOf(client), goOn: methodsPath },
    { enroll_amr_values: amrNames[key] ?? key },
  )
})

/** The name in the ID token of the signed-in user. */
function usernameOf(client: OktaAuth): string {
  const { preferred_username: name } = client.tokenManager.getTokensSync().idToken?.claims ?? {}
  return typeof name === 'string' ? name : ''
}

/** A handler for one method, by the ids in the address. */
const ofOne = (handler: (visit: Visit, client: OktaAuth, method: Method) => unknown): Handler =>
  signedIn((visit, client, { methods }) => {
    const { authenticatorId, enrollmentId } = visit.request.params
    const method = methods.find(
      ({ authenticator, enrollment }) =>
        authenticator.id === authenticatorId && enrollment.id === enrollmentId,
    )
    // Removed in the meantime, perhaps in another tab.
    return method === undefined ? go(visit, methodsPath) : handler(visit, client, method)
  })

export const showName: Handler = ofOne((visit, _, method) => {
  const messages = take(visit.request, 'messages') ?? []
  // After a fresh sign-in the name that was typed before is there again.
  const typed = visit.request.query.nickname
  const view = { ...viewOf(visit, messages), field: () => (typeof typed === 'string' ? typed : '') }
  show(visit, namePage(view, method), { messages })
})

export const nameMethod: Handler = ofOne(async (visit, client, method) => {
  const nickname = readForm(visit.request.body)('nickname').trim().slice(0, 100)
  const answer = await callerFor(visit, client)('PATCH', enrollmentPath(method), {
    nickname: nickname || null,
  })
  const again = `${pathOf(method, 'name')}?${new URLSearchParams({ nickname })}`
  if (answer.stepUp) return confirmFirst(visit, client, answer.stepUp, again)
  const { renamed, notChanged } = visit.words.methods
  visit.request.session.messages = [answer.status === 200 ? info(renamed) : error(notChanged)]
  go(visit, methodsPath)
})

export const showRemove: Handler = ofOne((visit, _, method) => {
  const messages = take(visit.request, 'messages') ?? []
  const view = { words: visit.words, csrf: csrfToken(visit.request) }
  show(visit, removePage(view, method, visit.request.query.lost === 'yes'), { messages })
})

export const removeMethod: Handler = ofOne(async (visit, client, method) => {
  const { request } = visit
  const waits = readForm(request.body)('wait') === 'true'
  const answer = await callerFor(visit, client)(
    'DELETE',
    `${enrollmentPath(method)}${waits ? '?wait=true' : ''}`,
  )
  const again = `${pathOf(method, 'remove')}${waits ? '?lost=yes' : ''}`
  // A user who has lost the method is not asked for it: then a recent sign-in is enough, and the removal waits.
  if (answer.stepUp) return confirmFirst(visit, client, answer.stepUp, again, !waits)
  request.session.messages = [removalMessage(answer, method, visit)]
  go(visit, methodsPath)
})

function removalMessage({ status, body }: AccountAnswer, method: Method, { words }: Visit) {
  const { waitingUntil } = (body ?? {}) as { readonly waitingUntil?: string }
  if (status === 202 && waitingUntil !== undefined) {
    return info(words.methods.removalWaits(nameOf(method, words), moment(waitingUntil, words)))
  }
  return status < 300 ? info(words.methods.removed(nameOf(method, words))) : error(words.methods.notChanged)
}

const enrollmentPath = ({ authenticator, enrollment }: Method): string =>
  `/authenticators/${encodeURIComponent(authenticator.id)}/enrollments/${encodeURIComponent(enrollment.id)}`

/** Two factors where the user has two. */
const strong = 'urn:okta:loa:2fa:any:ifpossible'

/**
 * A fresh sign-in, as the server wants it, and back to `goOn`. Where it wants a recent one alone, the present one had two
 * factors: a new one by the password alone would be recent, and too weak.
 */
const confirmFirst = (
  visit: Visit,
  client: OktaAuth,
  { maxAge, acrValues = strong }: StepUp,
  goOn: string,
  asksForAll = true,
) =>
  beginErrand(
    visit,
    { kind: 'confirm', username: usernameOf(client), goOn },
    { ...(maxAge !== undefined && { max_age: maxAge }), ...(asksForAll && { acr_values: acrValues }) },
  )
