import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, type JWTPayload, jwtVerify } from 'jose'
import { plainHash, s256, systemClock } from '../base/index.ts'
import { rememberUse } from './assertion.ts'
import { oauthError } from './errors.ts'
import type { Parts } from './parts.ts'
import { assertionAlgorithms } from './server.ts'

/** The algorithms of proofs, as discovery lists them: a key that can also verify must not be able to sign. */
export const proofAlgorithms = assertionAlgorithms

/** What a proof must be about. */
export interface ProofOf {
  readonly method: string
  /** The address of the request as configured, never that of its Host header (A20); a query counts for nothing. */
  readonly url: string
  /** The access token that it comes with, of a call of a resource. */
  readonly token?: string
}

/** A proof that holds but was not used yet: `spend` uses it. */
export interface Proof {
  /** The thumbprint of its key (RFC 7638): what tokens are bound to. */
  readonly jkt: string
  /** False where the same proof was used before, on any node (RFC 9449, section 11.1). */
  spend(): Promise<boolean>
}

/** How old a proof may be, and by how much the clock of a client may be ahead, in seconds. */
const oldest = 300
const ahead = 60

const invalidProof = (description: string) => oauthError('invalid_dpop_proof', description)

/**
 * The proof in a header `DPoP` (RFC 9449, section 4.3): signed by the key that it has, for this method and address, a short while ago.
 * Nothing is written.
 *
 * @throws ProtocolError `invalid_dpop_proof`
 */
export async function readProof(
  parts: Parts,
  header: string | readonly string[] | undefined,
  about: ProofOf,
): Promise<(Proof & { readonly nonce: unknown }) | undefined> {
  if (header === undefined) return undefined
  // Two headers come as one text with a comma, which no JWT has.
  if (typeof header !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(header) || header.length > 8192) {
    throw invalidProof('The DPoP header is not one proof.')
  }
  const { claims, jwk } = await verified(header)
  const { htm, htu, jti, iat, ath, nonce } = claims
  if (htm !== about.method) throw invalidProof("The DPoP proof is for another method ('htm').")
  if (addressOf(htu) !== addressOf(about.url))
    throw invalidProof("The DPoP proof is for another address ('htu').")
  const age = systemClock.now() / 1000 - (iat ?? 0)
  if (!(age <= oldest && age >= -ahead)) throw invalidProof("The DPoP proof is not of now ('iat').")
  if (typeof jti !== 'string' || jti === '' || jti.length > 255) {
    throw invalidProof("The DPoP proof has no usable 'jti'.")
  }
  if (about.token !== undefined && ath !== s256(about.token)) {
    throw invalidProof("The DPoP proof is for another access token ('ath').")
  }
  const jkt = await calculateJwkThumbprint(jwk)
  const until = (iat ?? 0) + oldest + ahead
  return {
    jkt,
    nonce,
    spend: () => rememberUse(parts, plainHash(JSON.stringify(['dpop', jkt, jti])), until),
  }
}

/** Of an RSA key, in base64url: four bytes. 65537, which all keys have, takes three. */
const longestExponent = 6

async function verified(proof: string) {
  try {
    const { jwk } = decodeProtectedHeader(proof)
    // With an exponent as long as the modulus the check of a signature costs as much as its making, before the client is known (A45).
    if (jwk?.e !== undefined && jwk.e.length > longestExponent) throw new Error('the exponent is too long')
    const algorithms = [...proofAlgorithms]
    const { payload } = await jwtVerify<JWTPayload & Readonly<Record<string, unknown>>>(proof, EmbeddedJWK, {
      ...{ typ: 'dpop+jwt', algorithms, requiredClaims: ['iat', 'jti', 'htm', 'htu'] },
    })
    // A private key that is sent is known to others.
    if (jwk === undefined || 'd' in jwk || 'k' in jwk) throw new Error('the key is not a public one')
    return { claims: payload, jwk }
  } catch {
    throw invalidProof('The DPoP proof is not valid.')
  }
}

/** An address without its query and fragment, spelled as URLs are (RFC 9449, section 4.3). */
function addressOf(text: unknown): string | undefined {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  return url && url.origin + url.pathname
}

const dayMs = 86_400_000
const purpose = 'dpop nonce'

/** The nonce of now. Every node has the same one, and nothing is stored of it. */
export const nonceOf = ({ secrets, clock }: Parts): string =>
  nonceIn(secrets.hash(purpose, String(Math.floor(clock.now() / dayMs))))

const nonceIn = (hash: string): string => plainHash(hash)

/** Whether a nonce is one of the engine, of today or one of the three days before, as at Okta. */
export function isNonce({ secrets, clock }: Parts, nonce: unknown): boolean {
  const today = Math.floor(clock.now() / dayMs)
  return [0, 1, 2, 3].some((ago) =>
    secrets.hashes(purpose, String(today - ago)).some((hash) => nonceIn(hash) === nonce),
  )
}

/**
 * The proof of a token request. Without a nonce of the engine the answer is one, before the code or the refresh token is looked at: the
 * client sends the same request again with it.
 *
 * @throws ProtocolError `use_dpop_nonce` with the header `DPoP-Nonce`, or `invalid_dpop_proof`
 */
export async function proofAtToken(
  parts: Parts,
  header: string | readonly string[] | undefined,
  about: ProofOf,
): Promise<Proof | undefined> {
  const proof = await readProof(parts, header, about)
  if (proof === undefined || isNonce(parts, proof.nonce)) return proof
  throw oauthError('use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', {
    headers: { 'DPoP-Nonce': nonceOf(parts) },
  })
}

/** How an access token comes: by which scheme, with which proof, in which request. */
export interface Presented {
  readonly scheme: 'Bearer' | 'DPoP'
  readonly proof: string | readonly string[] | undefined
  readonly method: string
  readonly url: string
}

/** The scheme of an Authorization header; a token in a form comes as a bearer token. */
export const schemeOf = (authorization: string | undefined): Presented['scheme'] =>
  /^dpop /i.test(authorization ?? '') ? 'DPoP' : 'Bearer'

/**
 * Whether an access token comes as it must: a bound one with a proof by its key, as no bearer token, and one that is not bound with none. A
 * stolen bound token is worth nothing without its key (RFC 9449, section 7).
 */
export async function comesAsBound(
  parts: Parts,
  token: string,
  { cnf }: Readonly<Record<string, unknown>>,
  { scheme, proof: header, method, url }: Presented,
): Promise<boolean> {
  const bound = (cnf as { readonly jkt?: unknown } | undefined)?.jkt
  if (bound === undefined) return scheme === 'Bearer'
  if (scheme !== 'DPoP') return false
  const proof = await readProof(parts, header, { method, url, token }).catch(() => undefined)
  return proof !== undefined && proof.jkt === bound && proof.spend()
}
