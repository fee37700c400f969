import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { factsOf, missing } from './facts.ts'
import type { Json } from './visitor.ts'

/** Where the captured responses are, and how answers of the engine are compared with them. */
export const folder =
  process.env.REKEY_FIXTURES ?? fileURLToPath(new URL('../../../shared/protocol/fixtures', import.meta.url))
const reason = 'skipped: the captured responses are not at hand; REKEY_FIXTURES names their folder'

export const describeCaptured = (title: string, facts: () => void) =>
  existsSync(folder) ? describe(title, facts) : describe.skip(`${title} (${reason})`, facts)

export const captured = (file: string): Json => JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'))

/** What an answer lacks that the captured one has and no deviation explains, and which deviations explained something. */
export function compare(file: string, body: Json, deviations: readonly Deviation[]) {
  const explained = missing(factsOf(captured(file)), factsOf(body)).map((difference) => ({
    difference,
    // Each difference has one explanation: the first that fits.
    by: deviations.find(([path]) => path.test(difference.split(' = ')[0] ?? '')),
  }))
  return {
    unexplained: explained.flatMap(({ difference, by }) => (by === undefined ? [difference] : [])),
    used: new Set(explained.map(({ by }) => by)),
  }
}

/** Fails where an answer lacks something that the captured one has, unless a deviation explains it. */
export function expectCaptured(file: string, body: Json, deviations: readonly Deviation[]): void {
  const { unexplained, used } = compare(file, body, deviations)
  expect(unexplained).toEqual([])
  // An explanation that explains nothing any more must go.
  expect(deviations.filter((deviation) => !used.has(deviation)).map(([, because]) => because)).toEqual([])
}

/** Where an answer differs from the captured one, and why that is right. */
export type Deviation = readonly [path: RegExp, because: string]

// What captures have that is older, or left over from how they were made.
export const oldTypes: Deviation = [/\/(accepts|produces)$/, 'older media types; the newer one is sent']
export const oldMembers: Deviation = [/^step$/, 'a member of older versions that no client reads']
export const oldIds: Deviation = [/\/authenticatorId$/, 'a second id of older versions']
export const oldMethods: Deviation = [
  /\/methods\/undefined$/,
  'older versions name a method by another member',
]
export const oldIntent: Deviation = [/^intent$/, 'written small in older versions']
export const oldKey: Deviation = [
  /^messages\/incorrectPassword\//,
  'newer versions say `errors.E0000004` instead',
]
export const oldRules: Deviation = [
  /settings\/complexity\/(excludeFirstName|excludeLastName)$/,
  'older names; `excludeAttributes` says it',
]
export const hiddenIds: Deviation = [
  /\/option\/\w+\/(id|methodType)\/visible$/,
  'a flag of older versions; a fixed field is not shown anyway',
]
export const oldProfile: Deviation = [
  /^currentAuthenticatorEnrollment\/profile\/\w+$/,
  'an empty member of older versions',
]

// What an installation decides, or is called there.
export const names: Deviation = [
  /\/(displayName|label)$/,
  'what an installation calls its authenticators and fields',
]
export const requirements: Deviation = [
  /\/password\.passwordRequirementsNotMet\/text$/,
  "the sentence tells the installation's own rules",
]
export const repetition: Deviation = [
  /settings\/complexity\/maxConsecutiveRepeatingCharacters$/,
  'a rule that no policy here has',
]
export const otherServer: Deviation = [/^successWithInteractionCode\/href$/, 'another authorization server']
export const revocation: Deviation = [
  /\/revokeSessions/,
  'offered only where `recovery.offerRevokeSessions` says so',
]
export const noSignUp: Deviation = [
  /^remediation\/select-enroll-profile\//,
  'sign-up is offered on the first page alone',
]

// What is not built.
export const unlock: Deviation = [/^remediation\/unlock-account\//, 'unlocking an account is not offered']
export const saysUnlocked: Deviation = [
  /unlock_user\.success\.message\/text$/,
  'apps print the sentence as it is, so it says first what has happened, as the documentation of the SDK does',
]
export const ownApp: Deviation = [
  /^(remediation\/launch-authenticator|authenticatorChallenge)\//,
  "the service's own app is not supported",
]
export const otherKinds: Deviation = [
  /(option|authenticators|authenticatorEnrollments)\/(?!okta_email\b|okta_password\b)\w+\//,
  'authenticators that are not built yet',
]
export const optional: Deviation = [
  /^authentication\/|\/allowedFor$/,
  'optional members that no client needs',
]

// What differs on purpose.
export const personId: Deviation = [
  /^user\/(id|passwordChanged|profile\/\w+)$/,
  'before the end no response says who exists, so neither id nor profile',
]
export const noPassword: Deviation = [
  /(option|authenticators|authenticatorEnrollments)\/okta_password\//,
  'a recovery does not offer what was lost: the SDK would pick it and start over',
]
export const noLoad: Deviation = [
  /^recoveryAuthenticator\/settings\//,
  'the rules come with the form that needs them',
]
export const nothingToChoose: Deviation = [
  /^(authenticators|authenticatorEnrollments|remediation\/select-authenticator-enroll)\//,
  'there is nothing to choose, so nothing is listed',
]
export const notAgain: Deviation = [
  /^currentAuthenticatorEnrollment\/recover\//,
  'what is never allowed is not offered a second time',
]
export const noCancel: Deviation = [/^cancel\//, 'no way back from the end: the SDK would be stuck on it']
export const bare: Deviation = [/^(user|app)\//, 'an end says no more than its message']
export const noPoll: Deviation = [
  /^currentAuthenticator\/poll\//,
  'without a link there is nothing that could be met elsewhere',
]
export const noHandle: Deviation = [/^(stateHandle|expiresAt)$/, 'nothing is known of a handle that is over']
export const layer: Deviation = [
  /\/authfactor\.challenge\.soft_token\.\w+\/text$/,
  'the captured texts begin with the name of the layer that made them',
]
export const proven: Deviation = [
  /option\/\$\.authenticatorEnrollments\.value\[\d\]\//,
  'the password has been proven, and is no choice any more',
]

/** What a user has or may enrol besides the authenticator that a response is about. */
export const besides = (key: string): Deviation => [
  new RegExp(`(option|authenticators|authenticatorEnrollments)/(?!${key}\\b)[\\w$.[\\]]+/`),
  'other authenticators',
]
export const whole: Deviation = [
  /select-authenticator-enroll\/field\/authenticator\/required$/,
  'clients read what is inside of this field',
]
export const oneMessage: Deviation = [
  /option\/Choose a security question\/answer\/messages\/securityQuestion\.answer\.tooShort\.arg\//,
  'the message of an earlier answer is not repeated',
]
export const oldInstance: Deviation = [
  /^currentAuthenticator\/authenticatorInstanceId$/,
  'another id of older versions',
]
export const oldContext: Deviation = [/^context\//, 'a form of older versions that no client reads']
export const oldPicture: Deviation = [/\/qrcode\/Type$/, 'written with a small letter since']
