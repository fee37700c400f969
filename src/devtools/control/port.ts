import type { Renderer } from '../../delivery/index.ts'
import type { PersonStatus } from '../../directory/index.ts'
import type { FlowReader } from '../inspector/facts.ts'

/**
 * What the control API needs from an engine, and nothing more: whoever builds the engine for development hands
 * this in. A method refuses by throwing a ProtocolError (400 to 499), whose code and description go to the
 * caller; anything else that is thrown is a fault of the engine and shows as a bare 500.
 */
export interface ControlPort {
  readonly people: {
    add(person: NewPerson): Promise<ControlPerson>
    /** The person as changed, or undefined where nobody has this id. */
    update(id: string, changes: PersonChanges): Promise<ControlPerson | undefined>
    /** Whether there was such a person. */
    remove(id: string): Promise<boolean>
  }
  readonly clock: {
    /** Epoch milliseconds. */
    now(): number
    advance(ms: number): Promise<void> | void
    set(at: number): Promise<void> | void
  }
  readonly faults: {
    /** The next `times` requests to the path answer with the status. */
    next(fault: PathFault): void
  }
  /** Tokens for somebody without walking the pages; absent: nobody signs in that way. */
  readonly signIn?: (login: string, wanted: SignInRequest) => Promise<object>
  /** Back to the seed, clock and faults included; client ids, secrets and keys stay. */
  reset(): Promise<void>
  /** The system log, newest first. */
  events(): Promise<readonly object[]>
  readonly transactions: {
    /** Newest first, each by its public id, never by its state handle. */
    list(): Promise<readonly object[]>
    /** The timeline of one, secrets redacted, or undefined. */
    get(id: string): Promise<object | undefined>
  }
  /** What the flow inspector shows; absent: nothing was watched. */
  readonly flows?: FlowReader
  /** The engine's admin page, with a token that opens it. */
  readonly adminUrl?: string
  /** The engine's public address. */
  readonly engineUrl?: string
  /** The mail templates, read afresh, so that the preview shows a file as it is now. @throws ConfigError */
  readonly templates?: () => Promise<Renderer>
}

export interface NewPerson {
  readonly login: string
  readonly email?: string
  readonly password?: string
  readonly firstName?: string
  readonly lastName?: string
  /** The language of her mails, such as `de-AT`. */
  readonly locale?: string
  readonly status?: PersonStatus
}

export type PersonChanges = Partial<Omit<NewPerson, 'login'>>

export interface ControlPerson {
  readonly id: string
  readonly login: string
  readonly email: string
  readonly status: PersonStatus
  readonly firstName?: string
  readonly lastName?: string
  /** The language of her mails, such as `de-AT`. */
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
