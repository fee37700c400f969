import { type Exchange, type ExchangeRecorder, kindOf, passwordKind } from '../audit/index.ts'
import { type Clock, describeUserAgent, ProtocolError } from '../base/index.ts'
import {
  type Authenticator,
  authenticatorId,
  type Field,
  type FlowAnswer,
  type Handle,
  type Input,
  type OpenedLink,
  onOffer,
  type TransactionContext,
  type TransactionIds,
  textAt,
  type View,
  valueAt,
} from '../flow/index.ts'
import { steps } from './steps/index.ts'

/** Whoever watches, in development and tests; production watches nothing. */
export interface Recording {
  readonly observe: ExchangeRecorder
  lookAt(by: Handle): Promise<TransactionIds | undefined>
}

interface WatchParts {
  readonly clock: Clock
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly watching?: Recording | undefined
}

/** What is read of a request. */
interface Asked {
  readonly method: string
  readonly routeOptions: { readonly url?: string | undefined }
  readonly headers: { readonly 'user-agent'?: string | undefined }
  readonly body?: unknown
  readonly query?: unknown
  readonly params?: unknown
}

/** What the routes tell on the way. Each does nothing where nobody watches. */
export interface Recorder {
  answered(request: Asked, answer: FlowAnswer): void
  failed(request: Asked, error: unknown): void
  opened(request: Asked, link: OpenedLink): void
  /** The answer is about to leave. */
  leaving(
    request: Asked,
    answer: { readonly statusCode: number; readonly elapsedTime: number },
  ): Promise<void>
}

type Told = Partial<Omit<Exchange, 'at' | 'durationMs' | 'endpoint' | 'method' | 'path' | 'status'>>

/** Tells whoever watches of every exchange, as its answer leaves; what could be used is made unusable here already. */
export function recordExchanges({ authenticators, clock, watching }: WatchParts): Recorder {
  if (watching === undefined) return { answered() {}, failed() {}, opened() {}, async leaving() {} }
  const told = new WeakMap<Asked, Told>()
  const tell = (request: Asked, more: Told) => void told.set(request, { ...told.get(request), ...more })
  return {
    answered: (request, answer) => tell(request, toldOf(request, authenticators, answer)),
    failed(request, error) {
      if (!(error instanceof ProtocolError)) return
      tell(request, { messages: [error.code], reason: error.detail ?? error.description })
    },
    opened: (request, link) => tell(request, { reason: link.state }),
    async leaving(request, { statusCode, elapsedTime }) {
      const { url: path = '' } = request.routeOptions
      const endpoint = path.includes('/idp/idx/') ? 'idx' : 'link'
      if (endpoint === 'link' && !path.includes('/email/verify/')) return
      const known = told.get(request)
      // Where the database is away the visitor is told so; who only watches must not stand in the way of that answer.
      const nothing = () => undefined
      const sight = known?.transactionId ? undefined : await watching.lookAt(handleIn(request)).catch(nothing)
      watching.observe({
        at: clock.now(),
        durationMs: elapsedTime,
        endpoint,
        method: request.method,
        path,
        status: statusCode,
        sent: endpoint === 'idx' ? sentIn(request.body, authenticators) : { token: 'token of a link' },
        offered: [],
        messages: [],
        browser: browserOf(request),
        ...known,
        ...sight,
        ...(isForeign(request, sight) && { reason: 'client' }),
      })
    },
  }
}

/** A link names its app in its path. */
function isForeign({ params }: Asked, sight: TransactionIds | undefined): boolean {
  const { clientId } = (params ?? {}) as { readonly clientId?: string }
  return clientId !== undefined && sight?.clientId !== undefined && sight.clientId !== clientId
}

const nobody: Handle = { stateHandle: '' }

function handleIn({ body, query }: Asked): Handle {
  const { token } = (query ?? {}) as { readonly token?: unknown }
  if (typeof token === 'string') return { linkToken: token }
  if (typeof body !== 'object' || body === null) return nobody
  const { interactionHandle, stateToken, stateHandle } = body as Input
  if (typeof interactionHandle === 'string') return { interactionHandle }
  const handle = stateHandle ?? stateToken
  return typeof handle === 'string' ? { stateHandle: handle } : nobody
}

function browserOf({ headers }: Asked): string | undefined {
  const { browser, system } = describeUserAgent(headers['user-agent'] ?? '')
  return [browser, system].filter(Boolean).join(' on ') || undefined
}

function toldOf(
  request: Asked,
  authenticators: ReadonlyMap<string, Authenticator>,
  { from, context: standing, refused, notice, interactionCode }: FlowAnswer,
): Told {
  const path = request.routeOptions.url?.split('/idp/idx/')[1]
  const before = viewOf(from, authenticators)
  const after = viewOf(standing, authenticators)
  const step = onOffer(steps, before).find((candidate) => candidate.path === path)
  const message = refused ?? notice
  const successor = standing.transaction.id === from.transaction.id ? undefined : standing.transaction.id
  return {
    transactionId: from.transaction.id,
    interactionId: from.interaction.id,
    clientId: from.client.id,
    sent: sentIn(request.body, authenticators, step?.fields(before)),
    step: step?.name,
    stageBefore: from.stage,
    stageAfter: successor === undefined ? standing.stage : 'closed',
    offered: interactionCode === undefined ? offeredAt(after) : ['successWithInteractionCode'],
    messages: message === undefined ? [] : [message.key],
    hint: message?.key.startsWith('password.') ? message.params?.[0] || undefined : undefined,
    reason: step === undefined && path !== 'introspect' ? 'not on offer' : undefined,
    successorId: successor,
  }
}

const viewOf = (standing: TransactionContext, authenticators: ReadonlyMap<string, Authenticator>): View => ({
  ...standing,
  progress: standing.transaction.progress,
  authenticators,
})

const offeredAt = (view: View): readonly string[] =>
  onOffer(steps, view)
    .filter((step) => step.rendered?.(view) ?? true)
    .map(({ name }) => name)

/** Of whose fields the value may be shown; of all others its kind. A name that is not here may be a secret itself. */
const fields: Readonly<Record<string, (value: unknown, secret: boolean) => string>> = {
  stateHandle: () => 'state handle',
  stateToken: () => 'state handle',
  interactionHandle: () => 'interaction handle',
  identifier: (value) => (typeof value === 'string' ? value.slice(0, 254) : kindOf(value)),
  'credentials.passcode': (value, secret) => (secret ? passwordKind(value) : kindOf(value)),
  'credentials.revokeSessions': (value) => (typeof value === 'boolean' ? String(value) : kindOf(value)),
  rememberMe: (value) => (typeof value === 'boolean' ? String(value) : kindOf(value)),
  'authenticator.id': kindOf,
  'authenticator.methodType': (value) => (value === 'email' || value === 'password' ? value : kindOf(value)),
}

function sentIn(
  body: unknown,
  authenticators: ReadonlyMap<string, Authenticator>,
  form: readonly Field[] = [],
): Readonly<Record<string, string>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {}
  const input = body as Input
  const secret = isSecret(form, 'passcode')
  const known = Object.entries(fields).flatMap(([path, show]): [string, string][] => {
    const value = valueAt(input, path)
    if (value === undefined) return []
    return [[path, path === 'authenticator.id' ? keyOf(input, authenticators) : show(value, secret)]]
  })
  const names = new Set(Object.keys(fields).map((path) => path.split('.')[0]))
  const others = Object.keys(input).filter((name) => !names.has(name)).length
  if (others > 0) known.push(['other fields', String(others)])
  return Object.fromEntries(known)
}

/** The authenticator that was chosen, by its name; an id that is none may be anything. */
function keyOf(input: Input, authenticators: ReadonlyMap<string, Authenticator>): string {
  const id = textAt(input, 'authenticator.id')
  const key = [...authenticators.keys()].find((candidate) => authenticatorId(candidate) === id)
  return key ?? kindOf(valueAt(input, 'authenticator.id'))
}

const isSecret = (form: readonly Field[], name: string): boolean =>
  form.some((field) => (field.name === name && field.secret === true) || isSecret(field.fields ?? [], name))
