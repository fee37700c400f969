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
  readonly result: 'met' | 'deviates' | 'not applicable'
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
  /** A check that reads neither settings nor the system says what this version does: its tests show it. */
  readonly built?: true
  check(config: Config, asked: Asked): Pick<Finding, 'result' | 'why'> & Partial<Pick<Finding, 'shownBy'>>
}

const met = (why: string) => ({ result: 'met' as const, why })
const deviates = (why: string) => ({ result: 'deviates' as const, why })
const notApplicable = (why: string) => ({ result: 'not applicable' as const, why })

/** The rules of the password policies in the database: all must meet what is asked. */
function rulesInForce({ policies: { passwords } }: SystemFacts) {
  const all = passwords.map(({ rules }) => rules)
  return {
    minLength: Math.min(...all.map(({ minLength }) => minLength)),
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
  return { minLength, composes, excludesCommon: excludeCommon, maxAgeDays }
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

/** What was asked of what notices need. */
const noticesAsked = ({ system, mailProblem }: Asked): string =>
  [
    mailProblem === undefined ? 'the mail server was not asked' : 'the mail server answers',
    system === undefined ? 'the outbox was not asked' : 'no notice of the last day was lost',
  ].join(', ')

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
    asks: 'automation cannot exhaust quotas or flood users with mail',
    check: ({ limits }) => {
      const { limit, windowMs } = budgetsFrom(limits).mails
      return met(
        `${limit} mails per recipient in ${formatDuration(windowMs)}, rate limits for requests and guesses`,
      )
    },
  },
  {
    id: '6.1.1',
    standard: asvs,
    asks: 'throttling is documented and cannot be used to lock users out',
    built: true,
    check: () =>
      met(
        'each source has a share of a name’s passwords and mails, a reserve is left for where the user has signed in from; spent short codes are followed by long ones',
      ),
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
        ? met('checked against some 49,000 common passwords')
        : deviates('a password policy does not exclude common passwords (excludeCommon)'),
  },
  {
    id: '6.2.5',
    standard: asvs,
    asks: 'no composition rules',
    check: (config, asked) =>
      rulesOf(config, asked).composes
        ? deviates('a policy requires character classes; the preset `modern` does not')
        : met('any characters are allowed'),
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
    built: true,
    check: () => met('up to 256 code points'),
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
    check: ({ limits }) =>
      met(
        `${limits.codesPerDay} wrong codes per day and ${limits.passwordsPerHour} wrong passwords per hour and account`,
      ),
  },
  {
    id: '6.3.6',
    standard: asvs,
    asks: 'mail is not used for authentication (level 3)',
    check: (config, asked) =>
      recoversBy(config, asked).includes('okta_email')
        ? deviates(
            'recovery by mail is part of the protocol; `recovery.secondFactor: required` adds a factor',
          )
        : met('passwords cannot be recovered by mail here'),
  },
  {
    id: '6.3.7',
    standard: asvs,
    asks: 'users are notified of changes to their credentials',
    check: (config, asked) => {
      const problem = noticeProblem(config, asked)
      if (problem !== undefined) return deviates(problem)
      return met(
        `a mail after every change of a password, an email, a login or an authenticator, to the former address too; ${noticesAsked(asked)}`,
      )
    },
  },
  {
    id: '6.3.8',
    standard: asvs,
    asks: 'no answer reveals whether an account exists',
    check: ({ recovery }) =>
      recovery.revealUnknown
        ? deviates('recovery.revealUnknown reveals it to every visitor')
        : met('the same steps, bodies, statements and rate limits for known and unknown users'),
  },
  {
    id: '6.4.2',
    standard: asvs,
    asks: 'no secret questions',
    built: true,
    check: () => met('no authenticator asks one; one that is stored over the API is never asked'),
  },
  {
    id: '6.4.3',
    standard: asvs,
    asks: 'a reset does not bypass a second factor',
    check: (config, asked) => {
      if (recoversBy(config, asked).length === 0)
        return met('passwords cannot be recovered without an administrator here')
      const { recovery } = config
      if (recovery.secondFactor === 'required') return met('a recovery asks every user for a second factor')
      if (factorsOf(config, asked) === '1FA') {
        return notApplicable(
          'sign-in requires one factor here; a recovery asks users who have a second one for it',
        )
      }
      return recovery.countsAsOneFactor
        ? met('a recovery is one factor, and so are the password that it sets and a mailed code, ever after')
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
    check: ({ limits }) =>
      met(
        `5 wrong codes per transaction, ${limits.codesPerDay} per day, ${limits.codesUntilSuccess} until the next success`,
      ),
  },
  {
    id: '7.4.3',
    standard: asvs,
    asks: 'a password change can end all other sessions',
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
    asks: 'a blocklist, no composition, no expiry, Unicode code points counted',
    check: (config, asked) => {
      const { composes, excludesCommon, maxAgeDays } = rulesOf(config, asked)
      return composes || !excludesCommon || maxAgeDays > 0
        ? deviates('the password policy has composition rules, an expiry or no blocklist')
        : met('a blocklist, no composition rules, no expiry')
    },
  },
  {
    id: '3.2.2',
    standard: nist,
    asks: 'at most 100 failed attempts in a row',
    check: ({ limits }) =>
      limits.codesUntilSuccess <= 100
        ? met(`${limits.codesUntilSuccess} wrong codes until the next success`)
        : deviates(`limits.codesUntilSuccess is ${limits.codesUntilSuccess}`),
  },
  {
    id: '4.2.1.2',
    standard: nist,
    asks: 'mailed recovery codes have 6 digits or more and are valid for 24 hours at most',
    check: (config, asked) => {
      const minutes = codeMinutesOf(config, asked)
      return minutes <= 1440 ? met(`6 digits, ${minutes} minutes`) : deviates(`${minutes} minutes`)
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
    check: (config, asked) => {
      const problem = noticeProblem(config, asked)
      return problem === undefined ? met(`by mail; ${noticesAsked(asked)}`) : deviates(problem)
    },
  },
  {
    id: '2.1.1',
    standard: rfc,
    asks: 'PKCE with S256 for all clients',
    built: true,
    check: () => met('`interact` accepts no other method'),
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
        : met('compared as exact strings')
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
    asks: 'all endpoints use https',
    check: ({ issuer }) =>
      issuer?.startsWith('https://') ? met(issuer) : deviates('the issuer is not https: development only'),
  },
]

/** The ids, by standard, of what the policies and apps of the database decide, and not the configuration. */
const bySystem: Readonly<Record<string, readonly string[]>> = {
  [asvs]: ['6.2.1', '6.2.4', '6.2.5', '6.2.10', '6.3.6', '6.3.7', '6.4.3', '6.5.5'],
  [nist]: ['3.1.1', '3.1.1.2', '4.2.1.2', '4.2.2', '4.2.3'],
  [rfc]: ['4.1.3'],
}

/** The result of every requirement, by the configuration and by what the running system has answered. */
export const findingsOf = (config: Config, asked: Asked = {}): readonly Finding[] =>
  requirements.map(({ check, built, ...requirement }) => {
    const isAsked = asked.system !== undefined && bySystem[requirement.standard]?.includes(requirement.id)
    const shownBy = built ? 'tests' : isAsked ? 'system' : 'settings'
    return { ...requirement, shownBy, ...check(config, asked) }
  })
