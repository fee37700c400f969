import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { type Clock, type Secrets, secretMissing, secretVersionOf } from '../base/index.ts'
import { type Storage, type Tx, takeLock } from '../storage/index.ts'
import {
  activateNextKey,
  claimCurrent,
  findRetiredKey,
  forgetNextKey,
  type KeyState,
  listKeys,
  purgeKeys,
  readKeyState,
  removeKey,
  type StoredKey,
  signingKeyPurpose,
  storeFirstKey,
  storeNextKey,
} from './artifacts.store.ts'

/**
 * RS256 only: Okta's SDK and JWT verifier import every key as RSA. Signing runs on the thread pool, not the event loop.
 */
const alg = 'RS256'
/** How long a node caches the public keys, in milliseconds. Which key signs is read from the database each time. */
const cacheMs = 60_000
/**
 * How long a new key is published before it signs, in milliseconds. Verifiers cache the key set and refuse to fetch it
 * again for a while (jose: 30 seconds, panva/jose#349); one that fetched it just before a rotation would refuse every new
 * token until then. It is also longer than any node caches the keys.
 */
export const publishedAheadMs = 60_000

/** The type of logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
export const logoutTokenType = 'logout+jwt'

export type Claims = Readonly<Record<string, unknown>>

/** The claims of a token with a valid signature, and the key that signed it. */
export interface Verified {
  readonly claims: Claims
  readonly kid: string
}

/** A signing key without its private part. */
export interface SigningKeyInfo {
  readonly kid: string
  /** `next` is published and does not sign yet; `retired` is published for tokens that it has signed. */
  readonly state: 'current' | 'next' | 'retired'
  readonly createdAt: number
  /** When the next key begins to sign, in epoch milliseconds; undefined for the others. */
  readonly signsFrom?: number
}

export interface SigningKeys {
  /** The claims as a JWT, signed by the key that `current` has read last. */
  sign(claims: Claims, header?: { readonly typ?: string }): Promise<string>
  /**
   * The claims of a JWT with a valid signature by a published key, else undefined. The claims are not checked, nor whether
   * the key has been revoked meanwhile (`keyRevocation`): callers ask that together with the revocation of the token.
   */
  verify(jwt: string): Promise<Verified | undefined>
  /**
   * As `verify`, and by keys that are published no more: a session outlives the key that signed its ID token, and must be
   * able to end (report 18). Only for hints; a revoked key verifies nothing.
   */
  verifyHint(jwt: string): Promise<Verified | undefined>
  /** The key that signs now, with its private part, as the database says: a revoked key signs on no node any more. */
  current(): Promise<JWK>
  /** The public keys, the newest first (RFC 7517). */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  /** All keys that are published, the current one first. */
  list(): Promise<readonly SigningKeyInfo[]>
  /**
   * Generates a key that is published at once and signs after `publishedAheadMs`, or with `now` at once. Where one waits
   * already, that one is meant. Answers its `kid`.
   */
  rotate(options: { readonly now: boolean; readonly recorded?: Recorded }): Promise<string>
  /**
   * Ends a key at once on all nodes: it is published no more, and its tokens are refused. Where it was the current one, the
   * next key or a new one signs from now on. Answers the `kid` that signs; undefined where there is no such key.
   */
  revoke(kid: string, recorded?: Recorded): Promise<string | undefined>
  purge(): Promise<number>
}

/** Records a change in the same database transaction. */
type Recorded = (tx: Tx, change: { readonly kid: string; readonly signsFrom: number }) => Promise<void>

interface Signer {
  readonly jwk: JWK
  readonly key: CryptoKey
}

interface KeySet {
  readonly kid: string
  /** Throws where the private part cannot be opened. Verifying needs the public parts alone. */
  readonly signer: () => Signer
  readonly verifiers: ReadonlyMap<string, CryptoKey>
  readonly published: readonly JWK[]
  readonly readAt: number
}

interface Context {
  readonly storage: Storage
  readonly secrets: Secrets
  readonly clock: Clock
  /** How long a retired key stays published: until the last token that it signed has expired. */
  readonly keepMs: number
  /** How long the public half of a retired key verifies hints: until the last session of its ID tokens has ended. */
  readonly holdMs: number
}

/** The signing keys in the database, or the fixed one. */
export function createSigningKeys(context: Context & { readonly fixed?: JWK | undefined }): SigningKeys {
  const { storage, secrets, clock, fixed } = context
  let cached: KeySet | undefined
  let reading: Promise<KeySet> | undefined
  const retiredAfter = () => clock.now() - context.keepMs

  const read = (): Promise<KeySet> => {
    reading ??= (fixed === undefined ? readKeys(context, retiredAfter()) : fixedKey(fixed))
      .then((keys) => {
        cached = keys
        return keys
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const recent = async (): Promise<KeySet> =>
    cached !== undefined && performance.now() - cached.readAt < cacheMs ? cached : read()
  const current = async (): Promise<KeySet> => {
    if (fixed !== undefined) return cached ?? read()
    const { current: kid } = await keyState(context)
    return cached !== undefined && cached.kid === kid ? cached : read()
  }
  const refuseFixed = () => {
    if (fixed !== undefined) throw new Error('the signing key is fixed and cannot be changed')
  }

  const verify = async (jwt: string): Promise<Verified | undefined> => {
    const kid = kidOf(jwt)
    if (kid === undefined) return undefined
    // An unknown kid may be a key that another node has just rotated in.
    const key = (await recent()).verifiers.get(kid) ?? (await read()).verifiers.get(kid)
    const claims = key && (await verifyWith(key, jwt))
    return claims && { claims, kid }
  }
  return {
    async sign(claims, header = {}) {
      const { kid, signer } = cached ?? (await current())
      return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg, kid, ...header })
        .sign(signer().key)
    },
    verify,
    async verifyHint(jwt) {
      const verified = await verify(jwt)
      const kid = kidOf(jwt)
      if (verified !== undefined || kid === undefined || fixed !== undefined) return verified
      const held = await findRetiredKey(storage.db, kid, clock.now() - context.holdMs)
      const claims = held && (await verifyWith(await importKey(JSON.parse(held) as JWK), jwt))
      return claims ? { claims, kid } : undefined
    },
    current: async () => (await current()).signer().jwk,
    published: async () => ({ keys: (await read()).published }),
    async list() {
      refuseFixed()
      await read()
      const { current: kid, next } = await readKeyState(storage.db)
      const keys = (await listKeys(storage.db, retiredAfter())).map((key): SigningKeyInfo => {
        const { createdAt } = key
        if (key.kid === next?.kid) return { kid: key.kid, state: 'next', createdAt, signsFrom: next.at }
        return { kid: key.kid, state: key.kid === kid ? 'current' : 'retired', createdAt }
      })
      return keys.toSorted((a, b) => Number(b.state === 'current') - Number(a.state === 'current'))
    },
    async rotate({ now, recorded }) {
      refuseFixed()
      await read()
      const key = await generateKey(secrets, clock.now())
      const kid = await storage.transaction(async (tx) => {
        await takeLock(tx, 'signing key')
        const { current: before } = await readKeyState(tx)
        const stored = await storeNextKey(tx, key, clock.now() + publishedAheadMs)
        const { next } = await readKeyState(tx)
        if (now && next !== undefined && before !== undefined) {
          await activateNextKey(tx, { current: before, next }, clock.now())
        }
        const signsFrom = now ? clock.now() : (next?.at ?? clock.now())
        if (stored === key.kid || now) await recorded?.(tx, { kid: stored, signsFrom })
        return stored
      })
      await read()
      return kid
    },
    async revoke(kid, recorded) {
      refuseFixed()
      await read()
      const spare = await generateKey(secrets, clock.now())
      const signs = await storage.transaction(async (tx) => {
        await takeLock(tx, 'signing key')
        const times = { now: clock.now(), until: clock.now() + context.keepMs }
        const state = await readKeyState(tx)
        if (!(await removeKey(tx, kid, times))) return undefined
        await recorded?.(tx, { kid, signsFrom: clock.now() })
        return replaceRevoked(tx, kid, state, spare)
      })
      await read()
      return signs
    },
    purge: () =>
      purgeKeys(storage.db, { publishedAfter: retiredAfter(), heldAfter: clock.now() - context.holdMs }),
  }
}

/** What signs in place of a revoked key; the one that waits has been published for longer than a new one. */
async function replaceRevoked(
  tx: Tx,
  kid: string,
  { current, next }: KeyState,
  spare: StoredKey,
): Promise<string | undefined> {
  if (next?.kid === kid) await forgetNextKey(tx, next)
  if (current !== kid) return current
  if (next !== undefined && (await activateNextKey(tx, { current, next }, spare.createdAt))) return next.kid
  return (await storeFirstKey(tx, spare, current)) ? spare.kid : undefined
}

/** Which key signs. A key whose time has come is made the current one by the first node that asks. */
async function keyState({ storage, clock }: Context): Promise<KeyState> {
  const state = await readKeyState(storage.db)
  const { current, next } = state
  if (current === undefined || next === undefined || next.at > clock.now()) return state
  await storage.transaction((tx) => activateNextKey(tx, { current, next }, next.at))
  return readKeyState(storage.db)
}

async function readKeys(context: Context, retiredAfter: number): Promise<KeySet> {
  const { storage, secrets, clock } = context
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { current: kid } = await keyState(context)
    const rows = await listKeys(storage.db, retiredAfter)
    const current = rows.find((row) => row.kid === kid)
    if (current !== undefined) return openKeySet(current, rows, secrets)
    // The first use, or a reset that emptied the settings but not the keys. Of nodes that are here at once one
    // succeeds.
    const unretired = rows.find((row) => row.retiredAt === null)
    if (unretired !== undefined) await storage.transaction((tx) => claimCurrent(tx, unretired.kid, kid))
    else {
      const key = await generateKey(secrets, clock.now())
      await storage.transaction((tx) => storeFirstKey(tx, key, kid))
    }
  }
  throw new Error('no signing key could be agreed on')
}

async function openKeySet(current: StoredKey, rows: readonly StoredKey[], secrets: Secrets): Promise<KeySet> {
  const { kid, sealedJwk } = current
  const opened = secrets.open(signingKeyPurpose(kid), sealedJwk)
  return assemble(
    kid,
    opened === undefined ? undefined : (JSON.parse(opened) as JWK),
    rows.map((row) => JSON.parse(row.publicJwk) as JWK),
    () => {
      if (!secrets.knows(sealedJwk)) throw secretMissing(secretVersionOf(sealedJwk), `the signing key ${kid}`)
      throw new Error(`the signing key ${kid} does not open with any of the present master secrets`)
    },
  )
}

async function fixedKey(jwk: JWK): Promise<KeySet> {
  const kid = await calculateJwkThumbprint(jwk)
  return assemble(kid, { ...jwk, kid, alg, use: 'sig' }, [publicPart(jwk, kid)])
}

async function assemble(
  kid: string,
  jwk: JWK | undefined,
  published: readonly JWK[],
  refuse: () => never = () => {
    throw new Error('there is no private key')
  },
): Promise<KeySet> {
  const verifiers = new Map<string, CryptoKey>()
  for (const one of published) verifiers.set(one.kid ?? '', await importKey(one))
  const signer = jwk && { jwk, key: await importKey(jwk) }
  return {
    kid,
    signer: () => signer ?? refuse(),
    verifiers,
    published,
    readAt: performance.now(),
  }
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, alg)
  if (key instanceof Uint8Array) throw new Error('a signing key must be an RSA key')
  return key
}

const publicPart = ({ kty, n, e }: JWK, kid: string): JWK => ({ kty, alg, kid, use: 'sig', n, e }) as JWK

async function generateKey(secrets: Secrets, now: number): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair(alg, { modulusLength: 2048, extractable: true })
  const exported = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(exported)
  const jwk = { ...exported, kid, alg, use: 'sig' }
  return {
    kid,
    publicJwk: JSON.stringify(publicPart(exported, kid)),
    sealedJwk: secrets.seal(signingKeyPurpose(kid), JSON.stringify(jwk)),
    createdAt: now,
    retiredAt: null,
  }
}

function kidOf(jwt: string): string | undefined {
  try {
    return decodeProtectedHeader(jwt).kid
  } catch {
    return undefined // Not a JWT.
  }
}

async function verifyWith(key: CryptoKey, jwt: string): Promise<Claims | undefined> {
  try {
    const { payload, protectedHeader } = await compactVerify(jwt, key, { algorithms: [alg] })
    // A logout token is for an app: here it ends nothing, opens nothing and is no hint (RFC 8725, section 3.11).
    if (protectedHeader.typ === logoutTokenType) return undefined
    return JSON.parse(new TextDecoder().decode(payload)) as Claims
  } catch {
    return undefined // An invalid signature, or a malformed token.
  }
}
