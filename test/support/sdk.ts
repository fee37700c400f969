import { OktaAuth as OktaAuth8 } from '@okta/okta-auth-js'
import type { Kit } from '../../src/testing/index.ts'
import { hasClients, importClient, requireClient } from './clients.ts'

type Package = { readonly OktaAuth: typeof OktaAuth8 }
export type SdkMajor = 8 | 7 | 6

/** The published majors, each in the style that its apps write: legacy mode is the default of 6 and 7. */
const sdkMajors: Readonly<Partial<Record<SdkMajor, typeof OktaAuth8>>> = {
  8: OktaAuth8,
  ...(hasClients && {
    7: (await importClient<Package>('okta-auth-js-7')).OktaAuth,
    // The ESM build of major 6 asks for a browser's `window` in Node; its apps on servers use the CommonJS build.
    6: requireClient<Package>('okta-auth-js-6').OktaAuth,
  }),
}

/** Every major, newest first; the newest alone where the others are not installed, which the run prints at its start. */
export const majors: readonly SdkMajor[] = hasClients ? [8, 7, 6] : [8]
/** Those that walk every journey: the newest; all of them in `npm run test:world`. The older ones walk the first and the last. */
export const walkingMajors: readonly SdkMajor[] = process.env.REKEY_TEST_WORLD === '1' ? majors : [8]

/** One browser's worth of storage: clients made on one browser find each other's transactions, as tabs do. */
export interface Browser {
  readonly items: Map<string, Map<string, string>>
}

export const newBrowser = (): Browser => ({ items: new Map() })

function storage(browser: Browser, name: string) {
  const items = browser.items.get(name) ?? new Map<string, string>()
  browser.items.set(name, items)
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  }
}

export interface SdkOptions {
  readonly major?: SdkMajor
  readonly browser?: Browser
  /** Step mode is SDK 8's default; all else here is written in the legacy mode. */
  readonly mode?: 'legacy' | 'step'
  readonly client?: 'web' | 'public'
  readonly issuer?: string
  readonly scopes?: string[]
}

/** What an app knows of the engine it uses. */
type Target = Pick<Kit, 'issuer' | 'clientId' | 'clientSecret' | 'publicClientId' | 'redirectUri'>

/** The published SDK, unmodified, pointed at an engine. */
export function sdk(idp: Target, options: SdkOptions = {}): OktaAuth8 {
  const { major = 8, browser = newBrowser(), mode = 'legacy', client = 'web' } = options
  const settings = {
    issuer: options.issuer ?? idp.issuer,
    clientId: client === 'web' ? idp.clientId : idp.publicClientId,
    ...(client === 'web' && { clientSecret: idp.clientSecret }),
    redirectUri: idp.redirectUri,
    scopes: options.scopes ?? ['openid', 'profile', 'email', 'offline_access'],
    ...(major === 8 && { idx: { enableLegacyMode: mode === 'legacy' } }),
    ...(major === 6 && { useInteractionCodeFlow: true }),
    storageManager: {
      transaction: { storageProvider: storage(browser, 'transaction') },
      'shared-transaction': { storageProvider: storage(browser, 'shared') },
      'idx-response': { storageProvider: storage(browser, 'idx') },
      token: { storageProvider: storage(browser, 'token') },
      cache: { storageProvider: storage(browser, 'cache') },
    },
    tokenManager: { autoRenew: false },
  }
  const Constructor = sdkMajors[major] as unknown as (new (settings: object) => OktaAuth8) | undefined
  if (Constructor === undefined) throw new Error(`okta-auth-js ${major} is not installed: npm run clients`)
  return new Constructor(settings)
}

/** The `search` part of a magic link's redirect, as the callback page of the app gets it. */
export async function openLink(link: string): Promise<{ readonly search: string; readonly url: URL }> {
  const response = await fetch(link, { redirect: 'manual' })
  const url = new URL(response.headers.get('location') ?? link)
  return { search: url.search, url }
}
