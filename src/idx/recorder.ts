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
  type Step,
  type TransactionIds,
  textAt,
  type View,
  valueAt,
} from '../flow/index.ts'

/** Where exchanges are recorded, in development and tests; production records none. */
export interface Recording {
  readonly record: ExchangeRecorder
  find(by: Handle): Promise<TransactionIds | undefined>
}

interface RecorderParts {
  readonly clock: Clock
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly recording?: Recording | undefined
  readonly steps: readonly Step[]
}

/** What is read of a request. */
interface RecordedRequest {
  readonly method: string
  readonly routeOptions: { readonly url?: string | undefined }
  readonly headers: { readonly 'user-agent'?: string | undefined }
  readonly body?: unknown
  readonly query?: unknown
  readonly params?: unknown
}

/** What the routes report on the way. Each does nothing where nothing is recorded. */
export interface Recorder {
  answered(request: RecordedRequest, answer: FlowAnswer): void
  failed(request: RecordedRequest, error: unknown): void
  opened(request: RecordedRequest, link: OpenedLink): void
  /** The answer is about to leave. */
  leaving(
    request: RecordedRequest,
    answer: { readonly statusCode: number; readonly elapsedTime: number },
  ): Promise<void>
}

type Details = Partial<Omit<Exchange, 'at' | 'durationMs' | 'endpoint' | 'method' | 'path' | 'status'>>

/** Records every exchange as its answer leaves. Handles, codes and passwords are replaced by their kind here already. */
export function recordExchanges({ authenticators, clock, recording, steps }: RecorderParts): Recorder {
  if (recording === undefined) return { answered() {}, failed() {}, opened() {}, async leaving() {} }
  const details = new WeakMap<RecordedRequest, Details>()
  const note = (request: RecordedRequest, more: Details) =>
    void details.set(request, { ...details.get(request), ...more })
  return {
    answered: (request, answer) => note(request, detailsOf(request, authenticators, steps, answer)),
    failed(request, error) {
      if (!(error instanceof ProtocolError)) return
      note(request, { messages: [error.code], reason: error.detail ?? error.description })
    },
    opened: (request, link) => note(request, { reason: link.state }),
    async leaving(request, { statusCode, elapsedTime }) {
      const { url: path = '' } = request.routeOptions
      const endpoint = path.includes('/idp/idx/') ? 'idx' : 'link'
      if (endpoint === 'link' && !path.includes('/email/verify/')) return
      const known = details.get(request)
      // Where the database is away the answer says so; recording must not replace that answer by an error of its own.
      const nothing = () => undefined
      const found = known?.transactionId ? undefined : await recording.find(handleIn(request)).catch(nothing)
      recording.record({
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
        ...found,
        ...(isForeign(request, found) && { reason: 'client' }),
      })
    },
  }
}

/** A link names its app in its path. */
function isForeign({ params }: RecordedRequest, found: TransactionIds | undefined): boolean {
  const { clientId } = (params ?? {}) as { readonly clientId?: string }
  return clientId !== undefined && found?.clientId !== undefined && found.clientId !== clientId
}

const noHandle: Handle = { stateHandle: '' }

function handleIn({ body, query }: RecordedRequest): Handle {
  const { token } = (query ?? {}) as { readonly token?: unknown }
  if (typeof token === 'string') return { linkToken: token }
  if (typeof body !== 'object' || body === null) return noHandle
  const { interactionHandle, stateToken, stateHandle } = body as Input
  if (typeof interactionHandle === 'string') return { interactionHandle }
  const handle = stateHandle ?? stateToken
  return typeof handle === 'string' ? { stateHandle: handle } : noHandle
}

function browserOf({ headers }: RecordedRequest): string | undefined {
  const { browser, system } = describeUserAgent(headers['user-agent'] ?? '')
  return [browser, system].filter(Boolean).join(' on ') || undefined
}

function detailsOf(
  request: RecordedRequest,
  authenticators: ReadonlyMap<string, Authenticator>,
  steps: readonly Step[],
  { from, context, view, refused, notice, interactionCode, returns }: FlowAnswer,
): Details {
  const path = request.routeOptions.url?.split('/idp/idx/')[1]
  const before = from.context
  const viewBefore = from.view()
  const step = onOffer(steps, viewBefore).find((candidate) => candidate.path === path)
  const message = refused ?? notice
  const successor = context.transaction.id === before.transaction.id ? undefined : context.transaction.id
  return {
    transactionId: before.transaction.id,
    interactionId: before.interaction.id,
    clientId: before.client.id,
    sent: sentIn(request.body, authenticators, step?.fields(viewBefore)),
    step: step?.name,
    stageBefore: before.stage,
    stageAfter: successor === undefined ? context.stage : 'closed',
    offered: returns
      ? ['success-redirect']
      : interactionCode === undefined
        ? offeredAt(steps, view)
        : ['successWithInteractionCode'],
    messages: message === undefined ? [] : [message.key],
    hint: message?.key.startsWith('password.') ? String(message.params?.[0] ?? '') || undefined : undefined,
    reason: step === undefined && path !== 'introspect' ? 'not on offer' : undefined,
    successorId: successor,
  }
}

const offeredAt = (steps: readonly Step[], view: View): readonly string[] =>
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
  'authenticator.methodType': kindOf,
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
    const own =
      path === 'authenticator.id' ? keyOf : path === 'authenticator.methodType' ? methodOf : undefined
    return [[path, own?.(input, authenticators) ?? show(value, secret)]]
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

/** The method that was chosen, where some authenticator has it; any other text may be anything. */
function methodOf(input: Input, authenticators: ReadonlyMap<string, Authenticator>): string | undefined {
  const method = textAt(input, 'authenticator.methodType')
  const all = [...authenticators.values()].flatMap(({ methods }) => methods)
  return all.some(({ type }) => type === method) ? method : undefined
}

const isSecret = (form: readonly Field[], name: string): boolean =>
  form.some((field) => (field.name === name && field.secret === true) || isSecret(field.fields ?? [], name))
