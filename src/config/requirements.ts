import { formatDuration, parseDuration } from '../base/index.ts'
import { budgetsFrom } from '../limits/index.ts'
import { type InForce, type PasswordRules, passwordPreset } from '../policies/index.ts'
import type { Config } from './options.ts'

/** The result of checking a configuration against one requirement of a standard. */
export interface Finding {
  readonly id: string
  readonly standard: 'ASVS 5.0' | 'NIST SP 800-63B-4' | 'RFC 9700' | 'Operation'
  /** The requirement, in our own words. */
  readonly asks: string
  /** `not checked`: nothing of this installation that could be asked decides it, or it did not answer. */
  readonly result: 'met' | 'deviates' | 'not applicable' | 'not checked'
  /** How the requirement is met, or why it is not. */
  readonly why: string
  /**
   * By what the result is known. `settings`: by the configuration. `system`: the running system was asked. `tests`: this version is built so, which
   * its tests hold; nothing of it was checked here. Absent: `system`.
   */
  readonly shownBy?: 'settings' | 'system' | 'tests'
}

/** What the running system answered. */
export interface SystemFacts {
  readonly policies: InForce
  /** Ids of apps that accept any http://localhost redirect URI. */
  readonly insecureClients: readonly string[]
  /** Ids of active apps with the grant `implicit`. Absent: none. */
  readonly implicitClients?: readonly string[]
  /** Notices of the last day that no mailbox has got. */
  readonly lostNotices: number
}

/** What was asked, and what was answered. */
export interface Asked {
  /** Absent: no database answers. */
  readonly system?: SystemFacts | undefined
  /** Whether the mail server takes mails; absent: it was not asked. */
  readonly mailProblem?: { readonly why: string | undefined } | undefined
}

interface Requirement extends Pick<Finding, 'id' | 'standard' | 'asks'> {
  /** What no setting decides: reads neither settings nor the system, so it is never met, only not checked. */
  readonly built?: true
  check(config: Config, asked: Asked): Pick<Finding, 'result' | 'why'>
}

const met = (why: string) => ({ result: 'met' as const, why })
const deviates = (why: string) => ({ result: 'deviates' as const, why })
const notApplicable = (why: string) => ({ result: 'not applicable' as const, why })
const notChecked = (why: string) => ({ result: 'not checked' as const, why })

/** The rules of the password policies in the database: all must meet what is asked. */
function rulesInForce({ policies: { passwords } }: SystemFacts) {
  const all = passwords.map(({ rules }) => rules)
  return {
    minLength: Math.min(...all.map(({ minLength }) => minLength)),
    greatestMinLength: Math.max(...all.map(({ minLength }) => minLength)),
    composes: all.some(
      ({ minLowerCase, minUpperCase, minNumber, minSymbol }) =>
        minLowerCase + minUpperCase + minNumber + minSymbol > 0,
    ),
    excludesCommon: all.every(({ excludeCommon }) => excludeCommon),
    maxAgeDays: Math.max(...all.map(({ maxAgeDays }) => maxAgeDays)),
  }
}

/** The effective rules of the password policies, as far as the requirements need them. */
function rulesOf({ policies }: Config, { system }: Asked) {
  if (system !== undefined && system.policies.passwords.length > 0) return rulesInForce(system)
  const { preset, complexity, age } = policies.password
  const rules: PasswordRules = { ...passwordPreset(preset), ...complexity, ...age }
  const { minLength, minLowerCase, minUpperCase, minNumber, minSymbol, excludeCommon, maxAgeDays } = rules
  const composes = [minLowerCase, minUpperCase, minNumber, minSymbol].some((count) => count > 0)
  const length = { minLength, greatestMinLength: minLength }
  return { ...length, composes, excludesCommon: excludeCommon, maxAgeDays }
}

/** Whether users can recover a password themselves. */
const recoversBy = ({ policies }: Config, { system }: Asked): readonly string[] =>
  system?.policies.recovery ?? policies.password.recovery.authenticators

/** Whether every app takes two factors, none does, or some do. */
function factorsOf({ signOn }: Config, { system }: Asked): '1FA' | '2FA' | 'mixed' {
  const [first = signOn.factors, ...others] = system?.policies.factors ?? []
  return others.length > 0 ? 'mixed' : first
}

/** The longest lifetime of a mailed code, in minutes. */
const codeMinutesOf = ({ lifetimes }: Config, { system }: Asked): number =>
  Math.max(minutesOf(lifetimes.code), ...(system?.policies.codeMinutes ?? []))

/** Why a notice may not arrive; undefined where nothing speaks against it. */
function noticeProblem({ mail }: Config, { system, mailProblem }: Asked): string | undefined {
  const off = Object.entries(mail.notices).flatMap(([name, on]) => (on ? [] : [`mail.notices.${name}`]))
  if (off.length > 0) return `switched off: ${off.join(', ')}`
  if (mail.url === undefined) return 'no mail server is configured (mail.url): no mail leaves this machine'
  if (mailProblem?.why !== undefined) return `no notice can leave: ${mailProblem.why}`
  if (system !== undefined && system.lostNotices > 0)
    return `${system.lostNotices} notices of the last day were refused or came too late: rekey mail list`
  return undefined
}

/** Whether the mail server and the outbox say that notices arrive: both must have been asked. */
function noticesOf(config: Config, asked: Asked) {
  const problem = noticeProblem(config, asked)
  if (problem !== undefined) return deviates(problem)
  const silent = [
    ...(asked.mailProblem === undefined ? ['the mail server'] : []),
    ...(asked.system === undefined ? ['the outbox'] : []),
  ]
  return silent.length > 0
    ? notChecked(`they are not switched off, but what was not asked is ${silent.join(', and ')}`)
    : met('none is switched off, the mail server answers, and no notice of the last day was lost')
}

/** How many mails one recipient may get in ten minutes. */
const mailsInTenMinutes = ({ limits }: Config): number => {
  const { limit, windowMs } = budgetsFrom(limits).mails
  return limit * Math.max(1, 600_000 / windowMs)
}

/** A duration such as `1h30m` in minutes; NaN for anything else, which meets no limit. */
export const minutesOf = (duration: string): number => (parseDuration(duration) ?? Number.NaN) / 60_000

const asvs = 'ASVS 5.0'
const nist = 'NIST SP 800-63B-4'
const rfc = 'RFC 9700'

/** The requirements for recovery, sign-in and tokens, by standard and number. */
const requirements: readonly Requirement[] = [
  {
    id: '2.3.1',
    standard: asvs,
    asks: 'the steps of a flow are done in order, none is skipped',
    built: true,
    check: () => met('a submission is accepted only by a step that the current stage offers'),
  },
  {
    id: '2.3.3',
    standard: asvs,
    asks: 'a change is made completely or not at all',
    built: true,
    check: () => met('each step is one database transaction, guarded by the version that was read'),
  },
  {
    id: '2.4.1',
    standard: asvs,
    asks: 'automation cannot flood users with mail',
    check: (config) => {
      const { limit, windowMs } = budgetsFrom(config.limits).mails
      const why = `${limit} mails to a recipient in ${formatDuration(windowMs)}`
      return mailsInTenMinutes(config) <= 20 ? met(why) : deviates(`${why}: limits.mailsPerRecipient`)
    },
  },
  {
    id: '6.1.1',
    standard: asvs,
    asks: 'throttling cannot be used to lock users out',
    check: ({ limits, policies }, { system }) => {
      const attempts = system?.policies.lockouts ?? [policies.password.lockout?.maxAttempts ?? 0]
      if (attempts.some((count) => count > 0)) {
        return deviates('a password policy locks accounts after wrong passwords (lockout.maxAttempts)')
      }
      const { passwords, mails } = budgetsFrom(limits)
      const spent = [
        ...(passwords.reserve > 0 ? [] : ['limits.passwordsPerHour']),
        ...(mails.reserve > 0 ? [] : ['limits.mailsPerRecipient']),
      ]
      return spent.length > 0
        ? deviates(`too few to leave the owner of an account a reserve: ${spent.join(', ')}`)
        : met(
            `no policy locks accounts; ${passwords.reserve} passwords and ${mails.reserve} mails of an account are left to where its user has signed in from`,
          )
    },
  },
  {
    id: '6.2.1',
    standard: asvs,
    asks: 'passwords have at least 8 characters, 15 recommended',
    check: (config, asked) => {
      const { minLength } = rulesOf(config, asked)
      return minLength >= 8 ? met(`at least ${minLength}`) : deviates(`a password policy allows ${minLength}`)
    },
  },
  {
    id: '6.2.4',
    standard: asvs,
    asks: 'the most common passwords are refused',
    check: (config, asked) =>
      rulesOf(config, asked).excludesCommon
        ? met('every password policy excludes common passwords')
        : deviates('a password policy does not exclude common passwords (excludeCommon)'),
  },
  {
    id: '6.2.5',
    standard: asvs,
    asks: 'no composition rules',
    check: (config, asked) =>
      rulesOf(config, asked).composes
        ? deviates('a policy requires character classes; the preset `modern` does not')
        : met('no password policy requires character classes'),
  },
  {
    id: '6.2.8',
    standard: asvs,
    asks: 'passwords are verified exactly as typed, never truncated',
    built: true,
    check: () =>
      met('up to 256 code points, longer passwords are refused; only NFC normalisation is applied'),
  },
  {
    id: '6.2.9',
    standard: asvs,
    asks: 'passwords of 64 characters are allowed',
    check: (config, asked) => {
      const { greatestMinLength } = rulesOf(config, asked)
      return greatestMinLength <= 64
        ? met(`no policy asks for more than ${greatestMinLength}`)
        : deviates(`a policy asks for ${greatestMinLength}`)
    },
  },
  {
    id: '6.2.10',
    standard: asvs,
    asks: 'passwords do not expire by age',
    check: (config, asked) => {
      const { maxAgeDays } = rulesOf(config, asked)
      return maxAgeDays > 0 ? deviates(`they expire after ${maxAgeDays} days`) : met('no expiry by age')
    },
  },
  {
    id: '6.2.12',
    standard: asvs,
    asks: 'passwords are checked against breached passwords',
    built: true,
    check: () => deviates('only a list of common passwords is checked: the engine calls no external service'),
  },
  {
    id: '6.3.1',
    standard: asvs,
    asks: 'guessing and stuffing are limited',
    check: ({ limits: { codesPerDay, passwordsPerHour, sprayPerAddressHour } }) => {
      const why = `${codesPerDay} wrong codes in a day and ${passwordsPerHour} wrong passwords in an hour for an account, ${sprayPerAddressHour} wrong answers in an hour for an address`
      const isLimited = codesPerDay <= 100 && passwordsPerHour <= 100 && sprayPerAddressHour <= 10_000
      return isLimited ? met(why) : deviates(`${why}: more than 100, 100 and 10,000`)
    },
  },
  {
    id: '6.3.6',
    standard: asvs,
    asks: 'mail is not used for authentication (level 3)',
    check: (config, asked) => {
      if (recoversBy(config, asked).includes('okta_email')) {
        return deviates(
          'recovery by mail is part of the protocol; `recovery.secondFactor: required` adds a factor',
        )
      }
      const { factors, start } = config.signOn
      return (asked.system?.policies.mailSignsIn ?? (factors === '2FA' || start === 'identifier'))
        ? deviates('passwords are not recovered by mail here, but a mailed code is a factor of a sign-in')
        : met('neither a recovery nor a sign-in takes a mailed code')
    },
  },
  {
    id: '6.3.7',
    standard: asvs,
    asks: 'users are notified of changes to their credentials',
    check: noticesOf,
  },
  {
    id: '6.3.8',
    standard: asvs,
    asks: 'no answer reveals whether an account exists',
    check: ({ recovery }) =>
      recovery.revealUnknown
        ? deviates('recovery.revealUnknown reveals it to every visitor')
        : met('recovery.revealUnknown is off'),
  },
  {
    id: '6.4.2',
    standard: asvs,
    asks: 'no secret questions',
    check: (_, { system }) => {
      if (system === undefined) return notChecked('the authenticators in use are in the database')
      return system.policies.asksQuestions
        ? deviates('security_question is active: as a second proof only, and never as a second factor')
        : met('security_question is not active')
    },
  },
  {
    id: '6.4.3',
    standard: asvs,
    asks: 'a reset does not bypass a second factor',
    check: (config, asked) => {
      if (recoversBy(config, asked).length === 0)
        return met('passwords cannot be recovered without an administrator here')
      const { recovery } = config
      if (recovery.secondFactor === 'required') return met('recovery.secondFactor is required')
      if (factorsOf(config, asked) === '1FA') {
        return notApplicable('sign-in requires one factor here')
      }
      return recovery.countsAsOneFactor
        ? met('recovery.countsAsOneFactor is on')
        : deviates(
            'a recovery is one factor, but a reader of the mailbox then signs in with the new password and a mailed code: set recovery.countsAsOneFactor, or recovery.secondFactor: required',
          )
    },
  },
  {
    id: '6.5.1',
    standard: asvs,
    asks: 'codes work once',
    built: true,
    check: () => met('the statement that accepts the code also invalidates it'),
  },
  {
    id: '6.5.2',
    standard: asvs,
    asks: 'short codes are stored with a password hash',
    built: true,
    check: () =>
      deviates(
        'they are stored as keyed hashes (HMAC-SHA-256): a stolen database alone reveals none, with the key it does',
      ),
  },
  {
    id: '6.5.5',
    standard: asvs,
    asks: 'mailed codes are valid for 10 minutes at most',
    check: (config, asked) => {
      const minutes = codeMinutesOf(config, asked)
      const why = `${minutes} minutes (lifetimes.code is ${config.lifetimes.code})`
      return minutes <= 10 ? met(why) : deviates(why)
    },
  },
  {
    id: '6.6.2',
    standard: asvs,
    asks: 'a code is bound to the request that asked for it',
    built: true,
    check: () => met('it is hashed together with its transaction'),
  },
  {
    id: '6.6.3',
    standard: asvs,
    asks: 'codes are protected against brute force',
    check: ({ limits: { codesPerDay, codesUntilSuccess } }) => {
      const why = `${codesPerDay} wrong codes in a day, ${codesUntilSuccess} until the next success, for an account`
      return codesPerDay <= 100 && codesUntilSuccess <= 1000 ? met(why) : deviates(why)
    },
  },
  {
    id: '7.4.3',
    standard: asvs,
    asks: 'a password change can end all other sessions',
    built: true,
    check: ({ recovery }) =>
      met(recovery.offerRevokeSessions ? 'users choose; the default ends them' : 'it always ends them'),
  },
  {
    id: '3.1.1',
    standard: nist,
    asks: 'passwords have 15 characters if they are the only factor, else 8',
    check: (config, asked) => {
      const { minLength } = rulesOf(config, asked)
      const needed = factorsOf(config, asked) === '2FA' ? 8 : 15
      return minLength >= needed
        ? met(`at least ${minLength}`)
        : deviates(`at least ${minLength}, not ${needed}: set policies.password.complexity.minLength`)
    },
  },
  {
    id: '3.1.1.2',
    standard: nist,
    asks: 'passwords: a blocklist, no composition rules, no expiry',
    check: (config, asked) => {
      const { composes, excludesCommon, maxAgeDays } = rulesOf(config, asked)
      return composes || !excludesCommon || maxAgeDays > 0
        ? deviates('the password policy has composition rules, an expiry or no blocklist')
        : met('of every password policy')
    },
  },
  {
    id: '3.2.2',
    standard: nist,
    asks: 'at most 100 failed attempts in a row',
    check: ({ limits, policies }, { system }) => {
      const { codesUntilSuccess, passwordsPerHour } = limits
      if (codesUntilSuccess > 100) return deviates(`limits.codesUntilSuccess is ${codesUntilSuccess}`)
      const attempts = system?.policies.lockouts ?? [policies.password.lockout?.maxAttempts ?? 0]
      return attempts.every((count) => count > 0 && count <= 100)
        ? met(`${codesUntilSuccess} wrong codes, ${Math.max(...attempts)} wrong passwords`)
        : deviates(
            `${codesUntilSuccess} wrong codes, but wrong passwords are limited to ${passwordsPerHour} in an hour alone: a number in a row (lockout.maxAttempts) would let a stranger lock the owner out`,
          )
    },
  },
  {
    id: '4.2.1.2',
    standard: nist,
    asks: 'mailed recovery codes are valid for 24 hours at most',
    check: (config, asked) => {
      const minutes = codeMinutesOf(config, asked)
      return minutes <= 1440 ? met(`${minutes} minutes`) : deviates(`${minutes} minutes`)
    },
  },
  {
    id: '4.2.2',
    standard: nist,
    asks: 'at AAL2 a recovery takes two codes, or a code and an authenticator',
    check: (config, asked) => {
      const { recovery } = config
      if (factorsOf(config, asked) === '1FA') return notApplicable('sign-in requires one factor here: AAL1')
      if (recoversBy(config, asked).length === 0)
        return met('passwords cannot be recovered without an administrator here')
      return recovery.secondFactor === 'required'
        ? met('recovery.secondFactor is required')
        : deviates(
            'users who have a second factor are asked for it; for others the mailbox alone sets a password, and no token claims more than one factor for that',
          )
    },
  },
  {
    id: '4.2.3',
    standard: nist,
    asks: 'users are notified of a recovery',
    check: noticesOf,
  },
  {
    id: '2.1.1',
    standard: rfc,
    asks: 'PKCE with S256 for all clients',
    built: true,
    check: () => met('`interact` accepts no other method'),
  },
  {
    id: '2.1.2',
    standard: rfc,
    asks: 'no tokens in answers to a browser: apps use the code flow',
    check: ({ clients, oauth }, { system }) => {
      const ofFile = clients.filter(({ grantTypes }) => grantTypes?.includes('implicit')).map(({ id }) => id)
      const ids = [...new Set([...ofFile, ...(system?.implicitClients ?? [])])].join(', ')
      if (oauth.implicit)
        return deviates(`oauth.implicit is on, for ${ids || 'no app that has the grant implicit'}`)
      return met(`oauth.implicit is off${ids && `, so that the grant implicit gets an app nothing: ${ids}`}`)
    },
  },
  {
    id: '2.2.2',
    standard: rfc,
    asks: 'refresh tokens of public clients are rotated, and reuse revokes them',
    built: true,
    check: () => met('for all clients, but for a retry within the leeway of the app'),
  },
  {
    id: '4.1.3',
    standard: rfc,
    asks: 'redirect URIs are compared exactly',
    check: ({ clients }, { system }) => {
      const ofFile = clients.filter((client) => client.insecureLocalhostRedirects).map(({ id }) => id)
      const ids = [...new Set([...ofFile, ...(system?.insecureClients ?? [])])]
      return ids.length > 0
        ? deviates(`insecureLocalhostRedirects: ${ids.join(', ')}`)
        : met('no app has insecureLocalhostRedirects')
    },
  },
  {
    id: '4.5.3',
    standard: rfc,
    asks: 'codes are bound to the client and can be used once',
    built: true,
    check: () => met('one conditional statement; a second use ends the session'),
  },
  {
    id: '2.6',
    standard: rfc,
    asks: 'the public address is https',
    check: ({ issuer }) =>
      issuer?.startsWith('https://') ? met(issuer) : deviates('the issuer is not https: development only'),
  },
]

/** The ids, by standard, of what the policies and apps of the database decide: the configuration is where they began. */
const bySystem: Readonly<Record<string, readonly string[]>> = {
  [asvs]: [
    '6.1.1',
    '6.2.1',
    '6.2.4',
    '6.2.5',
    '6.2.9',
    '6.2.10',
    '6.3.6',
    '6.3.7',
    '6.4.2',
    '6.4.3',
    '6.5.5',
  ],
  [nist]: ['3.1.1', '3.1.1.2', '3.2.2', '4.2.1.2', '4.2.2', '4.2.3'],
  [rfc]: ['2.1.2', '4.1.3'],
}

/**
 * The result of every requirement, by the configuration and by what the running system has answered. What this version
 * does whatever the settings is not checked here, and nor is what a database decides that was not asked.
 */
export const findingsOf = (config: Config, asked: Asked = {}): readonly Finding[] =>
  requirements.map(({ check, built, ...requirement }) => {
    const isOfSystem = bySystem[requirement.standard]?.includes(requirement.id) === true
    const shownBy = built ? 'tests' : isOfSystem && asked.system !== undefined ? 'system' : 'settings'
    const { result, why } = check(config, asked)
    const found = { ...requirement, shownBy, result, why } as const
    if (result === 'deviates' || result === 'not checked') return found
    if (built) return { ...found, ...notChecked(`held by the tests of this version: ${why}`) }
    if (!isOfSystem || asked.system !== undefined) return found
    return {
      ...found,
      ...notChecked(`no database was asked; one that begins with these settings: ${why}`),
    }
  })
