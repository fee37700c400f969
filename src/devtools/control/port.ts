import type { Renderer } from '../../delivery/index.ts'
import type { PersonStatus } from '../../directory/index.ts'
import type { EnrolledFactor, KitFactors, TypedFactor } from '../environment/factors.ts'
import type { FlowReader } from '../inspector/facts.ts'

/**
 * The operations of an engine that the control API needs. The code that builds the development engine implements them.
 * A method refuses by throwing a ProtocolError (400 to 499), whose code and description are sent to the caller. Any
 * other error is a failure of the engine and is answered with 500.
 */
export interface ControlPort {
  readonly people: {
    /** All users in the order of their ids, at most a thousand; with a name only the one who has it as login or email. */
    list(name?: string): Promise<readonly ControlPerson[]>
    get(id: string): Promise<ControlPerson | undefined>
    /** With what was enrolled, in the order asked for; absent: nothing was. */
    add(person: NewPerson): Promise<ControlPerson & { readonly factors?: readonly EnrolledFactor[] }>
    /** Returns the changed user, or undefined if there is none with this id. */
    update(id: string, changes: PersonChanges): Promise<ControlPerson | undefined>
    /** Returns whether the user existed. */
    remove(id: string): Promise<boolean>
  }
  /** What users have besides the password, enrolled without page, code or notice. */
  readonly factors: KitFactors
  readonly clock: {
    /** Epoch milliseconds. */
    now(): number
    /** When the seed was written: users, clients and keys are as old as this. */
    seededAt(): number
    advance(ms: number): Promise<void> | void
    set(at: number): Promise<void> | void
  }
  readonly faults: {
    /** The next `times` requests to the path answer with the status. */
    next(fault: PathFault): void
  }
  /** Signs a user in without the pages. Absent: not supported. */
  readonly signIn?: (login: string, wanted: SignInRequest) => Promise<object>
  /** Restores the seeded state, including clock and faults. Client ids, secrets and keys stay. */
  reset(): Promise<void>
  /** The system log, newest first. */
  events(): Promise<readonly object[]>
  readonly transactions: {
    /** The transactions, newest first, with their public ids, never with their state handles. */
    list(): Promise<readonly object[]>
    /** The timeline of a transaction without secrets, or undefined. */
    get(id: string): Promise<object | undefined>
  }
  /** The data source of the flow inspector. Absent: nothing is recorded. */
  readonly flows?: FlowReader
  /** The address of the admin page of the engine, with a token. */
  readonly adminUrl?: string
  /** The public address of the engine. */
  readonly engineUrl?: string
  /** The page for a browser that opens an address where nothing is served. Absent: it gets JSON, as programs do. */
  readonly unknownPage?: () => string | undefined
  /** Reads the mail templates again, so that the preview shows the current files. @throws ConfigError */
  readonly templates?: () => Promise<Renderer>
}

export interface NewPerson {
  readonly login: string
  readonly email?: string
  readonly password?: string
  readonly firstName?: string
  readonly lastName?: string
  /** The language of mails to the user, such as `de-AT`. */
  readonly locale?: string
  readonly status?: PersonStatus
  /** The email counts as proven (`email_verified`), as after a code that came by mail. Default: it does not. */
  readonly emailVerified?: boolean
  /** The number of a phone to enrol, with its country: short for a factor of the type `phone_number`. */
  readonly phone?: string
  /** What the user has enrolled from the start. */
  readonly factors?: readonly TypedFactor[]
}

export type PersonChanges = Partial<Omit<NewPerson, 'login' | 'emailVerified' | 'phone' | 'factors'>>

export interface ControlPerson {
  readonly id: string
  readonly login: string
  readonly email: string
  readonly status: PersonStatus
  readonly firstName?: string
  readonly lastName?: string
  /** The language of mails to the user, such as `de-AT`. */
  readonly locale?: string
}

export interface SignInRequest {
  readonly client?: string
  readonly scopes?: readonly string[]
  readonly server?: 'default' | 'org'
}

export interface PathFault {
  readonly path: string
  readonly status: number
  readonly times: number
}
