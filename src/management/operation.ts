import type { Static, TObject, TProperties, TSchema } from 'typebox'
import { type NewEvent, type Party, record } from '../audit/index.ts'
import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import type { Authenticator } from '../flow/index.ts'
import type { Budgets, RequestLimits } from '../limits/index.ts'
import type { AccountChanges, People } from '../people/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Db, Storage } from '../storage/index.ts'
import { type Fields, type Query, readBody, readQuery } from './input.ts'
import type { ApiRole } from './tokens.ts'

export interface ManagementParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly people: People
  /** What users have asked for and what waits; absent: without an engine, where nothing waits. */
  readonly changes?: AccountChanges
  readonly policies: Policies
  /** The authenticators there are, in the order in which they are offered. */
  readonly authenticators: readonly Authenticator[]
  /** Rate limits; absent: requests are not limited. */
  readonly limits?: RequestLimits | undefined
  /** The service app that an access token was issued to; undefined if the token is not valid now. */
  findServiceCaller?(token: string): Promise<ServiceCaller | undefined>
  /** Describes the authorization server `default`; absent: there is none. */
  authorizationServer?(): ServerFacts
  /** After how long without a use a browser's session is over, in milliseconds; absent: it is listed until it expires. */
  readonly browserIdleMs?: number
  /** Default lifetime of a mailed code, in milliseconds. */
  readonly codeLifetimeMs?: number
  /** Receives warnings about settings that are stored but not supported. */
  readonly log?: Pick<Logger, 'warn'>
  readonly budgets: Budgets
  /** The name of this installation in mails. */
  readonly orgName: string
  /** The most users that a search reads one by one, where no index answers it. */
  readonly scannedUsers: number
  /** Whether the admin page is served at /admin. */
  readonly adminPage?: boolean
  /** The only host that it is served under; absent: any. */
  readonly adminHost?: string | undefined
  /** Called after a commit that may have queued a mail. */
  onCommitted(): void
  /** The engine's public address, without a trailing slash. */
  baseUrl(): string
}

/** A service app that calls with an access token, and the scopes of the token. */
export interface ServiceCaller {
  readonly clientId: string
  readonly label: string
  readonly scopes: readonly string[]
}

/** What the Authorization Servers API shows of a server. */
export interface ServerFacts {
  readonly issuer: string
  readonly audience: string
  readonly grantTypes: readonly string[]
  readonly scopes: readonly string[]
  /** Claims by the scope that releases them. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  readonly lifetimes: { readonly accessTokenMs: number; readonly refreshTokenMs: number }
}

/** An authorized request to the management API. `body` and `query` have the types that the operation describes. */
export interface Call<Body = Fields, Parameters = Query> {
  readonly parts: ManagementParts
  readonly params: Readonly<Record<string, string>>
  readonly query: Parameters
  readonly body: Body
  /** The caller: an API token or a service app. */
  readonly actor: Party
  /** The scopes of an access token; absent for API tokens, which have a role instead. */
  readonly scopes?: readonly string[]
  readonly now: number
  /** `Accept-Language`, as it came. */
  readonly language?: string | undefined
  /** What was uploaded, where the operation takes a file. */
  readonly file?: Buffer | undefined
}

/** A call without its body and query. */
export type Context = Omit<Call, 'body' | 'query'>

export interface Answer {
  /** Default: 200 with a body, 204 without. */
  readonly status?: number
  readonly body?: object
  /** Lists only: the query parameters of the next page; undefined on the last page. */
  readonly next?: Readonly<Record<string, string>> | undefined
}

interface Description {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v1`. */
  readonly path: string
  readonly role: ApiRole
  /** What it does, in the imperative: `List users`. Shown in docs/management.md and docs/openapi.yaml. */
  readonly summary: string
  /** Of the body without null. */
  readonly response?: TSchema
  /** Of success. Default: 200, and 204 for DELETE. */
  readonly status?: number
  /** Takes a PNG: as `multipart/form-data`, in the field `file`, or as it is. */
  readonly upload?: true
}

/** One operation of the management API. Routes, documentation and the access tests are derived from these. */
export interface Operation extends Description {
  readonly body?: TSchema | undefined
  readonly query?: TProperties | undefined
  handle(call: Call): Promise<Answer>
}

/**
 * An operation that is described once: `body` and `query` check what is sent before `handle` is called (400 with a cause
 * for each invalid member), give `handle` its types, and make the OpenAPI document. An operation without `body` reads none.
 */
// biome-ignore lint/complexity/noBannedTypes: an object without members
export const operation = <Body extends TSchema = TObject<{}>, Parameters extends TProperties = {}>({
  handle,
  check,
  ...described
}: Description & {
  readonly body?: Body
  readonly query?: Parameters
  /** What is wrong with a body beyond its schema, as `member: why`: reported in the same answer. */
  check?(body: Fields): readonly string[]
  handle(call: Call<Static<Body>, Static<TObject<Parameters>>>): Promise<Answer>
}): Operation => ({
  ...described,
  handle: (call) =>
    handle({
      ...call,
      query: readQuery(described.query ?? ({} as Parameters), call.query),
      body: (described.body === undefined ? {} : readBody(described.body, call.body, check)) as Static<Body>,
    }),
})

export const prefix = '/api/v1'

/**
 * The operations `activate` and `deactivate` of a resource at `path`. `noun` is what their summaries call it, such as
 * `an app`.
 */
export const lifecycleOperations = (
  path: string,
  noun: string,
  setStatus: (
    call: Context,
    status: 'ACTIVE' | 'INACTIVE',
    action: 'activate' | 'deactivate',
  ) => Promise<Answer>,
  described: Pick<Operation, 'response' | 'status'> = {},
): readonly Operation[] =>
  (
    [
      ['activate', 'ACTIVE', 'Activate'],
      ['deactivate', 'INACTIVE', 'Deactivate'],
    ] as const
  ).map(([action, status, verb]) =>
    operation({
      method: 'POST',
      path: `${path}/lifecycle/${action}`,
      role: 'all',
      summary: `${verb} ${noun}`,
      ...described,
      handle: (call) => setStatus(call, status, action),
    }),
  )

/** Records an event of the system log that the caller of an operation has caused. */
export const recordEvent = (
  { parts, actor, now }: Context,
  db: Db,
  event: Pick<NewEvent, 'eventType' | 'displayMessage' | 'target' | 'debugData'>,
): Promise<void> =>
  record(db, { ...event, outcome: { result: 'SUCCESS' }, actor }, { random: parts.random, now })
