import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Answer, Kit, Visitor } from '../../src/testing/index.ts'
import { isCached, noteRequests } from '../contract/statements.ts'
import { startTarget, visit } from '../support/attacks.ts'
import { newMaker } from '../support/attestations.ts'
import { appRule } from '../support/policy-rules.ts'
import type { PasskeyOptions, SoftwarePasskey } from '../support/software-passkey.ts'
import {
  activationOf,
  assertionFailed,
  attestationFailed,
  challengeOf,
  enrolsPasskey,
  firstChallengeOf,
  firstPagePath,
  newPasskey,
  passkeyEngine,
  requirePasskeys,
  sends,
  setPasskeys,
} from '../wire/passkeys.ts'
import { twoFactors } from '../wire/totp.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startTarget(passkeyEngine)
})
beforeEach(async () => {
  await idp.reset()
  await requirePasskeys(idp)
})
afterAll(() => idp.close())

const eve = { login: 'eve@example.com', password: 'Tangerine-Kettle-42' }
const mary = () => idp.person

async function enrolled(user = mary(), passkey = newPasskey()) {
  const found = await enrolsPasskey(await visit(idp), user, passkey)
  expect(found.answer.interactionCode).toBeDefined()
  return found
}

/** A sign-in that waits for the passkey. */
async function atThePasskey(user: { readonly login: string; readonly password: string } = mary()) {
  const visitor = await visit(idp)
  await visitor.signsIn(user.login, user.password)
  return { visitor, ...challengeOf(await visitor.selects('webauthn')) }
}

/** A sign-in that waits for a passkey to be made. */
async function atTheEnrolment(user: { readonly login: string; readonly password: string } = mary()) {
  const visitor = await visit(idp)
  await visitor.signsIn(user.login, user.password)
  return { visitor, ...activationOf(await visitor.enrolls('webauthn')) }
}

const refusalOf = (answer: Answer, { messages }: Visitor) => [
  answer.status,
  ...messages,
  answer.interactionCode,
]
const noAssertion = [401, assertionFailed, undefined]
const noAttestation = [400, attestationFailed, undefined]

const foreign: readonly (readonly [string, PasskeyOptions])[] = [
  ['of another site', { origin: 'https://login.example.org' }],
  ['of a site below a registered one', { origin: 'http://evil.localhost:8080' }],
  ['of another port of the app', { origin: 'http://localhost:8081' }],
  ['of a native app that is not registered', { origin: 'android:apk-key-hash:AAAA' }],
  ['of no origin', { origin: undefined } as unknown as PasskeyOptions],
  ['for another domain', { rpId: 'example.org' }],
  ['of a page inside of another site', { crossOrigin: true }],
  ['that nobody has touched', { isPresent: false }],
]

test('A67: an answer from another origin, for another domain or without the user is refused', async () => {
  const honest = newPasskey()
  for (const [, options] of foreign) {
    const { visitor, challenge } = await atTheEnrolment()
    const refused = await sends(visitor, honest.create(challenge, options))
    expect(refusalOf(refused, visitor)).toEqual(noAttestation)
  }
  const { passkey } = await enrolled(mary(), honest)
  await twoFactors(idp)
  for (const [, options] of foreign) {
    const { visitor, challenge } = await atThePasskey()
    expect(refusalOf(await sends(visitor, passkey.get(challenge, options)), visitor)).toEqual(noAssertion)
  }
  const { visitor, challenge } = await atThePasskey()
  expect((await sends(visitor, passkey.get(challenge))).interactionCode).toBeDefined()
})

test('A67: a challenge is good once, in its own transaction, until its end', async () => {
  const { passkey } = await enrolled()
  await twoFactors(idp)
  const one = await atThePasskey()
  const other = await atThePasskey()
  expect(one.challenge).not.toBe(other.challenge)
  // What one transaction was asked is no answer in another.
  const stray = await sends(other.visitor, passkey.get(one.challenge))
  expect(refusalOf(stray, other.visitor)).toEqual(noAssertion)
  // After a wrong answer the challenge before it is spent.
  const spent = await sends(other.visitor, passkey.get(other.challenge))
  expect(refusalOf(spent, other.visitor)).toEqual(noAssertion)

  const answer = passkey.get(one.challenge)
  const replies = await Promise.all([sends(one.visitor, answer), sends(one.visitor, answer)])
  expect(replies.filter(({ interactionCode }) => interactionCode !== undefined)).toHaveLength(1)
  const replayed = await sends(one.visitor, answer)
  expect(replayed.interactionCode).toBeUndefined()

  // A challenge of the first page is not one of a second factor, nor the other way round.
  await setPasskeys(idp, { enableAutofillUI: true })
  const visitor = await visit(idp)
  const { challenge } = firstChallengeOf(visitor.response)
  await visitor.signsIn(mary().login, mary().password)
  const asked = challengeOf(await visitor.selects('webauthn')).challenge
  expect(asked).not.toBe(challenge)
  expect(refusalOf(await sends(visitor, passkey.get(challenge)), visitor)).toEqual(noAssertion)

  const late = await atThePasskey()
  idp.clock.advance(31 * 60_000)
  expect((await sends(late.visitor, passkey.get(late.challenge))).status).toBe(401)
})

test('A67: a counter that does not rise is that of a copy', async () => {
  const { passkey } = await enrolled(mary(), newPasskey({ counter: 5 }))
  await twoFactors(idp)
  const answers = async (counter: number) => {
    const { visitor, challenge } = await atThePasskey()
    const answer = await sends(visitor, passkey.get(challenge, { counter }))
    return answer.interactionCode === undefined ? refusalOf(answer, visitor) : 'right'
  }
  expect(await answers(7)).toBe('right')
  for (const counter of [7, 6, 1, 0]) expect(await answers(counter)).toEqual(noAssertion)
  expect(await answers(8)).toBe('right')
})

test('A67: a credential is one user’s: another one neither signs in with it nor enrols it', async () => {
  await idp.people.add(eve)
  const { passkey: hers } = await enrolled()
  const taken = await atTheEnrolment(eve)
  const copy = newPasskey({ credentialId: hers.credentialId })
  expect(refusalOf(await sends(taken.visitor, copy.create(taken.challenge)), taken.visitor)).toEqual(
    noAttestation,
  )
  const { passkey: own, handle } = await enrolled(eve)
  await twoFactors(idp)
  const victim = await atThePasskey()
  expect(refusalOf(await sends(victim.visitor, own.get(victim.challenge)), victim.visitor)).toEqual(
    noAssertion,
  )
  // The handle of one user with the key of another.
  await setPasskeys(idp, { enableAutofillUI: true })
  const visitor = await visit(idp)
  const { challenge } = firstChallengeOf(visitor.response)
  const credentials = { ...hers.get(challenge), userHandle: handle }
  expect(refusalOf(await visitor.submits(firstPagePath, { credentials }), visitor)).toEqual(noAssertion)
})

test('A67: two users who enrol one credential at the same moment do not both have it', async () => {
  await idp.people.add(eve)
  const one = await atTheEnrolment()
  const two = await atTheEnrolment(eve)
  const passkey = newPasskey()
  await Promise.all([
    sends(one.visitor, passkey.create(one.challenge)),
    sends(two.visitor, passkey.create(two.challenge)),
  ])
  const rows = await idp.engine.storage.db.selectFrom('enrollments').selectAll().execute()
  expect(rows.filter(({ authenticator }) => authenticator === 'webauthn')).toHaveLength(1)
})

test('A67: a passkey that did not verify its user is no second factor of its own', async () => {
  await setPasskeys(idp, { enableAutofillUI: true })
  const { passkey, handle } = await enrolled(mary(), newPasskey({ verifiesUser: false }))
  await twoFactors(idp)
  const visitor = await visit(idp)
  const { challenge } = firstChallengeOf(visitor.response)
  const credentials = { ...passkey.get(challenge), userHandle: handle }
  const answer = await visitor.submits(firstPagePath, { credentials })
  expect([answer.interactionCode, visitor.remediations]).toEqual([
    undefined,
    ['select-authenticator-authenticate'],
  ])
})

test('A67: an unknown passkey is answered as a wrong signature is, by as many statements', async () => {
  await setPasskeys(idp, { enableAutofillUI: true, showSignInWithAPasskeyButton: true })
  const { passkey, handle } = await enrolled()
  const stranger = newPasskey()
  const counts: (readonly string[])[] = []
  const answered = async (key: SoftwarePasskey, userHandle?: string) => {
    const visitor = await visit(idp)
    const { challenge } = firstChallengeOf(visitor.response)
    // The notice of the enrolment is on its way.
    await idp.engine.delivery.idle()
    const noted = noteRequests(process.env.REKEY_TEST_DATABASE === 'postgres' ? 'postgres' : 'sqlite')
    const answer = await visitor.submits(firstPagePath, {
      credentials: { ...key.get(challenge), ...(userHandle !== undefined && { userHandle }) },
    })
    vi.restoreAllMocks()
    counts.push([...noted].filter((one) => !isCached(one)).map(({ text, times }) => `${times} ${text}`))
    expect(answer.body.user).toBeUndefined()
    expect(answer.text).not.toContain(passkey.credentialId.toString('base64url'))
    return [...refusalOf(answer, visitor), visitor.remediations]
  }
  const forms = [
    'identify',
    'launch-passkeys-authenticator',
    'challenge-webauthn-autofillui-authenticator',
    'select-enroll-profile',
  ]
  const expected = [...noAssertion, forms]
  expect(await answered(stranger, handle)).toEqual(expected)
  expect(await answered(stranger, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).toEqual(expected)
  expect(await answered(stranger, '')).toEqual(expected)
  expect(await answered(stranger)).toEqual(expected)
  // A right signature of a user who is named by nothing.
  expect(await answered(passkey)).toEqual(expected)
  const [known] = counts
  expect(known?.length).toBeGreaterThan(5)
  for (const unknown of counts) expect(unknown).toEqual(known)
})

test('A67: a statement that anyone can make is no proof of hardware', async () => {
  await setPasskeys(idp, { attestation: 'DIRECT' })
  // Right in every part, signed by a key of the thief's own, with a chain that leads to no maker.
  const { passkey } = await enrolled(mary(), newPasskey({ attests: newMaker().tpm }))
  await appRule(idp, {
    factorMode: '2FA',
    constraints: [{ possession: { required: true, hardwareProtection: 'REQUIRED' } }],
  })
  const { visitor, challenge } = await atThePasskey()
  const answer = await sends(visitor, passkey.get(challenge))
  expect(refusalOf(answer, visitor)).toEqual([403, 'security.access_denied', undefined])
})
