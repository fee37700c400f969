import { randomBytes } from 'node:crypto'
import { s256 } from '../../src/base/index.ts'
import type { Kit, Message } from '../../src/testing/index.ts'
import { checkLaws } from './laws.ts'

export type Json = Record<string, unknown>

/** One answer of the engine, as it came over the wire. */
export interface Seen {
  /** The path that was asked, from the engine's root. */
  readonly path: string
  readonly status: number
  readonly type: string
  readonly headers: Headers
  readonly text: string
  /** The body where it is a JSON object, else empty. */
  readonly body: Json
}

type Client = 'web' | 'public' | { readonly id: string; readonly secret: string }

export interface VisitorOptions {
  /** A client of the kit, or one registered for the test. */
  readonly client?: Client
  readonly server?: 'default' | 'org'
  /** Asks with another browser, address or language. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A visitor without an SDK: speaks the protocol by hand, and checks every answer against the laws that hold for all. */
export type Visitor = ReturnType<typeof newVisitor>

export const ion = 'application/ion+json; okta-version=1.0.0'

/** Sends a body as it is, whatever it is, to a path of the engine. */
export async function send(
  idp: Kit,
  path: string,
  request: {
    readonly method?: string
    readonly body?: string | Uint8Array<ArrayBuffer>
    readonly headers?: Record<string, string>
  },
): Promise<Seen> {
  const response = await fetch(`${idp.engineUrl}${path}`, {
    method: request.method ?? 'POST',
    redirect: 'manual',
    headers: request.headers ?? {},
    ...(request.body !== undefined && { body: request.body }),
  })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return { path, status: response.status, type, headers: response.headers, text, body: objectIn(text, type) }
}

function objectIn(text: string, type: string): Json {
  if (!type.includes('json') || text === '') return {}
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function newVisitor(
  idp: Kit,
  { client = 'web', server = 'default', headers = {} }: VisitorOptions = {},
) {
  const verifier = randomBytes(32).toString('base64url')
  const oauth = server === 'default' ? '/oauth2/default' : '/oauth2'
  const redirectUri = typeof client === 'string' ? idp.redirectUri : 'http://localhost:8080/callback'
  const seen: Seen[] = []
  let interactionHandle = ''
  let stateHandle = ''
  let recovering = false
  let lastMail: Message | undefined

  function credentialsOf(of: Client): Record<string, string> {
    if (of === 'public') return { client_id: idp.publicClientId }
    const { id, secret } = of === 'web' ? { id: idp.clientId, secret: idp.clientSecret } : of
    return { client_id: id, client_secret: secret }
  }

  async function ask(path: string, body: unknown, accept: Record<string, string> = {}): Promise<Seen> {
    const answer = await send(idp, `/idp/idx/${path}`, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', accept: ion, ...headers, ...accept },
    })
    seen.push(answer)
    if (path === 'cancel' && answer.status === 200) {
      stateHandle = String(answer.body.stateHandle)
      recovering = false
    }
    if (path === 'recover' && answer.status === 200) recovering = true
    checkLaws(answer, { idp, stateHandle, recovering })
    return answer
  }

  const visitor = {
    /** Every answer so far. */
    seen: seen as readonly Seen[],
    get handles() {
      return { interactionHandle, stateHandle }
    },
    /** Asks for an interaction; `more` stands in the form beside what it needs. */
    async interaction(more: Readonly<Record<string, string>> = {}): Promise<Seen> {
      const answer = await send(idp, `${oauth}/v1/interact`, {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({
          ...credentialsOf(client),
          redirect_uri: redirectUri,
          scope: 'openid email',
          state: 'the state of the app',
          code_challenge: s256(verifier),
          code_challenge_method: 'S256',
          ...more,
        }).toString(),
      })
      interactionHandle = String(answer.body.interaction_handle)
      recovering = false
      return answer
    },
    /** Asks for an interaction and looks at its first page. */
    async begins(more: Readonly<Record<string, string>> = {}): Promise<Seen> {
      await visitor.interaction(more)
      return visitor.looks()
    },
    /** Asks where the interaction stands. */
    async looks(): Promise<Seen> {
      const answer = await ask('introspect', { interactionHandle })
      stateHandle = String(answer.body.stateHandle)
      return answer
    },
    /** Submits a form of the transaction; `input` may replace the state handle. */
    submits: (path: string, input: Json = {}, accept: Record<string, string> = {}) =>
      ask(path, { stateHandle, ...input }, accept),

    async chooses(key: string, more: Json = {}): Promise<Seen> {
      const choice = authenticatorsIn(visitor.seen.at(-1)?.body).find(
        (authenticator) => authenticator.key === key,
      )
      return visitor.submits('challenge', { authenticator: { id: choice?.id, ...more } })
    },
    async enrols(key: string, more: Json = {}): Promise<Seen> {
      const choice = authenticatorsIn(visitor.seen.at(-1)?.body).find(
        (authenticator) => authenticator.key === key,
      )
      return visitor.submits('credential/enroll', { authenticator: { id: choice?.id, ...more } })
    },
    answers: (passcode: unknown) => visitor.submits('challenge/answer', { credentials: { passcode } }),
    signsIn: (identifier: string, passcode: string) =>
      visitor.submits('identify', { identifier, credentials: { passcode } }),

    /** Waits for the next mail to an address and remembers it. */
    async reads(
      to: string,
    ): Promise<{ readonly code: string; readonly link: string; readonly mail: Message }> {
      lastMail = await idp.outbox.waitFor({ to, ...(lastMail && { after: lastMail.id }) })
      return { code: lastMail.code ?? '', link: lastMail.link ?? '', mail: lastMail }
    },

    /** From nothing to the choice of how to prove who one is. */
    async recovers(identifier: string = idp.person.login): Promise<Seen> {
      await visitor.begins()
      await visitor.submits('recover')
      return visitor.submits('identify', { identifier })
    },
    /** … to the page that takes the code. */
    async asksForTheMail(identifier?: string): Promise<Seen> {
      await visitor.recovers(identifier)
      return visitor.chooses('okta_email')
    },
    /** … to the page that takes the new password. */
    async proves(to: string = idp.person.login): Promise<Seen> {
      await visitor.asksForTheMail(to)
      const { code } = await visitor.reads(to)
      return visitor.answers(code)
    },
    /** Redeems an interaction code as the client that asked, or as another. */
    redeems: (code: string, as: Client = client) =>
      send(idp, `${oauth}/v1/token`, {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'interaction_code',
          interaction_code: code,
          code_verifier: verifier,
          redirect_uri: redirectUri,
          ...credentialsOf(as),
        }).toString(),
      }),
  }
  return visitor
}

/** The authenticators a response describes. */
export function authenticatorsIn(body: Json | undefined): readonly Json[] {
  const member = body?.authenticators as { value?: Json[] } | undefined
  return member?.value ?? []
}

/** The interaction code of a last response. */
export function codeIn(body: Json): string {
  const form = body.successWithInteractionCode as { value: { name: string; value?: string }[] } | undefined
  return form?.value.find(({ name }) => name === 'interaction_code')?.value ?? ''
}

/** Some code that is not this one. */
export const wrong = (code: string): string => (code === '000000' ? '111111' : '000000')
