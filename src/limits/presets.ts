import { networkOf } from './address.ts'
import type { LimitsOptions } from './options.ts'
import { sourceOfApp } from './source.ts'

/** The endpoints whose requests are counted. */
export type Endpoint =
  | 'interact'
  /** A transaction that takes the place of a cancelled one: it is stored as one that `interact` begins. */
  | 'successor'
  /** Userinfo, introspect, revoke, keys and logout. */
  | 'oauth'
  /** The pages that mailed links lead to. */
  | 'page'
  /** A client secret that was wrong. */
  | 'secret'
  | 'token'
  | 'introspect'
  | 'identify'
  | 'idx'
  | 'management'
  | 'mail'
  /** A text or a call. */
  | 'text'
  /** The form by which a visitor makes an account. */
  | 'sign-up'

/** Where a request comes from and what it is about. Nothing here depends on whether an account exists. */
export interface RequestSource {
  /** The network address of the user's device, as far as it is known; else that of the connection. */
  readonly address: string
  /** The app that is the source where it vouches for no address (see `Source`). */
  readonly app?: string | undefined
  /** A client that is registered. */
  readonly client?: string | undefined
  readonly device?: string | undefined
  /** The transaction that a valid state handle names. */
  readonly transaction?: string | undefined
  /** The name as typed, normalised. */
  readonly identifier?: string | undefined
}

/** How many requests of a kind are answered in a window, and what they are counted by. */
export interface RequestBudget {
  readonly name: keyof LimitsOptions['requests']
  readonly endpoints: readonly Endpoint[]
  readonly limit: number
  readonly windowMs: number
  /** Counted by source: an app that vouches for no address has `appFactor` times as many. */
  readonly bySource?: boolean
  /** What a request is counted under; undefined: this budget does not concern it. */
  keyOf(source: RequestSource): string | undefined
}

const idx: readonly Endpoint[] = ['introspect', 'identify', 'idx']
const begun: readonly Endpoint[] = ['interact', 'successor']
const minute = 60_000

const source = ({ app, address }: RequestSource) => (app === undefined ? address : sourceOfApp(app).key)
const bySource = { bySource: true, keyOf: source }
const everybody = () => ''

const shapes: readonly Omit<RequestBudget, 'limit'>[] = [
  { name: 'idxPerAddress', endpoints: idx, windowMs: minute, ...bySource },
  { name: 'interactPerAddress', endpoints: begun, windowMs: minute, ...bySource },
  { name: 'interactPerAddressHour', endpoints: begun, windowMs: 60 * minute, ...bySource },
  { name: 'tokenPerAddress', endpoints: ['token'], windowMs: minute, ...bySource },
  { name: 'othersPerAddress', endpoints: ['oauth', 'page'], windowMs: minute, ...bySource },
  {
    name: 'wrongSecretsPerAddress',
    endpoints: ['secret'],
    windowMs: minute,
    // By client, too: an app that is misconfigured keeps no other app of its network out.
    keyOf: ({ client = '', address }) => `${client} ${address}`,
  },
  { name: 'managementPerAddress', endpoints: ['management'], windowMs: minute, ...bySource },
  { name: 'mailsPerSource', endpoints: ['mail'], windowMs: minute, ...bySource },
  { name: 'mailsPerClient', endpoints: ['mail'], windowMs: minute, keyOf: ({ client }) => client },
  { name: 'textsPerSource', endpoints: ['text'], windowMs: minute, ...bySource },
  { name: 'textsPerSourceHour', endpoints: ['text'], windowMs: 60 * minute, ...bySource },
  { name: 'signUpsPerSource', endpoints: ['sign-up'], windowMs: 60 * minute, ...bySource },
  {
    name: 'signUpsPerNetwork',
    endpoints: ['sign-up'],
    windowMs: 60 * minute,
    bySource: true,
    keyOf: (caller) => (caller.app === undefined ? networkOf(caller.address) : sourceOfApp(caller.app).key),
  },
  { name: 'textsPerClient', endpoints: ['text'], windowMs: minute, keyOf: ({ client }) => client },
  {
    name: 'perClient',
    endpoints: ['interact'],
    windowMs: minute,
    // By the client alone, any caller could use up what an app has: the id of a browser's app is public.
    keyOf: ({ client, address, device = '' }) => client && `${client} ${address} ${device}`,
  },
  { name: 'perStateHandle', endpoints: idx, windowMs: 5000, keyOf: ({ transaction }) => transaction },
  { name: 'perIdentifier', endpoints: idx, windowMs: 5000, keyOf: ({ identifier }) => identifier },
  { name: 'identify', endpoints: ['identify'], windowMs: minute, keyOf: everybody },
  { name: 'introspect', endpoints: ['introspect'], windowMs: minute, keyOf: everybody },
  { name: 'idx', endpoints: ['idx'], windowMs: minute, keyOf: everybody },
  { name: 'interact', endpoints: ['interact'], windowMs: minute, keyOf: everybody },
  { name: 'token', endpoints: ['token'], windowMs: minute, keyOf: everybody },
  { name: 'management', endpoints: ['management'], windowMs: minute, keyOf: everybody },
]

const mails = { mailsPerSource: 300, mailsPerClient: 6000 }
const texts = { textsPerSource: 30, textsPerSourceHour: 200, textsPerClient: 600 }
const others = { othersPerAddress: 30_000, wrongSecretsPerAddress: 60 }
// A class in a computer room signs up from one address; a farm of fresh addresses in one network does not get further.
const signUps = { signUpsPerSource: 60, signUpsPerNetwork: 300 }
const okta = {
  ...mails,
  ...texts,
  ...others,
  ...signUps,
  perClient: 60,
  perStateHandle: 10,
  perIdentifier: 20,
}

/** Okta's limits are those that it last published for the Identity Engine; what it calls "app intent" is interact here. */
const presets: Readonly<Record<LimitsOptions['preset'], LimitsOptions['requests']>> = {
  default: {
    ...mails,
    ...texts,
    ...others,
    ...signUps,
    idxPerAddress: 30_000,
    // What a large office needs on a Monday morning, and no more: each call is stored (A60).
    interactPerAddress: 1200,
    interactPerAddressHour: 6000,
    tokenPerAddress: 12_000,
    managementPerAddress: 30_000,
    perClient: 600,
    perStateHandle: 1000,
  },
  'okta-integrator': {
    ...okta,
    identify: 100,
    introspect: 200,
    idx: 100,
    interact: 200,
    token: 300,
    management: 100,
  },
  'okta-enterprise': {
    ...okta,
    identify: 1000,
    introspect: 2000,
    idx: 1000,
    interact: 2000,
    token: 1200,
    management: 1200,
  },
}

/** The request budgets of a configuration: the preset's, with what the owner set in their place. */
export function requestBudgetsFrom({ preset, requests }: LimitsOptions): readonly RequestBudget[] {
  const limits = { ...presets[preset], ...requests }
  return shapes.flatMap((shape) => {
    const limit = limits[shape.name]
    if (limit === undefined) return []
    // Okta's number for a client is for all of its users, whether or not it vouches for their addresses.
    const isBySource = shape.bySource || (shape.name === 'perClient' && preset === 'default')
    return [{ ...shape, limit, bySource: isBySource }]
  })
}
