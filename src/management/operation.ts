import type { Party } from '../audit/index.ts'
import type { Clock, Logger, Random, Secrets } from '../base/index.ts'
import type { Budgets, RequestLimits } from '../limits/index.ts'
import type { People } from '../people/index.ts'
import type { Policies } from '../policies/index.ts'
import type { Storage } from '../storage/index.ts'
import type { Query } from './log.ts'
import type { ApiRole } from './tokens.ts'

export interface ManagementParts {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly random: Random
  readonly clock: Clock
  readonly people: People
  readonly policies: Policies
  /** Counts the requests; absent: nobody does. */
  readonly limits?: RequestLimits | undefined
  /** The service app whose access token this is, if it is worth something now. */
  findServiceCaller?(token: string): Promise<ServiceCaller | undefined>
  /** What there is to know of the authorization server `default`; absent: there is none. */
  authorizationServer?(): ServerFacts
  /** How long a mailed code is good where nothing else was set, in milliseconds. */
  readonly codeLifetimeMs?: number
  /** Told of what was set and is not obeyed; absent: nobody is. */
  readonly log?: Pick<Logger, 'warn'>
  readonly budgets: Pick<Budgets, 'passwords' | 'passwordsByName' | 'codesPerDay' | 'codesUntilSuccess'>
  /** What this installation calls itself in mails. */
  readonly orgName: string
  /** Where the link of a reset mail leads on to, with `{token}` for the token; absent: the engine's own page. */
  readonly recoveryPage?: string | undefined
  /** Whether there is a page to administer with, at /admin. */
  readonly adminPage?: boolean
  /** Called when something was written: a mail may be waiting. */
  onCommitted(): void
  /** The engine's public address, without a slash at the end. */
  baseUrl(): string
}

/** A service app that shows an access token, and what it may do by it. */
export interface ServiceCaller {
  readonly clientId: string
  readonly label: string
  readonly scopes: readonly string[]
}

/** What tools look up about an authorization server. */
export interface ServerFacts {
  readonly issuer: string
  readonly audience: string
  readonly grantTypes: readonly string[]
  readonly scopes: readonly string[]
  /** By the scope that releases them. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  readonly lifetimes: { readonly accessTokenMs: number; readonly refreshTokenMs: number }
}

export type Fields = Readonly<Record<string, unknown>>

/** A request to the management API, by somebody who may make it. */
export interface Call {
  readonly parts: ManagementParts
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Fields
  /** Whose token it shows. */
  readonly actor: Party
  /** What an access token is good for; absent where an API token is shown. */
  readonly scopes?: readonly string[]
  readonly now: number
}

export interface Answer {
  /** 200 where there is a body, else 204. */
  readonly status?: number
  readonly body?: object
  /** The parameters of the next page; undefined: this was the last. Lists only. */
  readonly next?: Readonly<Record<string, string>> | undefined
}

/** One thing the management API can do. Routes, documentation and the tests of who may do what are made from these. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v1`. */
  readonly path: string
  readonly role: ApiRole
  /** What it does, as a sentence without a subject. */
  readonly summary: string
  handle(call: Call): Promise<Answer>
}

export const prefix = '/api/v1'
