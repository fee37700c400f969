import { type Static, type TObject, type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { apiError, type Clock, type Random, type Secrets } from '../base/index.ts'
import type { Person } from '../directory/index.ts'
import type { Authenticator } from '../flow/index.ts'
import type { Budgets, RequestLimits } from '../limits/index.ts'
import type { AccountChanges, OwnerProof, People } from '../people/index.ts'
import type { Policies, Policy } from '../policies/index.ts'
import type { Session } from '../sessions/index.ts'
import type { Storage } from '../storage/index.ts'

export interface AccountParts {
  readonly storage: Storage
  readonly random: Random
  readonly secrets: Secrets
  readonly clock: Clock
  readonly people: People
  readonly changes: AccountChanges
  readonly policies: Policies
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly budgets: Budgets
  /** Rate limits; absent: requests are not limited. */
  readonly limits?: RequestLimits | undefined
  /** The user of a valid access token; undefined: it is none. */
  findUserCaller(
    token: string,
    /** How it comes: a token that is bound to a key counts with a proof by that alone (RFC 9449). */
    presented: {
      readonly scheme: 'Bearer' | 'DPoP'
      readonly proof: string | readonly string[] | undefined
      readonly method: string
      readonly path: string
    },
  ): Promise<AccountUser | undefined>
  /** How old the sign-in may be for what changes the account, in milliseconds. */
  readonly stepUpMs: number
  /** For how long a change that can be stopped waits, in milliseconds. */
  readonly waitingMs: number
  readonly orgName: string
  /** Called after a commit that may have queued a text. */
  onCommitted(): void
  /** The engine's public address, without a trailing slash. */
  baseUrl(): string
}

/** Who calls: the user of an access token, and what it may be used for. */
export interface AccountUser {
  readonly person: Person
  readonly session: Session
  readonly clientId: string
  readonly scopes: readonly string[]
}

/** The same, with what applies to the user at the app. */
export interface AccountCaller extends AccountUser {
  readonly policy: Policy
  /** Whether one of the user's own factors was proven in the sign-in that the token came from. */
  readonly proof: OwnerProof
  /** How strong and recent that sign-in is; undefined: good enough for what changes the account. */
  readonly stepUp: StepUp | undefined
}

/** What the app has the user prove anew (RFC 9470). */
export interface StepUp {
  readonly maxAgeSeconds: number
  readonly acrValues?: string
}

/** An authorized call. `body` has the type that the operation describes. */
export interface Call<Body = Readonly<Record<string, unknown>>> {
  readonly parts: AccountParts
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: Body
  readonly caller: AccountCaller
  /** Whether the call passed by `wait=true` alone: what it asks for waits, whatever was proven. */
  readonly mustWait: boolean
  readonly now: number
}

export interface Answer {
  /** Default: 200 with a body, 204 without. */
  readonly status?: number
  readonly body?: object
}

interface Description {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/idp/myaccount`. */
  readonly path: string
  /** What of `okta.myAccount.` the token must have. `manage` is good for `read`, too. */
  readonly scope: string
  /** What it does, in the imperative. Shown in docs/account.md and docs/openapi.yaml. */
  readonly summary: string
  /**
   * Whether the token must come from a recent and strong enough sign-in. `waits`: with `wait=true` a recent one is enough, as what is
   * asked for waits then.
   */
  readonly stepUp?: true | 'waits'
  /** Of success. Default: 200 with a body, 204 without. */
  readonly status?: number
  /** Whether success has a body. Default: true. */
  readonly answers?: false
}

/** One operation of the MyAccount API. Routes and documentation are derived from these. */
export interface Operation extends Description {
  readonly body?: TSchema | undefined
  handle(call: Call): Promise<Answer>
}

/** An operation that is described once: `body` checks what is sent, gives `handle` its type and makes the OpenAPI document. */
// biome-ignore lint/complexity/noBannedTypes: an object without members
export const operation = <Body extends TSchema = TObject<{}>>({
  handle,
  ...described
}: Description & {
  readonly body?: Body
  handle(call: Call<Static<Body>>): Promise<Answer>
}): Operation => ({
  ...described,
  handle: (call) => {
    const { body } = described
    if (body !== undefined && !Value.Check(body, call.body)) {
      const [first] = Value.Errors(body, call.body)
      const place = first?.instancePath.split('/').slice(1).join('.') || 'body'
      throw apiError('E0000001', {
        summary: `Api validation failed: ${place}`,
        causes: [`${place}: ${first?.message ?? 'is invalid'}`],
      })
    }
    return handle({ ...call, body: call.body as Static<Body> })
  },
})

export const prefix = '/idp/myaccount'

/** A link, as the SDK follows it. */
export const link = (
  { parts }: Pick<Call, 'parts'>,
  path: string,
  ...allow: readonly ('GET' | 'POST' | 'PUT' | 'DELETE')[]
) => ({ href: `${parts.baseUrl()}${prefix}${path}`, hints: { allow } })

export const text = (maxLength = 254) => Type.String({ minLength: 1, maxLength })

/** What is not there, as Okta's API says it. */
export const notFound = (id: string, what: string) =>
  apiError('E0000007', { summary: `Not found: Resource not found: ${id.slice(0, 64)} (${what})` })

/** A value that is not accepted: `field: why`. */
export const invalid = (field: string, why: string) =>
  apiError('E0000001', { summary: `Api validation failed: ${field}`, causes: [`${field}: ${why}`] })
