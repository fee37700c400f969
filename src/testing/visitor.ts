import { randomToken, s256, systemRandom } from '../base/index.ts'
import { configOptions } from '../config/index.ts'
import { type Message, type MessageReader, mary } from '../devtools/index.ts'
import { type Answer, answerFrom, formIn } from './answer.ts'
import { checkNames, checkOneOf, type Names } from './options.ts'

/** The mails that a visitor can answer, by a code or a link: all but notices. */
const answerable = [
  'ForgotPassword',
  'EmailChallenge',
  'SelfServiceUnlock',
  'RegistrationEmailVerification',
  'UserActivation',
  'PasswordResetByAdmin',
]

/** An engine as a visitor reaches it: a kit, a line of `rekey dev --json`, an engine in another process. */
export interface VisitorTarget {
  readonly engineUrl: string
  /** The `default` authorization server. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  /** Where the mails are read; without it `mail()` throws. */
  readonly outbox?: Pick<MessageReader, 'waitFor' | 'latest'>
}

/** A client other than the web client of the engine. */
export interface VisitorClient {
  readonly id: string
  /** Absent for a public client. */
  readonly secret?: string
  readonly redirectUri?: string
}

export interface VisitorOptions {
  /** A client's id, such as `kit.publicClientId`, or a client that was registered for the test. The web client unless set. */
  readonly client?: string | VisitorClient
  /** Whose tokens: those of `issuer`, the default, or of `orgIssuer`. */
  readonly server?: 'default' | 'org'
  /** Sent with every request: another browser, language or address. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent to `interact` beside or instead of the usual: `scope`, `state`, `nonce`, … */
  readonly parameters?: Readonly<Record<string, string>>
  /** Called with every answer, so that a suite can check what holds for all of them. */
  readonly onAnswer?: (answer: Answer, visitor: Visitor) => void
}

/** What a visitor fills in to sign up. Without any of it: Ada Lovelace, `ada@example.com`. */
export interface NewAccount {
  readonly email?: string
  readonly firstName?: string
  readonly lastName?: string
  /** Null: none is set, where the policies let one sign up without. `Lighthouse-Biscuit-77` unless given. */
  readonly password?: string | null
  /** Other attributes that the form asks for, by name. */
  readonly profile?: Readonly<Record<string, unknown>>
}

type Body = Readonly<Record<string, unknown>>

/** An app's visitor without an SDK: every request is one of the protocol, and every answer is recorded. */
export interface Visitor {
  /** The last answer. Before the first one it throws. */
  readonly response: Answer
  /** Every answer so far, oldest first. */
  readonly responses: readonly Answer[]
  /** The keys of the messages of the last answer, at the top and in fields: `['api.authn.error.PASSCODE_INVALID']`. */
  readonly messages: readonly string[]
  /** The names of the forms that the last answer offers: `['challenge-authenticator']`. */
  readonly remediations: readonly string[]
  /** The handle that `interact` answered with. Empty before. */
  readonly interactionHandle: string
  /** The handle of the transaction. Empty before `introspect` has answered. */
  readonly stateHandle: string
  /** The PKCE verifier. */
  readonly verifier: string

  /** `interact` alone: asks for an interaction handle. */
  interacts(parameters?: Readonly<Record<string, string>>): Promise<Answer>
  /** `introspect` alone: opens the transaction, or reads it again. */
  introspects(): Promise<Answer>
  /**
   * Begins a transaction: `interact`, then `introspect`.
   * @throws Error with the status and the reason when `interact` is refused; `interacts()` resolves with the refusal.
   */
  begins(parameters?: Readonly<Record<string, string>>): Promise<Answer>

  /** Submits a form by its path below `/idp/idx/`; the body may replace the state handle. */
  submits(path: string, body?: Body, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Submits user name and password, in a transaction of its own unless one has begun. */
  signsIn(login?: string, password?: string): Promise<Answer>
  /** Begins a transaction and goes to where the recovery of an account offers its authenticators. */
  recovers(login?: string): Promise<Answer>
  /**
   * Signs up in a transaction of its own: fills in the profile and agrees to the terms where the form has them, answers the code of
   * the mail, sets the password, and skips whatever else may wait. Resolves with the last answer, whose `interactionCode` is that
   * of the new user; or with the answer that it cannot go on from, such as a refused form, a required factor, or the page of the
   * code for an address that is taken.
   */
  signsUp(account?: NewAccount): Promise<Answer>
  /**
   * Chooses an authenticator by its key, such as `okta_email`, from the list of the last answer. `details` are sent beside its id:
   * `{ methodType: 'sms' }`, a number to enrol.
   */
  selects(key: string, details?: Body): Promise<Answer>
  /** The same for an authenticator to enrol, whatever else the last answer offers. */
  enrolls(key: string, details?: Body): Promise<Answer>
  /** Answers the present challenge with a code or a password, or sets a new password. */
  answers(passcode: unknown, body?: Body): Promise<Answer>
  /** Asks for the mail once more. */
  resends(): Promise<Answer>
  /** Asks whether the transaction has moved on elsewhere, as a page that waits does. */
  polls(): Promise<Answer>
  /** Cancels the transaction and goes on with the new one that the engine begins. */
  cancels(): Promise<Answer>

  /** Recovers an account up to the page that takes the code. Resolves with the visitor itself. */
  atTheCode(login?: string): Promise<Visitor>
  /** The same up to the page that takes the new password, with the code of the mail. */
  atTheReset(login?: string): Promise<Visitor>
  /** Signs up as far as the page that takes the code of the mail. Resolves with the visitor itself. */
  atTheSignUpCode(account?: NewAccount): Promise<Visitor>
  /**
   * The next mail to an address that this visitor has not read yet, as soon as there is one.
   * The address is the login of the recovery, or the email of the sign-up, unless given. Notices do not count; with a template, only mail of it.
   * @throws NoMessageError when none comes in time.
   */
  mail(to?: string, template?: string): Promise<Message>

  /** Redeems an interaction code at the token endpoint: that of the last answer, as the client that began, unless given. */
  redeems(code?: string, as?: string | VisitorClient): Promise<Answer>
}

/** Says what `interact` was refused with. The redirect URI is the parameter that most often does not fit. */
function refusalOf({ status, body, text }: Answer, redirectUri: string | undefined): string {
  const why = body.error_description ?? body.error ?? text
  return `interact was answered with ${status}: ${why} (redirect URI: ${redirectUri ?? 'none'})`
}

const visitorNames = Object.keys({
  client: true,
  server: true,
  headers: true,
  parameters: true,
  onAnswer: true,
} satisfies Names<VisitorOptions>)

// A client as it was registered for the test is one as well, with all that it was registered with.
const clientNames = [
  ...Object.keys({ id: true, secret: true, redirectUri: true } satisfies Names<VisitorClient>),
  ...Object.keys(configOptions.properties.clients.items.properties),
]

function checkVisitorOptions(options: VisitorOptions): void {
  checkNames('visitor', options, visitorNames)
  checkOneOf('visitor: server', options.server, ['default', 'org'])
  if (typeof options.client !== 'string') checkNames('visitor: client', options.client, clientNames)
}

const accountNames = Object.keys({
  email: true,
  firstName: true,
  lastName: true,
  password: true,
  profile: true,
} satisfies Names<NewAccount>)

const ada = {
  email: 'ada@example.com',
  firstName: 'Ada',
  lastName: 'Lovelace',
  password: 'Lighthouse-Biscuit-77',
} as const satisfies NewAccount

/** More steps than any policy asks a new user for. */
const mostSteps = 20

const ion = 'application/ion+json; okta-version=1.0.0'
const usualScopes = 'openid profile email offline_access'

/**
 * A visitor who walks through transactions over HTTP, as an app does with the SDK. For a kit: `kit.visitor()`; for an
 * engine in another process: `newVisitor(target)`.
 */
export function newVisitor(target: VisitorTarget, options: VisitorOptions = {}): Visitor {
  checkVisitorOptions(options)
  const verifier = randomToken(systemRandom)
  const responses: Answer[] = []
  let interactionHandle = ''
  let stateHandle = ''
  let recovered: string = mary.login
  // The newest mail that does not count: it was read, or was there before this visitor asked for one.
  let lastMail: Message | undefined

  // Addresses are read at each request: a load balancer in front of several nodes changes its own.
  const oauth = (endpoint: string): string =>
    options.server === 'org' ? `${target.engineUrl}/oauth2/v1/${endpoint}` : `${target.issuer}/v1/${endpoint}`

  function clientFor(client: string | VisitorClient = target.clientId): VisitorClient {
    if (typeof client !== 'string') return client
    return client === target.clientId ? { id: client, secret: target.clientSecret } : { id: client }
  }
  const own = clientFor(options.client)
  const redirectUri = own.redirectUri ?? target.redirectUri
  const credentials = ({ id, secret }: VisitorClient) => ({
    client_id: id,
    ...(secret !== undefined && { client_secret: secret }),
  })

  async function send(
    url: string,
    type: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': type, ...options.headers, ...headers },
      body,
    })
    const answer = await answerFrom(response)
    responses.push(answer)
    return answer
  }
  const noted = (answer: Answer): Answer => {
    options.onAnswer?.(answer, visitor)
    return answer
  }
  const sendForm = (endpoint: string, form: Readonly<Record<string, string>>): Promise<Answer> =>
    send(oauth(endpoint), 'application/x-www-form-urlencoded', new URLSearchParams(form).toString())
  const sendIdx = (path: string, body: Body, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
    send(`${target.engineUrl}/idp/idx/${path}`, 'application/json', JSON.stringify(body), {
      accept: ion,
      ...headers,
    })

  function choose(path: string, key: string, details: Body = {}): Promise<Answer> {
    const found = visitor.response.body.authenticators?.value.find((one) => one.key === key)
    return visitor.submits(path, { authenticator: { id: found?.id, ...details } })
  }

  /** The form that asks for the profile, filled in: only what it asks for is sent. */
  function profileBody(account: NewAccount): Body {
    const form = formIn(visitor.response.body, /^enroll-profile$/)
    const names = form?.value?.find(({ name }) => name === 'userProfile')?.form?.value.map(({ name }) => name)
    const { email = ada.email, firstName = ada.firstName, lastName = ada.lastName } = account
    const known = { email, login: email, firstName, lastName, termsAccepted: true }
    const userProfile = {
      ...Object.fromEntries(Object.entries(known).filter(([name]) => names?.includes(name))),
      ...account.profile,
    }
    const { password = ada.password } = account
    const hasPassword = form?.value?.some(({ name }) => name === 'credentials') === true
    return { userProfile, ...(hasPassword && password !== null && { credentials: { passcode: password } }) }
  }

  /** The next step of a sign-up; undefined where it has ended, or cannot go on by itself. */
  async function nextOfSignUp({ password = ada.password }: NewAccount): Promise<Answer | undefined> {
    const { body, interactionCode, remediations, status } = visitor.response
    if (status !== 200 || interactionCode !== undefined) return undefined
    const skips = () => (remediations.includes('skip') ? visitor.submits('skip') : undefined)
    if (remediations.includes('enroll-authenticator')) {
      const { key } = body.currentAuthenticator?.value ?? {}
      if (key === 'okta_password' && password !== null) return visitor.answers(password)
      if (key !== 'okta_email') return skips()
      // One without a code says that there is an account already. A welcome to an earlier account may arrive in between.
      const { code } = await nextMail(recovered, [...answerable, 'RegistrationTaken'])
      return code === null ? undefined : visitor.answers(code)
    }
    if (!remediations.includes('select-authenticator-enroll')) return undefined
    const wanted = ['okta_email', ...(password === null ? [] : ['okta_password'])]
    const next = wanted.find(isToEnroll)
    return next === undefined ? skips() : visitor.enrolls(next)
  }

  function isToEnroll(key: string): boolean {
    const { authenticators, authenticatorEnrollments } = visitor.response.body
    const has = (list: { readonly value: readonly { readonly key: string }[] } | undefined) =>
      list?.value.some((one) => one.key === key) ?? false
    return has(authenticators) && !has(authenticatorEnrollments)
  }

  async function nextMail(to: string, template?: string | readonly string[]): Promise<Message> {
    if (target.outbox === undefined) throw new Error('this visitor has no outbox to read')
    const after = lastMail && { after: lastMail.id }
    lastMail = await target.outbox.waitFor({ to, ...after, ...(template !== undefined && { template }) })
    return lastMail
  }

  const visitor: Visitor = {
    get response() {
      const last = responses.at(-1)
      if (last === undefined) throw new Error('the visitor has asked for nothing yet')
      return last
    },
    get responses() {
      return responses
    },
    get messages() {
      return visitor.response.messages
    },
    get remediations() {
      return visitor.response.remediations
    },
    get interactionHandle() {
      return interactionHandle
    },
    get stateHandle() {
      return stateHandle
    },
    verifier,

    async interacts(parameters = {}) {
      const answer = await sendForm('interact', {
        ...credentials(own),
        redirect_uri: redirectUri,
        scope: usualScopes,
        state: randomToken(systemRandom),
        nonce: randomToken(systemRandom),
        code_challenge: s256(verifier),
        code_challenge_method: 'S256',
        ...options.parameters,
        ...parameters,
      })
      interactionHandle = String(answer.body.interaction_handle ?? '')
      return noted(answer)
    },
    async introspects() {
      const answer = await sendIdx('introspect', { interactionHandle })
      stateHandle = String(answer.body.stateHandle ?? '')
      return noted(answer)
    },
    async begins(parameters) {
      const begun = await visitor.interacts(parameters)
      // Without a handle, introspect would answer that a session has expired, which hides the reason.
      if (interactionHandle === '') throw new Error(refusalOf(begun, redirectUri))
      return visitor.introspects()
    },

    async submits(path, body = {}, headers) {
      return noted(await sendIdx(path, { stateHandle, ...body }, headers))
    },
    async signsIn(login = mary.login, password = mary.password) {
      if (stateHandle === '') await visitor.begins()
      return visitor.submits('identify', { identifier: login, credentials: { passcode: password } })
    },
    async recovers(login = mary.login) {
      recovered = login
      lastMail = target.outbox?.latest({ to: login })
      await visitor.begins()
      await visitor.submits('recover')
      return visitor.submits('identify', { identifier: login })
    },
    async signsUp(account = {}) {
      await visitor.atTheSignUpCode(account)
      for (let step = 0; step < mostSteps; step++) {
        if ((await nextOfSignUp(account)) === undefined) break
      }
      return visitor.response
    },
    selects(key, details) {
      // The form says where it goes: choosing what to enrol has another address than choosing what to prove.
      const href = formIn(visitor.response.body, /^select-authenticator-/)?.href ?? '/idp/idx/challenge'
      return choose(href.split('/idp/idx/')[1] ?? 'challenge', key, details)
    },
    enrolls: (key, details) => choose('credential/enroll', key, details),
    answers: (passcode, body = {}) =>
      visitor.submits('challenge/answer', { credentials: { passcode }, ...body }),
    async resends() {
      const before = target.outbox?.latest({ to: recovered })
      const answer = await visitor.submits('challenge/resend')
      if (answer.status === 200) lastMail = before
      return answer
    },
    polls: () => visitor.submits('challenge/poll'),
    async cancels() {
      const answer = await sendIdx('cancel', { stateHandle })
      if (answer.status === 200) stateHandle = String(answer.body.stateHandle)
      return noted(answer)
    },

    async atTheCode(login) {
      await visitor.recovers(login)
      await visitor.selects('okta_email')
      return visitor
    },
    async atTheReset(login) {
      await visitor.atTheCode(login)
      const { code } = await visitor.mail(recovered, 'ForgotPassword')
      await visitor.answers(code)
      return visitor
    },
    async atTheSignUpCode(account = {}) {
      checkNames('visitor: signsUp', account, accountNames)
      recovered = account.email ?? ada.email
      lastMail = target.outbox?.latest({ to: recovered })
      await visitor.begins()
      await visitor.submits('enroll')
      // Where sign-up is closed the answer has no form to fill in.
      if (visitor.remediations.includes('enroll-profile')) {
        await visitor.submits('enroll/new', profileBody(account))
      }
      const chooses = visitor.remediations[0] === 'select-authenticator-enroll'
      if (chooses && isToEnroll('okta_email')) await visitor.enrolls('okta_email')
      return visitor
    },
    mail: (to = recovered, template) => nextMail(to, template ?? answerable),

    async redeems(code = visitor.response.interactionCode ?? '', as) {
      return sendForm('token', {
        grant_type: 'interaction_code',
        interaction_code: code,
        code_verifier: verifier,
        redirect_uri: redirectUri,
        ...credentials(as === undefined ? own : clientFor(as)),
      })
    },
  }
  return visitor
}
