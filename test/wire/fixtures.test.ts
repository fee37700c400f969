import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { messages } from '../../src/idx/wire/messages.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { type CapturedState, capturedStates } from './captured-states.ts'
import { factsOf, missing } from './facts.ts'
import { messagesIn } from './laws.ts'
import { type Answer, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

const folder =
  process.env.REKEY_FIXTURES ?? fileURLToPath(new URL('../../../shared/protocol/fixtures', import.meta.url))
const here = existsSync(folder)
const reason = 'skipped: the captured responses are not at hand; REKEY_FIXTURES names their folder'

/** Where an answer differs from the captured one, and why that is right. */
type Deviation = readonly [path: RegExp, because: string]

// What captures have that is older, or that was a leftover of whoever made them.
const oldTypes: Deviation = [/\/(accepts|produces)$/, 'older media types; the newer one is sent']
const oldMembers: Deviation = [/^step$/, 'a member of older versions that no client reads']
const oldIds: Deviation = [/\/authenticatorId$/, 'a second id of older versions']
const oldMethods: Deviation = [/\/methods\/undefined$/, 'older versions name a method by another member']
const oldIntent: Deviation = [/^intent$/, 'written small in older versions']
const oldKey: Deviation = [/^messages\/incorrectPassword\//, 'newer versions say `errors.E0000004` instead']
const oldRules: Deviation = [
  /settings\/complexity\/(excludeFirstName|excludeLastName)$/,
  'older names; `excludeAttributes` says it',
]
const hiddenIds: Deviation = [
  /\/option\/\w+\/(id|methodType)\/visible$/,
  'a flag of older versions; a fixed field is not shown anyway',
]
const oldProfile: Deviation = [
  /^currentAuthenticatorEnrollment\/profile\/\w+$/,
  'an empty member of older versions',
]

// What an installation decides, or is called there.
const names: Deviation = [
  /\/(displayName|label)$/,
  'what an installation calls its authenticators and fields',
]
const requirements: Deviation = [
  /\/password\.passwordRequirementsNotMet\/text$/,
  "the sentence tells the installation's own rules",
]
const repetition: Deviation = [
  /settings\/complexity\/maxConsecutiveRepeatingCharacters$/,
  'a rule that no policy here has',
]
const otherServer: Deviation = [/^successWithInteractionCode\/href$/, 'another authorization server']
const revocation: Deviation = [
  /\/revokeSessions/,
  'offered only where `recovery.offerRevokeSessions` says so',
]
const noSignUp: Deviation = [
  /^remediation\/select-enroll-profile\//,
  'registration is closed, so it is not offered',
]

// What is not built.
const unlock: Deviation = [/^remediation\/unlock-account\//, 'unlocking an account is not offered']
const ownApp: Deviation = [
  /^(remediation\/launch-authenticator|authenticatorChallenge)\//,
  "the service's own app is not supported",
]
const otherKinds: Deviation = [
  /(option|authenticators|authenticatorEnrollments)\/(?!okta_email\b|okta_password\b)\w+\//,
  'authenticators that are not built yet',
]
const optional: Deviation = [/^authentication\/|\/allowedFor$/, 'optional members that no client needs']

// What is told on purpose otherwise.
const personId: Deviation = [
  /^user\/(id|passwordChanged|profile\/\w+)$/,
  'before the end it is not told who exists, so neither id nor profile',
]
const noPassword: Deviation = [
  /(option|authenticators|authenticatorEnrollments)\/okta_password\//,
  'a recovery does not offer what was lost: the SDK would pick it and start over',
]
const noLoad: Deviation = [
  /^recoveryAuthenticator\/settings\//,
  'the rules come with the form that needs them',
]
const nothingToChoose: Deviation = [
  /^(authenticators|authenticatorEnrollments|remediation\/select-authenticator-enroll)\//,
  'there is nothing to choose, so nothing is listed',
]
const notAgain: Deviation = [
  /^currentAuthenticatorEnrollment\/recover\//,
  'what is never allowed is not offered a second time',
]
const noCancel: Deviation = [/^cancel\//, 'no way back from the end: the SDK would be stuck on it']
const bare: Deviation = [/^(user|app)\//, 'an end says no more than its message']
const noHandle: Deviation = [/^(stateHandle|expiresAt)$/, 'nothing is known of a handle that is over']

interface Covered {
  readonly engine?: KitOptions
  readonly reach: (visitor: Visitor, idp: Kit) => Promise<Answer | Visitor>
  readonly deviations?: readonly Deviation[]
}

const identifierFirst: KitOptions = { settings: { signOn: { start: 'identifier' } } }
const mary = 'mary@example.com'

async function isNamed(visitor: Visitor) {
  await visitor.begins()
  return visitor.submits('identify', { identifier: mary })
}
async function atThePassword(visitor: Visitor) {
  await isNamed(visitor)
  return visitor.selects('okta_password')
}
async function wrongCodes(visitor: Visitor, times: number) {
  await visitor.atTheCode()
  const { code } = await visitor.mail(mary)
  for (let guess = 1; guess < times; guess++) await visitor.answers(wrong(code))
  return visitor.answers(wrong(code))
}
async function expired(visitor: Visitor, idp: Kit) {
  await idp.people.add({
    login: 'eve@example.com',
    password: 'Tangerine-Kettle-42',
    status: 'PASSWORD_EXPIRED',
  })
  await visitor.begins()
  return visitor.signsIn('eve@example.com', 'Tangerine-Kettle-42')
}

const covered: Readonly<Record<string, Covered>> = {
  'oauth2-interact': {
    async reach(visitor) {
      await visitor.begins()
      return visitor.interacts()
    },
  },
  'oauth2-error-recovery-token-invalid': {
    reach: (visitor) => visitor.interacts({ recovery_token: 'none' }),
  },
  'identify-with-password': {
    reach: (visitor) => visitor.begins(),
    deviations: [oldMembers, oldTypes, names, noSignUp],
  },
  identify: {
    engine: identifierFirst,
    reach: (visitor) => visitor.begins(),
    deviations: [oldMembers, oldTypes, names, noSignUp],
  },
  'identify-unknown-user': {
    reach: (visitor) => visitor.begins().then(() => visitor.signsIn('nobody@example.com', 'a password')),
    deviations: [noSignUp, oldTypes],
  },
  'error-400-user-not-assigned': {
    async reach(visitor, idp) {
      await idp.engine.storage.db.deleteFrom('client_groups').execute()
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: [ownApp, unlock, names],
  },
  'identify-recovery': {
    reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
    deviations: [oldMembers, noSignUp, oldTypes],
  },
  'authenticator-verification-select-authenticator-for-recovery': {
    reach: (visitor) => visitor.recovers(),
    deviations: [otherKinds, noLoad, personId, names, oldIds, oldMethods, oldTypes, hiddenIds],
  },
  'authenticator-verification-email': {
    reach: (visitor) => visitor.atTheCode(),
    deviations: [oldTypes, personId],
  },
  'authenticator-verification-email-polling': {
    reach: (visitor) => visitor.atTheCode().then(() => visitor.submits('challenge/poll')),
    deviations: [oldTypes, personId],
  },
  'authenticator-verification-email-alphanumeric': {
    engine: { settings: { limits: { codesPerDay: 1 } } },
    async reach(visitor) {
      await wrongCodes(visitor, 1)
      return visitor.submits('challenge/resend')
    },
    deviations: [optional, otherKinds, noPassword],
  },
  'error-401-invalid-email-otp-passcode': {
    reach: (visitor) => wrongCodes(visitor, 1),
    deviations: [oldTypes, personId],
  },
  'authenticator-reset-password': {
    engine: { settings: { recovery: { offerRevokeSessions: true } } },
    reach: (visitor) => visitor.atTheReset(),
    deviations: [nothingToChoose, names, oldRules, personId, oldTypes],
  },
  'error-authenticator-reset-password-requirement': {
    reach: (visitor) => visitor.atTheReset().then(() => visitor.answers('short')),
    deviations: [nothingToChoose, personId, requirements, revocation],
  },
  'error-forgot-password': {
    engine: {
      settings: { ...identifierFirst.settings, policies: { password: { recovery: { authenticators: [] } } } },
    },
    reach: (visitor) => atThePassword(visitor).then(() => visitor.submits('recover')),
    deviations: [otherKinds, notAgain, personId, names, oldIds, oldMethods, oldProfile, oldTypes, hiddenIds],
  },
  'error-reset-password-not-allowed': {
    async reach(visitor, idp) {
      await idp.people.add({ login: 'sam@example.com', status: 'SUSPENDED' })
      return visitor.atTheReset('sam@example.com')
    },
    deviations: [bare, noCancel],
  },
  'terminal-reset-password-success': {
    engine: { settings: { recovery: { signIn: false } } },
    reach: (visitor) => visitor.atTheReset().then(() => visitor.answers('Lighthouse-Biscuit-77')),
    deviations: [bare],
  },
  'authenticator-expired-password': {
    reach: expired,
    deviations: [nothingToChoose, oldIntent, repetition, oldRules, personId, names, oldTypes],
  },
  'authenticator-expired-password-with-enrollment-authenticator': {
    reach: expired,
    deviations: [nothingToChoose, personId, oldTypes],
  },
  'terminal-transfered-email': {
    async reach(visitor) {
      await visitor.atTheReset()
      await visitor.answers('Lighthouse-Biscuit-77')
      return visitor.submits('challenge/poll')
    },
  },
  'authenticator-verification-select-authenticator-with-email': {
    engine: identifierFirst,
    reach: isNamed,
    deviations: [otherKinds, personId, names, oldIds, oldMethods, oldTypes, hiddenIds],
  },
  'authenticator-verification-password': {
    engine: identifierFirst,
    reach: atThePassword,
    deviations: [otherKinds, personId, names, oldIds, oldMethods, oldProfile, oldTypes, hiddenIds],
  },
  'authenticator-verification-email-without-resend': {
    engine: identifierFirst,
    reach: atThePassword,
    deviations: [personId, names, oldTypes],
  },
  'error-authenticator-verify-password': {
    engine: identifierFirst,
    reach: (visitor) => atThePassword(visitor).then(() => visitor.answers('a wrong password')),
    deviations: [personId, names, oldIds, oldKey],
  },
  'error-401-session-expired': {
    reach: (visitor) => visitor.begins().then(() => visitor.submits('identify', { stateHandle: 'over' })),
    deviations: [noHandle],
  },
  'error-429-too-many-request-operation-ratelimit': { reach: (visitor) => wrongCodes(visitor, 5) },
  'error-429-authenticator-verification-email-polling': {
    async reach(visitor) {
      await visitor.atTheCode()
      for (let mail = 2; mail <= 5; mail++) await visitor.submits('challenge/resend')
      return visitor.submits('challenge/resend')
    },
    deviations: [oldTypes, personId],
  },
  'error-429-api-limit-exceeded': {
    engine: { settings: { limits: { requests: { idxPerAddress: 1 } } } },
    reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
  },
  'success-with-interaction-code': {
    reach: (visitor, idp) => visitor.begins().then(() => visitor.signsIn(mary, idp.person.password)),
    deviations: [noCancel, otherServer],
  },
}

const all: readonly CapturedState[] = Object.values(capturedStates).flat()
const captured = (file: string): Json => JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'))

test('each state is covered, or it is said what it belongs to', () => {
  expect(new Set(all.map(({ file }) => file)).size).toBe(all.length)
  for (const { file, covered: how, because } of all)
    expect(how === undefined, file).toBe(because !== undefined)
  expect(all.flatMap(({ file, covered: how }) => (how === 'response' ? [file] : [])).toSorted()).toEqual(
    Object.keys(covered).toSorted(),
  )
})

const describeHere = (title: string, facts: () => void) =>
  here ? describe(title, facts) : describe.skip(`${title} (${reason})`, facts)

describeHere('what the engine answers holds everything that the captured response does', () => {
  const engines = new Map<string, Promise<Kit>>()
  const engineFor = (options: KitOptions = {}): Promise<Kit> => {
    const key = JSON.stringify(options)
    const engine = engines.get(key) ?? startEngine(options)
    engines.set(key, engine)
    return engine
  }
  beforeAll(async () => {
    await engineFor()
  })
  afterAll(async () => {
    for (const engine of engines.values()) await (await engine).close()
  })

  test('each captured response is in the list', () => {
    const files = readdirSync(folder).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []))
    expect(files.toSorted()).toEqual(all.map(({ file }) => file).toSorted())
  })

  test.each(Object.entries(covered))('%s', async (file, { engine, reach, deviations = [] }) => {
    const idp = await engineFor(engine)
    await idp.reset()
    const visitor = newVisitor(idp)
    await reach(visitor, idp)
    const { body } = visitor.response

    const differences = missing(factsOf(captured(file)), factsOf(body))
    // Each difference has one explanation: the first that fits.
    const explained = differences.map((difference) => ({
      difference,
      by: deviations.find(([path]) => path.test(difference.split(' = ')[0] ?? '')),
    }))

    expect(explained.filter(({ by }) => by === undefined)).toEqual([])
    // An explanation that explains nothing any more must go.
    const used = new Set(explained.map(({ by }) => by))
    expect(deviations.filter((deviation) => !used.has(deviation)).map(([, because]) => because)).toEqual([])
  })

  test.each(all.flatMap(({ file, covered: how }) => (how === 'page' ? [file] : [])))(
    '%s, of which a page of the engine tells',
    (file) => {
      const [told = {}] = messagesIn(captured(file))
      const key = String((told.i18n as Json).key)

      expect(messages[key]).toMatchObject({ text: told.message })
      // The capture of an outdated link names no class at all.
      if (told.class !== undefined) expect(messages[key]).toMatchObject({ class: told.class })
    },
  )
})
