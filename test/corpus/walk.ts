import { createHash } from 'node:crypto'
import { ServerResponse } from 'node:http'
import { vi } from 'vitest'
import type { Kit, Message } from '../../src/testing/index.ts'
import { noteRequests, type Statement } from '../contract/statements.ts'
import { type Mask, newMask } from './mask.ts'

// biome-ignore lint/suspicious/noExplicitAny: the wire as it is; journeys take from it what they need.
export type Wire = any

/** One step as the corpus holds it. */
export interface Step {
  readonly step: string
  readonly sent?: unknown
  readonly status?: number
  readonly headers?: string
  readonly body?: unknown
  readonly statements?: number
}

/** What a journey was answered, with the sets of headers that its answers came with. */
export interface Recorded {
  readonly headers: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly steps: readonly Step[]
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Wire
}

/** Counts what a request asks of the database, up to its answer. */
export interface Counter {
  begin(): void
  /** How many statements there were from `begin` to the end of the answer. */
  count(): number
}

/**
 * Counts statements of requests alone; of the outbox only inserts. Transactions (begin, commit) are no statements here.
 */
export function newCounter(database: 'sqlite' | 'postgres'): Counter {
  const noted = noteRequests(database)
  const isCounted = ({ text }: Statement) =>
    !/outbox|mail_suppressions/.test(text) || /^\s*(insert|with s0)/i.test(text)
  const sum = () => [...noted].filter(isCounted).reduce((total, { times }) => total + times, 0)
  let before = 0
  let after = 0
  const end = ServerResponse.prototype.end as (...parameters: unknown[]) => ServerResponse
  vi.spyOn(ServerResponse.prototype, 'end').mockImplementation(function (
    this: ServerResponse,
    ...parameters: unknown[]
  ) {
    after = sum()
    return end.apply(this, parameters)
  } as never)
  return {
    begin() {
      before = sum()
      after = before
    },
    count: () => after - before,
  }
}

// What HTTP itself adds, and what the machine's speed or the number of requests before decides.
const ignored = new Set(['connection', 'content-length', 'date', 'keep-alive', 'x-okta-request-id'])
/** What nearly every answer says of itself: an answer is noted with what differs from this. */
const usual: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  pragma: 'no-cache',
  'referrer-policy': 'no-referrer',
  vary: 'Origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
const counted = new Set(['x-rate-limit-remaining', 'x-rate-limit-reset'])

export interface Asking {
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string>>
  /** A body as it is. */
  readonly raw?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface ClientCredentials {
  readonly id: string
  readonly secret?: string
}

/** A visitor, an app and an administrator on the bare wire; every answer is noted. */
export class Walk {
  readonly idp: Kit
  readonly #counter: Counter
  readonly #mask: Mask
  readonly #steps: Step[] = []
  readonly #sets = new Map<string, string>()
  readonly #bodies = new Map<string, number>()
  #lastMail: Message | undefined
  verifier = 'a-verifier-of-pkce-that-is-long-enough-for-rfc-7636'
  client: ClientCredentials
  stateHandle = ''
  interactionHandle = ''
  last: Wire = {}

  constructor(idp: Kit, counter: Counter) {
    this.idp = idp
    this.#counter = counter
    this.#mask = newMask(idp.engineUrl)
    this.client = { id: idp.clientId, secret: idp.clientSecret }
  }

  get recorded(): Recorded {
    const headers = Object.fromEntries(
      [...this.#sets].map(([set, name]) => [name, JSON.parse(set) as Record<string, string>]),
    )
    return { headers, steps: this.#steps }
  }

  async call(method: string, path: string, asking: Asking = {}): Promise<Answer> {
    const { json, form, raw, headers = {} } = asking
    const body =
      raw ?? (json !== undefined ? JSON.stringify(json) : form && new URLSearchParams(form).toString())
    const type =
      json !== undefined
        ? 'application/json'
        : form !== undefined
          ? 'application/x-www-form-urlencoded'
          : undefined
    await this.idp.engine.delivery.idle()
    this.#counter.begin()
    const response = await fetch(path.startsWith('http') ? path : `${this.idp.engineUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(type && { 'content-type': type }), ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    const statements = this.#counter.count()
    await this.idp.engine.delivery.idle()
    let parsed: Wire = text
    if (response.headers.get('content-type')?.includes('json') && text !== '') {
      parsed = JSON.parse(text)
      // The corpus holds values: that the bytes are theirs in the plainest form is held here.
      if (JSON.stringify(parsed) !== text) parsed = { bytes: text }
    }
    const { authorization: _, ...shown } = headers as Record<string, string>
    const sent = raw ?? json ?? form
    this.#steps.push({
      step: `${method} ${this.#mask.text(path)}`,
      ...(sent !== undefined && { sent: this.#mask.value(sent) }),
      ...(Object.keys(shown).length > 0 && { with: shown }),
      status: response.status,
      headers: this.#headersOf(response.headers),
      ...(text !== '' && { body: this.#bodyOf(parsed) }),
      statements,
    })
    this.last = parsed
    return { status: response.status, headers: response.headers, text, body: parsed }
  }

  #headersOf(headers: Headers): string {
    const shown = [...headers]
      .filter(([name, value]) => !ignored.has(name) && usual[name] !== value)
      .map(([name, value]) => [name, counted.has(name) ? '<count>' : this.#mask.text(value)])
    for (const name of Object.keys(usual)) if (!headers.has(name)) shown.push([name, 'absent'])
    const set = JSON.stringify(Object.fromEntries(shown))
    const name = this.#sets.get(set) ?? String.fromCharCode(65 + this.#sets.size)
    this.#sets.set(set, name)
    return name
  }

  #bodyOf(body: unknown): unknown {
    // A page in lines, so that a difference in it is one of lines.
    const page = typeof body === 'string' && body.includes('\n') ? body.split('\n') : body
    const masked = this.#mask.value(page)
    const text = JSON.stringify(masked)
    const same = this.#bodies.get(text)
    if (same !== undefined) return `as in step ${same}`
    if (text.length > 100) this.#bodies.set(text, this.#steps.length + 1)
    return masked
  }

  /** Moves the engine's clock. */
  wait(span: string): void {
    this.idp.clock.advance(span)
    this.#steps.push({ step: `clock +${span}` })
  }

  async person(person: Parameters<Kit['people']['add']>[0]): Promise<string> {
    const { id } = await this.idp.people.add(person)
    this.#mask.name('00u', id)
    return id
  }

  /** The next mail to an address: its code and its link. */
  async mail(to: string = this.idp.person.login): Promise<{ readonly code: string; readonly link: string }> {
    const mail = await this.idp.outbox.waitFor({ to, ...(this.#lastMail && { after: this.#lastMail.id }) })
    this.#lastMail = mail
    await this.idp.engine.delivery.idle()
    const code = mail.code ?? ''
    const link = mail.link ?? ''
    if (code !== '') this.#mask.name(`code of ${code.length}`, code)
    const { subject, template } = mail
    this.#steps.push({ step: `mail to ${to}`, body: this.#mask.value({ subject, template, code, link }) })
    return { code, link }
  }

  /** How many mails have come, to whomever. */
  mails(): void {
    this.#steps.push({ step: 'mails so far', body: this.idp.outbox.all().length })
  }

  credentials(): Record<string, string> {
    const { id, secret } = this.client
    return { client_id: id, ...(secret !== undefined && { client_secret: secret }) }
  }

  async interact(more: Readonly<Record<string, string | undefined>> = {}, headers = {}): Promise<Answer> {
    const all = {
      ...this.credentials(),
      redirect_uri: this.idp.redirectUri,
      scope: 'openid profile email offline_access',
      state: 'state of the app',
      nonce: 'nonce of the app',
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...more,
    }
    const form = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    )
    const answer = await this.call('POST', '/oauth2/default/v1/interact', { form, headers })
    if (answer.status === 200) this.interactionHandle = answer.body.interaction_handle
    return answer
  }

  async introspect(): Promise<Answer> {
    const { interactionHandle } = this
    const answer = await this.call('POST', '/idp/idx/introspect', { json: { interactionHandle } })
    this.stateHandle = answer.body.stateHandle ?? this.stateHandle
    return answer
  }

  async begin(more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    await this.interact(more)
    return this.introspect()
  }

  async idx(path: string, input: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const answer = await this.call('POST', `/idp/idx/${path}`, {
      json: { stateHandle: this.stateHandle, ...input },
    })
    if (path === 'cancel' && answer.status === 200) this.stateHandle = answer.body.stateHandle
    return answer
  }

  identify = (identifier: string, passcode?: string): Promise<Answer> =>
    this.idx('identify', { identifier, ...(passcode !== undefined && { credentials: { passcode } }) })

  answer = (passcode: unknown): Promise<Answer> => this.idx('challenge/answer', { credentials: { passcode } })

  choose(key: string): Promise<Answer> {
    const choice = this.last.authenticators?.value.find((one: Wire) => one.key === key)
    return this.idx('challenge', { authenticator: { id: choice?.id } })
  }

  /** From nothing to the page that takes the mailed code. */
  async toTheCode(identifier: string = this.idp.person.login): Promise<void> {
    await this.begin()
    await this.idx('recover')
    await this.identify(identifier)
    await this.choose('okta_email')
  }

  /** … to the page that takes the new password. */
  async toTheReset(identifier: string = this.idp.person.login): Promise<void> {
    await this.toTheCode(identifier)
    await this.answer((await this.mail(identifier)).code)
  }

  get interactionCode(): string {
    const fields: readonly Wire[] = this.last.successWithInteractionCode?.value ?? []
    return fields.find(({ name }) => name === 'interaction_code')?.value ?? ''
  }

  oauth = (path: string, form: Readonly<Record<string, string>>, headers = {}): Promise<Answer> =>
    this.call('POST', `/oauth2/default/v1/${path}`, { form, headers })

  redeem = (
    code: string = this.interactionCode,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    this.oauth('token', {
      grant_type: 'interaction_code',
      interaction_code: code,
      ...this.credentials(),
      redirect_uri: this.idp.redirectUri,
      code_verifier: this.verifier,
      ...more,
    })

  refresh = (token: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    this.oauth('token', { grant_type: 'refresh_token', refresh_token: token, ...this.credentials(), ...more })

  /** The management API, as an administrator. */
  api = (method: string, path: string, json?: unknown): Promise<Answer> =>
    this.call(method, path.startsWith('http') ? path : `/api/v1${path}`, {
      ...(json !== undefined && { json }),
      headers: { authorization: `SSWS ${this.idp.apiToken}` },
    })
}
