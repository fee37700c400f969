import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { authenticatorId } from '../../src/flow/index.ts'
import { messages } from '../../src/idx/wire/messages.ts'
import { type Kit, type KitOptions, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { builtInRule, enrolmentPolicy, namingApp } from '../support/policy-rules.ts'
import {
  bare,
  besides,
  captured,
  type Deviation,
  describeCaptured,
  expectCaptured,
  folder,
  hiddenIds,
  layer,
  names,
  noCancel,
  noHandle,
  noLoad,
  noPassword,
  noPoll,
  noSignUp,
  notAgain,
  nothingToChoose,
  oldContext,
  oldIds,
  oldInstance,
  oldIntent,
  oldKey,
  oldMembers,
  oldMethods,
  oldPicture,
  oldProfile,
  oldRules,
  oldTypes,
  oneMessage,
  optional,
  otherKinds,
  otherServer,
  ownApp,
  personId,
  proven,
  repetition,
  requirements,
  revocation,
  saysUnlocked,
  unlock,
  whole,
} from './captured.ts'
import { type CapturedState, capturedStates } from './captured-states.ts'
import { emailWith, enrolsEmail, verifiesSecond, warnsOfExpiry } from './email.ts'
import { messagesIn } from './laws.ts'
import { enrolsPasskey, passkeyEngine, requirePasskeys, sends, setPasskeys } from './passkeys.ts'
import { hasPhone, lastCode } from './phone.ts'
import { phoneDeviations, phoneStates } from './phone-states.ts'
import { changeRule } from './recovery-rules.ts'
import { registrationStates } from './registration-states.ts'
import { codeAt, enrollmentPolicy, secretIn, twoFactors, wrongCode } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor, wrong } from './visitor.ts'

interface Covered {
  readonly engine?: KitOptions
  readonly reach: (visitor: Visitor, idp: Kit) => Promise<Answer | Visitor>
  readonly deviations?: readonly Deviation[]
}

const identifierFirst: KitOptions = { settings: { signOn: { start: 'identifier' } } }
const mary = 'mary@example.com'

const unlocking: KitOptions = {
  settings: { policies: { password: { recovery: { unlock: true } } } },
}
const unlockingByName: KitOptions = {
  settings: { ...unlocking.settings, signOn: { start: 'identifier' } },
}
const locked = 'lee@example.com'

/** The page that takes the code of an unlock. */
async function unlocks(visitor: Visitor, idp: Kit) {
  await idp.people.add({ login: locked, status: 'LOCKED_OUT', password: 'Tangerine-Kettle-42' })
  await visitor.begins()
  const { body } = await visitor.submits('unlock-account')
  const id = body.authenticators?.value[0]?.id
  return visitor.submits('challenge', { identifier: locked, authenticator: { id } })
}
/** The same of a phone, for a user who has one and, where a second proof is asked for, a question. */
async function unlocksByPhone(visitor: Visitor, idp: Kit, stepUp: object = { required: false }) {
  const password = 'Tangerine-Kettle-42'
  await idp.people.add({ login: locked, password })
  await enrollmentPolicy(idp, { phone_number: 'OPTIONAL', security_question: 'OPTIONAL' })
  const before = newVisitor(idp)
  await before.begins()
  await before.signsIn(locked, password)
  await before.enrolls('security_question')
  const credentials = { questionKey: 'disliked_food', answer: 'Sprouts' }
  await before.submits('challenge/answer', { credentials })
  await hasPhone(idp, { login: locked })
  const { db } = idp.engine.storage
  await db.updateTable('people').set({ status: 'LOCKED_OUT' }).where('login', '=', locked).execute()
  await changeRule(idp, (actions) => ({
    ...actions,
    selfServicePasswordReset: {
      access: 'ALLOW',
      requirement: { primary: { methods: ['email', 'sms'] }, stepUp },
    },
  }))
  await visitor.begins()
  await visitor.submits('unlock-account')
  const authenticator = { id: authenticatorId('phone_number'), methodType: 'sms' }
  return visitor.submits('challenge', { identifier: locked, authenticator })
}
async function isUnlocked(visitor: Visitor, idp: Kit) {
  await unlocks(visitor, idp)
  return visitor.answers((await visitor.mail(locked, 'SelfServiceUnlock')).code)
}

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

/** A sign-in whose policy requires an app. */
async function enrolsAnApp(visitor: Visitor, idp: Kit) {
  await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor.enrolls('google_otp')
}
/** A sign-in that waits for the code of the app that was enrolled a moment ago. */
async function atTheApp(idp: Kit) {
  const first = newVisitor(idp)
  const secret = secretIn(await enrolsAnApp(first, idp))
  await first.answers(codeAt(secret, idp.clock.now()))
  await twoFactors(idp)
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return { visitor, secret, seen: await visitor.selects('google_otp') }
}
async function wrongAtTheApp(idp: Kit) {
  const { visitor, secret } = await atTheApp(idp)
  return visitor.answers(wrongCode(secret, idp.clock.now()))
}

const choosesMethod: KitOptions = { settings: { authenticators: { email: { methodChoice: true } } } }

/** A sign-in with two addresses, at what follows the password. */
async function withTwoAddresses(visitor: Visitor, idp: Kit) {
  await verifiesSecond(idp, mary, 'mary.second@example.net')
  await twoFactors(idp)
  await visitor.begins()
  return visitor.signsIn(mary, idp.person.password)
}
/** A user whose name is no address: nothing is shown of the mailbox. */
async function withoutAddress(idp: Kit) {
  await idp.people.add({ login: 'mary77', email: 'mary77@example.com' })
  return 'mary77'
}
/** A sign-in whose policy requires a proof of the mailbox. */
async function enrolsTheMailbox(visitor: Visitor, idp: Kit, settings: object = {}) {
  await emailWith(idp, settings)
  await enrolsEmail(idp)
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor.enrolls('okta_email')
}

const passkeyForms: readonly Deviation[] = [
  [/\/(hint|authenticatorid|catalogKey)$/, 'members of older versions that no client reads'],
  [/credentials\/(transports|clientExtensions)\/required$/, 'clients leave these out'],
]
const noAppId: Deviation = [
  /\/challengeData\/extensions\/appid$/,
  'these tests run without https, where browsers take no AppID of another origin',
]
const noPasskeyYet: Deviation = [/^authenticatorEnrollments\/webauthn\//, 'the user has no passkey yet']
const newerPointers: Deviation = [
  /option\/webauthn\/relatesTo$/,
  'newer responses point to the authenticator',
]

/** A sign-in whose policy requires a passkey. */
async function enrolsAPasskey(visitor: Visitor, idp: Kit) {
  await requirePasskeys(idp)
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor.enrolls('webauthn')
}
/** A sign-in that waits for the passkey that was enrolled a moment ago. */
async function atThePasskey(idp: Kit) {
  await requirePasskeys(idp)
  const { passkey } = await enrolsPasskey(newVisitor(idp), idp.person)
  await twoFactors(idp)
  const visitor = newVisitor(idp)
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return { visitor, passkey, seen: await visitor.selects('webauthn') }
}

/** A sign-in whose policy requires a question. */
async function enrolsAQuestion(visitor: Visitor, idp: Kit, self: 'REQUIRED' | 'OPTIONAL' = 'REQUIRED') {
  await enrollmentPolicy(idp, { security_question: self })
  await visitor.begins()
  await visitor.signsIn(mary, idp.person.password)
  return visitor.enrolls('security_question')
}
const questioned = (credentials: Json, more: readonly Deviation[], self?: 'OPTIONAL'): Covered => ({
  async reach(visitor, idp) {
    await enrolsAQuestion(visitor, idp, self)
    return visitor.submits('challenge/answer', { credentials })
  },
  deviations: [personId, besides('security_question'), ...more],
})
/** A recovery that asks the question of a user who enrolled one. */
async function atTheQuestion(idp: Kit) {
  const first = newVisitor(idp)
  await enrolsAQuestion(first, idp)
  const credentials = { questionKey: 'favorite_vacation_location', answer: 'Madrid' }
  await first.submits('challenge/answer', { credentials })
  const visitor = newVisitor(idp)
  await visitor.atTheCode(mary)
  await visitor.answers((await visitor.mail(mary)).code)
  return visitor.selects('security_question')
}

/** The enrolment page of the service's own app, by one of its channels. */
const byChannel = (channel: string, ...more: readonly Deviation[]): Covered => ({
  async reach(visitor, idp) {
    await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL' })
    await visitor.begins()
    await visitor.signsIn(mary, idp.person.password)
    return visitor.enrolls('okta_verify', { channel })
  },
  deviations: [oldMembers, oldTypes, oldInstance, personId, names, whole, besides('okta_verify'), ...more],
})

const enrolling: readonly Deviation[] = [oldTypes, oldIds, personId, names, whole, besides('google_otp')]
const grace: readonly Deviation[] = [
  oldTypes,
  oldIds,
  personId,
  names,
  whole,
  hiddenIds,
  besides('(?:phone_number|webauthn)'),
]
const due: Deviation = [/\/gracePeriod\/(type|expiry)$/, 'what is due now has no time left to show']

/** What a policy requires from some time on, each with its own, after it was put off so many times. */
async function putsOff(
  visitor: Visitor,
  idp: Kit,
  gracePeriods: Readonly<Record<string, object>>,
  times: number,
) {
  const { authenticators } = namingApp({ self: 'NOT_ALLOWED' })
  const required = Object.entries(gracePeriods).map(([key, gracePeriod]) => ({
    key,
    enroll: { self: 'REQUIRED' },
    gracePeriod,
  }))
  await enrolmentPolicy(idp, { authenticators: [...authenticators, ...required] })
  for (let time = 0; time < times; time++) {
    const before = newVisitor(idp)
    await before.begins()
    await before.signsIn(mary, idp.person.password)
    await before.submits('skip')
  }
  await visitor.begins()
  return visitor.signsIn(mary, idp.person.password)
}
/** The first page of an activation whose mailed link has expired. */
async function atExpiredLink(visitor: Visitor, idp: Kit) {
  const api = apiOf(idp)
  const email = 'ann@example.com'
  await api('POST', '/users?activate=true', { profile: { login: email, email } })
  const { html = '' } = await idp.outbox.waitFor({ to: email })
  idp.clock.advance('8d')
  return visitor.begins({ activation_token: /\/welcome\/(\w+)/.exec(html)?.[1] ?? '' })
}
const covered: Readonly<Record<string, Covered>> = {
  ...Object.fromEntries(
    Object.entries(phoneStates).map(([file, reach]) => [
      file,
      { reach, deviations: phoneDeviations[file] ?? [] } satisfies Covered,
    ]),
  ),
  'oauth2-interact': {
    async reach(visitor) {
      await visitor.begins()
      return visitor.interacts()
    },
  },
  'oauth2-error-recovery-token-invalid': {
    reach: (visitor) => visitor.interacts({ recovery_token: 'none' }),
  },
  'oauth2-error-activation-token-invalid': {
    reach: (visitor) => visitor.interacts({ activation_token: 'none' }),
  },
  'request-activation-email': {
    reach: (visitor, idp) => atExpiredLink(visitor, idp),
    deviations: [personId],
  },
  'terminal-request-activation-email-submitted': {
    async reach(visitor, idp) {
      await atExpiredLink(visitor, idp)
      return visitor.submits('request-activation')
    },
    deviations: [[/^app\//, 'the end of a transaction names no app']],
  },
  'identify-with-password': {
    reach: (visitor) => visitor.begins(),
    deviations: [oldMembers, oldTypes, names],
  },
  identify: {
    engine: identifierFirst,
    reach: (visitor) => visitor.begins(),
    deviations: [oldMembers, oldTypes, names],
  },
  'identify-with-unlock-account-link': {
    engine: unlockingByName,
    reach: (visitor) => visitor.begins(),
    deviations: [names],
  },
  'user-account-unlock-introspect-choose-auth-after-unlock': {
    engine: unlockingByName,
    reach: (visitor) => visitor.begins(),
    deviations: [names],
  },
  'user-account-unlock-introspect-direct-landing-after-unlock': {
    engine: unlockingByName,
    reach: (visitor) => visitor.begins(),
    deviations: [names],
  },
  'user-unlock-account': {
    engine: unlocking,
    reach: (visitor) => visitor.begins().then(() => visitor.submits('unlock-account')),
    deviations: [otherKinds],
  },
  'user-account-unlock-choose-auth-after-unlock': {
    engine: unlocking,
    reach: (visitor) => visitor.begins().then(() => visitor.submits('unlock-account')),
    deviations: [otherKinds, optional],
  },
  'user-account-unlock-challenge-direct-landing-after-unlock': {
    engine: unlocking,
    reach: unlocks,
    deviations: [otherKinds, optional, personId],
  },
  'user-account-unlock-challenge-choose-auth-after-unlock': {
    engine: unlocking,
    reach: unlocksByPhone,
    deviations: [optional],
  },
  'user-account-unlock-answer-1-choose-auth-after-unlock': {
    engine: unlocking,
    async reach(visitor, idp) {
      await unlocksByPhone(visitor, idp, { required: true, methods: ['security_question'] })
      await visitor.answers(await lastCode(idp))
      return visitor.selects('security_question')
    },
    deviations: [optional, personId],
  },
  'user-account-unlock-success': {
    engine: unlocking,
    reach: isUnlocked,
    deviations: [bare, noCancel, saysUnlocked],
  },
  'user-account-unlock-answer-2-choose-auth-after-unlock': {
    engine: { settings: { ...unlocking.settings, recovery: { unlockContinues: true } } },
    reach: isUnlocked,
    deviations: [otherKinds, optional, personId],
  },
  'error-unlock-account-failed-permissions': {
    engine: { settings: { ...unlocking.settings, recovery: { secondFactor: 'required' } } },
    reach: isUnlocked,
    deviations: [bare, noCancel],
  },
  'error-unlock-account': {
    engine: unlocking,
    async reach(visitor, idp) {
      await unlocks(visitor, idp)
      const { code } = await visitor.mail(locked, 'SelfServiceUnlock')
      const { db } = idp.engine.storage
      await db.updateTable('people').set({ status: 'SUSPENDED' }).where('login', '=', locked).execute()
      return visitor.answers(code)
    },
    deviations: [],
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
  'identify-recovery-with-recaptcha-v2': {
    engine: { settings: { captcha: { type: 'RECAPTCHA_V2', siteKey: 'a-site-key', secret: 'its secret' } } },
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
    engine: { settings: { limits: { requests: { idxPerAddress: 1 }, appFactor: 1 } } },
    reach: (visitor) => visitor.begins().then(() => visitor.submits('recover')),
  },
  'authenticator-enroll-select-authenticator': {
    async reach(visitor, idp) {
      await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: enrolling,
  },
  'authenticator-enroll-select-authenticator-with-skip': {
    async reach(visitor, idp) {
      await enrollmentPolicy(idp, { google_otp: 'OPTIONAL' })
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: enrolling,
  },
  'authenticator-enroll-grace-period': {
    reach: (visitor, idp) => {
      const once = { type: 'BY_SKIP_COUNT', skipCount: 1 }
      return putsOff(visitor, idp, { phone_number: once, webauthn: once }, 1)
    },
    deviations: [...grace, due],
  },
  'authenticator-enroll-grace-period-with-skip': {
    reach: (visitor, idp) => {
      const until = (days: number) => ({
        type: 'BY_DATE_TIME',
        expiry: new Date(idp.clock.now() + days * 86_400_000).toISOString(),
      })
      return putsOff(visitor, idp, { phone_number: until(1), webauthn: until(2) }, 0)
    },
    deviations: grace,
  },
  'authenticator-enroll-grace-period-login-count-with-skip': {
    reach: (visitor, idp) => {
      const times = (skipCount: number) => ({ type: 'BY_SKIP_COUNT', skipCount })
      return putsOff(visitor, idp, { phone_number: times(3), webauthn: times(1) }, 0)
    },
    deviations: grace,
  },
  'authenticator-enroll-select-authenticator-with-usage-info': {
    async reach(visitor, idp) {
      await enrollmentPolicy(idp, {
        phone_number: 'REQUIRED',
        security_question: 'REQUIRED',
      })
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: [
      oldTypes,
      oldIds,
      personId,
      names,
      whole,
      optional,
      hiddenIds,
      besides('(?:phone_number|security_question)'),
    ],
  },
  'authenticator-verification-select-authenticator': {
    async reach(_, idp) {
      await enrollmentPolicy(idp, {
        webauthn: 'REQUIRED',
        google_otp: 'REQUIRED',
        phone_number: 'OPTIONAL',
      })
      const first = newVisitor(idp)
      await enrolsPasskey(first, idp.person)
      const secret = secretIn(await first.enrolls('google_otp'))
      await first.answers(codeAt(secret, idp.clock.now()))
      await hasPhone(idp)
      await hasPhone(idp, { to: '+15557654321' })
      await twoFactors(idp)
      const visitor = newVisitor(idp)
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: [
      oldIds,
      oldMethods,
      oldTypes,
      hiddenIds,
      personId,
      names,
      noPassword,
      newerPointers,
      besides('(?:webauthn|okta_email|phone_number|google_otp)'),
    ],
  },
  'authenticator-enroll-google-authenticator': { reach: enrolsAnApp, deviations: [personId] },
  'error-authenticator-enroll-google-invalid-otp': {
    async reach(visitor, idp) {
      const secret = secretIn(await enrolsAnApp(visitor, idp))
      return visitor.answers(wrongCode(secret, idp.clock.now()))
    },
    deviations: [personId],
  },
  'authenticator-verification-google-authenticator': {
    reach: async (_, idp) => (await atTheApp(idp)).seen,
    deviations: [oldTypes, personId, proven],
  },
  'error-authenticator-verification-on-google-otp-invalid-passcode': {
    reach: (_, idp) => wrongAtTheApp(idp),
    deviations: [layer, oldTypes, personId, proven],
  },
  'error-authenticator-verification-on-google-otp-used-passcode': {
    async reach(_, idp) {
      const { visitor, secret } = await atTheApp(idp)
      return visitor.answers(codeAt(secret, idp.clock.now()))
    },
    deviations: [layer, oldTypes, personId, proven],
  },
  'authenticator-verification-data-email': {
    engine: choosesMethod,
    reach: (visitor) => visitor.recovers(),
    deviations: [personId],
  },
  'authenticator-verification-data-email-no-profile': {
    engine: choosesMethod,
    reach: async (visitor, idp) => visitor.recovers(await withoutAddress(idp)),
    deviations: [personId],
  },
  'authenticator-verification-data-email-with-secondary-email': {
    engine: choosesMethod,
    reach: withTwoAddresses,
    deviations: [personId],
  },
  'authenticator-verification-email-with-secondary-email': {
    async reach(visitor, idp) {
      await withTwoAddresses(visitor, idp)
      return visitor.selects('okta_email')
    },
    deviations: [oldTypes, personId],
  },
  'authenticator-verification-email-no-profile': {
    reach: async (visitor, idp) => visitor.atTheCode(await withoutAddress(idp)),
    deviations: [oldTypes, personId],
  },
  'authenticator-verification-email-without-emailmagiclink': {
    async reach(visitor, idp) {
      await emailWith(idp, { useEmailMagicLink: false })
      return visitor.atTheCode()
    },
    deviations: [oldTypes, personId],
  },
  'authenticator-expiry-warning-password': {
    engine: { settings: { org: { name: 'Localhost' } } },
    async reach(visitor, idp) {
      await warnsOfExpiry(idp)
      idp.clock.advance(8 * 86_400_000)
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: [nothingToChoose, oldRules, personId, names, oldTypes],
  },
  'authenticator-enroll-email': {
    reach: enrolsTheMailbox,
    deviations: [oldTypes, personId, besides('okta_email')],
  },
  'authenticator-enroll-email-emailmagiclink-true': {
    reach: enrolsTheMailbox,
    deviations: [oldTypes, personId, besides('okta_email')],
  },
  'authenticator-enroll-email-emailmagiclink-false': {
    reach: (visitor, idp) => enrolsTheMailbox(visitor, idp, { useEmailMagicLink: false }),
    deviations: [oldTypes, personId, besides('okta_email'), noPoll],
  },
  'authenticator-enroll-email-first': {
    engine: choosesMethod,
    reach: enrolsTheMailbox,
    deviations: [personId, optional],
  },
  'authenticator-enroll-email-first-emailmagiclink-true': {
    engine: choosesMethod,
    async reach(visitor, idp) {
      await enrolsTheMailbox(visitor, idp)
      return visitor.enrolls('okta_email', { methodType: 'email' })
    },
    deviations: [personId, optional],
  },
  'error-authenticator-enroll-email-invalid-otp': {
    async reach(visitor, idp) {
      await enrolsTheMailbox(visitor, idp)
      const { code } = await visitor.mail(mary)
      return visitor.answers(wrong(code))
    },
    deviations: [oldTypes, personId, besides('okta_email')],
  },
  'authenticator-enroll-webauthn': {
    engine: passkeyEngine,
    reach: enrolsAPasskey,
    deviations: [
      ...passkeyForms,
      noPasskeyYet,
      oldIds,
      names,
      personId,
      oldTypes,
      hiddenIds,
      whole,
      besides('webauthn'),
    ],
  },
  'authenticator-enroll-webauthn-passkeys': {
    engine: passkeyEngine,
    reach: enrolsAPasskey,
    deviations: [...passkeyForms, names, personId, oldTypes],
  },
  'authenticator-verification-webauthn': {
    engine: passkeyEngine,
    reach: async (_, idp) => (await atThePasskey(idp)).seen,
    deviations: [
      newerPointers,
      oldIds,
      oldMethods,
      names,
      personId,
      oldTypes,
      hiddenIds,
      noAppId,
      besides('webauthn'),
    ],
  },
  'authenticator-verification-webauthn-passkeys': {
    engine: passkeyEngine,
    reach: async (_, idp) => (await atThePasskey(idp)).seen,
    deviations: [names, personId, oldTypes, noAppId],
  },
  'error-authenticator-webauthn-failure': {
    engine: passkeyEngine,
    async reach(_, idp) {
      const { visitor, passkey } = await atThePasskey(idp)
      return sends(visitor, passkey.get('another challenge'))
    },
    deviations: [names, personId, noAppId, besides('webauthn')],
  },
  'identify-with-webauthn-autofill': {
    engine: { settings: { ...passkeyEngine.settings, ...identifierFirst.settings } },
    async reach(visitor, idp) {
      await setPasskeys(idp, { enableAutofillUI: true })
      return visitor.begins()
    },
    deviations: [optional, names, noAppId],
  },
  'identify-with-passkeys-launch-authenticator': {
    engine: { settings: { ...passkeyEngine.settings, ...identifierFirst.settings } },
    async reach(visitor, idp) {
      await setPasskeys(idp, { enableAutofillUI: true, showSignInWithAPasskeyButton: true })
      return visitor.begins()
    },
    deviations: [optional, names, noAppId],
  },
  'authenticator-enroll-security-question': {
    reach: enrolsAQuestion,
    deviations: [
      oldTypes,
      oldIds,
      oldIntent,
      hiddenIds,
      personId,
      names,
      whole,
      besides('security_question'),
    ],
  },
  'error-authenticator-enroll-security-question': questioned(
    { questionKey: 'disliked_food', answer: 'tea' },
    [names],
  ),
  'error-authenticator-enroll-security-question-create-question': questioned(
    { questionKey: 'custom', question: 'Whose cat?', answer: 'Tom' },
    [],
  ),
  'error-authenticator-enroll-security-question-html-tags': questioned(
    { questionKey: 'custom', question: '<b>Whose</b> cat?', answer: 'Felix' },
    [oneMessage],
  ),
  'enroll-security-question-with-character-limit-error': questioned(
    { questionKey: 'disliked_food', answer: 'x' },
    [optional],
    'OPTIONAL',
  ),
  'authenticator-verification-security-question': {
    reach: (_, idp) => atTheQuestion(idp),
    deviations: [oldTypes, oldIds, hiddenIds, personId, names, besides('security_question')],
  },
  'authenticator-enroll-ov-qr': byChannel('qrcode', oldContext, oldPicture),
  'authenticator-enroll-ov-via-email': byChannel('email'),
  'authenticator-enroll-ov-via-sms': byChannel('sms'),
  'enroll-profile-submit': {
    async reach(visitor, idp) {
      const api = apiOf(idp)
      const properties = {
        favoriteSport: { title: 'Favorite sport', type: 'string', minLength: 1, maxLength: 50 },
        newAttribute: { title: 'Custom attribute', type: 'string', minLength: 0 },
      }
      await api('POST', '/meta/schemas/user/default', { definitions: { custom: { properties } } })
      const profileAttributes = Object.entries(properties).map(([name, { title: label }]) => ({
        ...{ name, label },
        required: true,
      }))
      await builtInRule(idp, 'PROFILE_ENROLLMENT', {
        profileEnrollment: { access: 'ALLOW', profileAttributes, progressiveProfilingAction: 'ENABLED' },
      })
      await visitor.begins()
      return visitor.signsIn(mary, idp.person.password)
    },
    deviations: [personId],
  },
  ...registrationStates,
  'success-with-interaction-code': {
    reach: (visitor, idp) => visitor.begins().then(() => visitor.signsIn(mary, idp.person.password)),
    deviations: [noCancel, otherServer],
  },
}

const answerOf = (reached: Answer | Visitor): Answer => ('response' in reached ? reached.response : reached)

const all: readonly CapturedState[] = Object.values(capturedStates).flat()

test('each state is covered, or it is said what it belongs to', () => {
  expect(new Set(all.map(({ file }) => file)).size).toBe(all.length)
  for (const { file, covered: how, because } of all)
    expect(how === undefined, file).toBe(because !== undefined)
  expect(all.flatMap(({ file, covered: how }) => (how === 'response' ? [file] : [])).toSorted()).toEqual(
    Object.keys(covered).toSorted(),
  )
})

describeCaptured('what the engine answers holds everything that the captured response does', () => {
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
    const { body } = answerOf(await reach(newVisitor(idp), idp))

    expectCaptured(file, body, deviations)
  })

  test.each(all.flatMap(({ file, covered: how }) => (how === 'page' ? [file] : [])))(
    '%s, which a page of the engine shows',
    (file) => {
      const [shown = {}] = messagesIn(captured(file))
      const key = String((shown.i18n as Json).key)

      expect(messages[key]).toMatchObject({ text: shown.message })
      // The capture of an outdated link names no class at all.
      if (shown.class !== undefined) expect(messages[key]).toMatchObject({ class: shown.class })
    },
  )
})
