import { formatDuration } from '../base/index.ts'
import { budgetsFrom } from '../limits/index.ts'
import type { Config } from './options.ts'

/** What a requirement of a standard comes to, with a configuration. */
export interface Finding {
  readonly id: string
  readonly standard: 'ASVS 5.0' | 'NIST SP 800-63B-4' | 'RFC 9700'
  /** What it asks for, in our words. */
  readonly asks: string
  readonly result: 'met' | 'deviates' | 'not applicable'
  /** By what it is met, or why not. */
  readonly why: string
}

interface Requirement extends Pick<Finding, 'id' | 'standard' | 'asks'> {
  check(config: Config): Pick<Finding, 'result' | 'why'>
}

const met = (why: string) => ({ result: 'met' as const, why })
const deviates = (why: string) => ({ result: 'deviates' as const, why })
const notApplicable = (why: string) => ({ result: 'not applicable' as const, why })

/** The rules that the password policy of a configuration comes to, as far as the requirements ask. */
function rulesOf({ policies }: Config) {
  const { preset, complexity = {}, age = {} } = policies.password
  const composed = preset === 'okta'
  return {
    minLength: complexity.minLength ?? (composed ? 8 : 12),
    composes: [
      complexity.minLowerCase,
      complexity.minUpperCase,
      complexity.minNumber,
      complexity.minSymbol,
    ].some((count) => (count ?? (composed ? 1 : 0)) > 0),
    excludesCommon: complexity.excludeCommon ?? true,
    maxAgeDays: age.maxAgeDays ?? 0,
  }
}

const minutes = (span: string): number => {
  const [, amount = '0', unit = 'm'] = /^([\d.]+)(ms|s|m|h|d)/.exec(span) ?? []
  return Number(amount) * { ms: 1 / 60_000, s: 1 / 60, m: 1, h: 60, d: 1440 }[unit as 'm']
}

const asvs = 'ASVS 5.0'
const nist = 'NIST SP 800-63B-4'
const rfc = 'RFC 9700'

/** The requirements that concern recovery, sign-in and tokens, in the order of their numbers. */
const requirements: readonly Requirement[] = [
  {
    id: '2.3.1',
    standard: asvs,
    asks: 'steps of a flow happen in their order, none is skipped',
    check: () => met('a submission is accepted only by a step on offer at the present stage'),
  },
  {
    id: '2.3.3',
    standard: asvs,
    asks: 'a change happens as a whole or not at all',
    check: () => met('one database transaction a step, guarded by the version that was read'),
  },
  {
    id: '2.4.1',
    standard: asvs,
    asks: 'automation cannot use up quotas or flood people with mail',
    check: ({ limits }) => {
      const { limit, windowMs } = budgetsFrom(limits).mails
      return met(`${limit} mails a recipient in ${formatDuration(windowMs)}, budgets of requests and guesses`)
    },
  },
  {
    id: '6.1.1',
    standard: asvs,
    asks: 'throttling is documented and cannot lock people out on purpose',
    check: () =>
      met(
        'each source has a share of a name’s passwords and mails, a reserve is left for where the user has signed in from; spent short codes are followed by long ones',
      ),
  },
  {
    id: '6.2.1',
    standard: asvs,
    asks: 'passwords have at least 8 characters, 15 recommended',
    check: (config) => {
      const { minLength } = rulesOf(config)
      return minLength >= 8 ? met(`at least ${minLength}`) : deviates(`policies.password allows ${minLength}`)
    },
  },
  {
    id: '6.2.4',
    standard: asvs,
    asks: 'the most common passwords are refused',
    check: (config) =>
      rulesOf(config).excludesCommon
        ? met('checked against some 49,000 common passwords')
        : deviates('policies.password.complexity.excludeCommon is off'),
  },
  {
    id: '6.2.5',
    standard: asvs,
    asks: 'no rules of composition',
    check: (config) =>
      rulesOf(config).composes
        ? deviates('the policy asks for kinds of characters; the preset `modern` does not')
        : met('any characters will do'),
  },
  {
    id: '6.2.8',
    standard: asvs,
    asks: 'passwords are verified exactly as typed, never cut off',
    check: () => met('up to 256 code points, longer ones are refused; only NFC is applied'),
  },
  {
    id: '6.2.9',
    standard: asvs,
    asks: 'passwords of 64 characters are allowed',
    check: () => met('up to 256 code points'),
  },
  {
    id: '6.2.10',
    standard: asvs,
    asks: 'passwords do not expire by age',
    check: (config) => {
      const { maxAgeDays } = rulesOf(config)
      return maxAgeDays > 0 ? deviates(`they expire after ${maxAgeDays} days`) : met('no expiry by age')
    },
  },
  {
    id: '6.2.12',
    standard: asvs,
    asks: 'passwords are checked against breached ones',
    check: () =>
      deviates('a list of common passwords is checked, no service of breached ones: the engine calls nobody'),
  },
  {
    id: '6.3.1',
    standard: asvs,
    asks: 'guessing and stuffing are limited',
    check: ({ limits }) =>
      met(
        `${limits.codesPerDay} wrong codes a day and ${limits.passwordsPerHour} wrong passwords an hour, by account`,
      ),
  },
  {
    id: '6.3.6',
    standard: asvs,
    asks: 'mail is no means of authentication (level 3)',
    check: ({ policies }) =>
      policies.password.recovery.authenticators.includes('okta_email')
        ? deviates(
            'recovery by mail is what the protocol does; `recovery.secondFactor: required` asks for more',
          )
        : met('mail does not recover a password here'),
  },
  {
    id: '6.3.7',
    standard: asvs,
    asks: 'people are told of changes to their credentials',
    check: () => met('a mail after every change of the password, tried for three days'),
  },
  {
    id: '6.3.8',
    standard: asvs,
    asks: 'nothing tells whether an account exists',
    check: ({ recovery }) =>
      recovery.revealUnknown
        ? deviates('recovery.revealUnknown says so to anybody who asks')
        : met('the same steps, bodies, statements and budgets for people who exist and who do not'),
  },
  {
    id: '6.4.2',
    standard: asvs,
    asks: 'no secret questions',
    check: () => met('there are none'),
  },
  {
    id: '6.4.3',
    standard: asvs,
    asks: 'a reset does not get around a second factor',
    check: ({ signOn, recovery }) =>
      signOn.factors === '1FA'
        ? notApplicable('sign-in takes one factor here')
        : met(
            `a recovery proves the mailbox and sets the password; secondFactor is ${recovery.secondFactor}`,
          ),
  },
  {
    id: '6.5.1',
    standard: asvs,
    asks: 'codes work once',
    check: () => met('the right answer ends the code in the statement that accepts it'),
  },
  {
    id: '6.5.2',
    standard: asvs,
    asks: 'short codes are stored under a password hash',
    check: () =>
      deviates(
        'they are keyed hashes (HMAC-SHA-256): a stolen database alone gives none away, a stolen key does',
      ),
  },
  {
    id: '6.5.5',
    standard: asvs,
    asks: 'mailed codes live 10 minutes at most',
    check: ({ lifetimes }) =>
      minutes(lifetimes.code) <= 10
        ? met(`lifetimes.code is ${lifetimes.code}`)
        : deviates(`lifetimes.code is ${lifetimes.code}`),
  },
  {
    id: '6.6.2',
    standard: asvs,
    asks: 'a code belongs to the request that asked for it',
    check: () => met('it is hashed together with its transaction'),
  },
  {
    id: '6.6.3',
    standard: asvs,
    asks: 'codes are protected against brute force',
    check: ({ limits }) =>
      met(
        `5 wrong ones a transaction, ${limits.codesPerDay} a day, ${limits.codesUntilSuccess} until the next success`,
      ),
  },
  {
    id: '7.4.3',
    standard: asvs,
    asks: 'a changed password can end all other sessions',
    check: ({ recovery }) =>
      met(recovery.offerRevokeSessions ? 'people choose; the default ends them' : 'it always ends them'),
  },
  {
    id: '3.1.1',
    standard: nist,
    asks: 'passwords have 15 characters if they are the only factor, else 8',
    check: (config) => {
      const { minLength } = rulesOf(config)
      const needed = config.signOn.factors === '2FA' ? 8 : 15
      return minLength >= needed
        ? met(`at least ${minLength}`)
        : deviates(`at least ${minLength}, not ${needed}: set policies.password.complexity.minLength`)
    },
  },
  {
    id: '3.1.1.2',
    standard: nist,
    asks: 'a blocklist, no composition, no expiry, Unicode code points counted',
    check: (config) => {
      const { composes, excludesCommon, maxAgeDays } = rulesOf(config)
      return composes || !excludesCommon || maxAgeDays > 0
        ? deviates('the password policy composes, expires or has no blocklist')
        : met('as asked')
    },
  },
  {
    id: '3.2.2',
    standard: nist,
    asks: 'at most 100 wrong tries in a row',
    check: ({ limits }) =>
      limits.codesUntilSuccess <= 100
        ? met(`${limits.codesUntilSuccess} wrong codes until the next success`)
        : deviates(`limits.codesUntilSuccess is ${limits.codesUntilSuccess}`),
  },
  {
    id: '4.2.1.2',
    standard: nist,
    asks: 'mailed recovery codes have 6 digits or more and live 24 hours at most',
    check: ({ lifetimes }) =>
      minutes(lifetimes.code) <= 1440 ? met(`6 digits, ${lifetimes.code}`) : deviates(lifetimes.code),
  },
  {
    id: '4.2.3',
    standard: nist,
    asks: 'people are notified of a recovery',
    check: () => met('by mail, always'),
  },
  {
    id: '2.1.1',
    standard: rfc,
    asks: 'PKCE with S256 for all clients',
    check: () => met('`interact` takes nothing else'),
  },
  {
    id: '2.2.2',
    standard: rfc,
    asks: 'refresh tokens of public clients rotate, reuse revokes',
    check: () => met('for all clients'),
  },
  {
    id: '4.1.3',
    standard: rfc,
    asks: 'redirect URIs are compared exactly',
    check: ({ clients }) =>
      clients.some(({ insecureLocalhostRedirects }) => insecureLocalhostRedirects)
        ? deviates('a client has insecureLocalhostRedirects')
        : met('as exact texts'),
  },
  {
    id: '4.5.3',
    standard: rfc,
    asks: 'codes are bound to the client and work once',
    check: () => met('one conditional statement; a second use ends the session'),
  },
  {
    id: '2.6',
    standard: rfc,
    asks: 'addresses are https from end to end',
    check: ({ issuer }) =>
      issuer?.startsWith('https://') ? met(issuer) : deviates('the issuer is not https: development only'),
  },
]

/** Every requirement with what it comes to. */
export const findingsOf = (config: Config): readonly Finding[] =>
  requirements.map(({ check, ...requirement }) => ({ ...requirement, ...check(config) }))
