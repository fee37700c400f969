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
import type { Clock, Secrets } from '../base/index.ts'
import type { Storage } from '../storage/index.ts'
import {
  claimCurrent,
  findCurrentKid,
  listKeys,
  purgeKeys,
  replaceCurrentKey,
  type StoredKey,
} from './artifacts.store.ts'

/**
 * RS256 only: Okta's SDK and JWT verifier import every key as RSA. Signing runs on the thread pool, not the event loop.
 */
const alg = 'RS256'
/**
 * How long a node caches the keys, in milliseconds: it signs with a key that another node rotated in within this time.
 */
const cacheMs = 60_000

export type Claims = Readonly<Record<string, unknown>>

export interface SigningKeys {
  /** The claims as a signed JWT. */
  sign(claims: Claims, header?: { readonly typ?: string }): Promise<string>
  /** The claims of a JWT with a valid signature by a published key, else undefined. The claims are not checked. */
  verify(jwt: string): Promise<Claims | undefined>
  /** The current signing key with its private part. */
  current(): Promise<JWK>
  /** The public keys, the current one first (RFC 7517). */
  published(): Promise<{ readonly keys: readonly JWK[] }>
  rotate(): Promise<string>
  purge(): Promise<number>
}

interface KeySet {
  readonly signer: { readonly kid: string; readonly jwk: JWK; readonly key: CryptoKey }
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
  const current = async (): Promise<KeySet> =>
    cached !== undefined && performance.now() - cached.readAt < cacheMs ? cached : read()

  return {
    async sign(claims, header = {}) {
      const { signer } = await current()
      return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ alg, kid: signer.kid, ...header })
        .sign(signer.key)
    },
    async verify(jwt) {
      const kid = kidOf(jwt)
      if (kid === undefined) return undefined
      // An unknown kid may be a key that another node has just rotated in.
      const key = (await current()).verifiers.get(kid) ?? (await read()).verifiers.get(kid)
      return key && verifyWith(key, jwt)
    },
    current: async () => (await current()).signer.jwk,
    published: async () => ({ keys: (await read()).published }),
    async rotate() {
      if (fixed !== undefined) throw new Error('the signing key is fixed and cannot be rotated')
      const before = (await read()).signer.kid
      const key = await generateKey(secrets, clock.now())
      await storage.transaction((tx) => replaceCurrentKey(tx, key, before, clock.now()))
      return (await read()).signer.kid
    },
    purge: () => purgeKeys(storage.db, retiredAfter()),
  }
}

async function readKeys(context: Context, retiredAfter: number): Promise<KeySet> {
  const { storage, secrets, clock } = context
  for (let attempt = 1; attempt <= 3; attempt++) {
    const kid = await findCurrentKid(storage.db)
    const rows = await listKeys(storage.db, retiredAfter)
    const current = rows.find((row) => row.kid === kid)
    if (current !== undefined) return openKeySet(current, rows, secrets)
    // The first use, or a reset that emptied the settings but not the keys. Of nodes that are here at once one
    // succeeds.
    const unretired = rows.find((row) => row.retiredAt === null)
    if (unretired !== undefined) await storage.transaction((tx) => claimCurrent(tx, unretired.kid, kid))
    else {
      const key = await generateKey(secrets, clock.now())
      await storage.transaction((tx) => replaceCurrentKey(tx, key, kid, clock.now()))
    }
  }
  throw new Error('no signing key could be agreed on')
}

async function openKeySet(current: StoredKey, rows: readonly StoredKey[], secrets: Secrets): Promise<KeySet> {
  const opened = secrets.open(`signing key ${current.kid}`, current.sealedJwk)
  if (opened === undefined) {
    throw new Error(`the signing key ${current.kid} does not open with any of the present master secrets`)
  }
  const jwk = JSON.parse(opened) as JWK
  const others = rows.filter((row) => row !== current)
  return assemble(
    current.kid,
    jwk,
    [current, ...others].map((row) => JSON.parse(row.publicJwk) as JWK),
  )
}

async function fixedKey(jwk: JWK): Promise<KeySet> {
  const kid = await calculateJwkThumbprint(jwk)
  return assemble(kid, { ...jwk, kid, alg, use: 'sig' }, [publicPart(jwk, kid)])
}

async function assemble(kid: string, jwk: JWK, published: readonly JWK[]): Promise<KeySet> {
  const verifiers = new Map<string, CryptoKey>()
  for (const one of published) verifiers.set(one.kid ?? '', await importKey(one))
  return {
    signer: { kid, jwk, key: await importKey(jwk) },
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
    sealedJwk: secrets.seal(`signing key ${kid}`, JSON.stringify(jwk)),
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
    const { payload } = await compactVerify(jwt, key, { algorithms: [alg] })
    return JSON.parse(new TextDecoder().decode(payload)) as Claims
  } catch {
    return undefined // An invalid signature, or a malformed token.
  }
}
