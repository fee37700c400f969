import { type Static, Type } from 'typebox'

/** More than any window sees, and what both databases count to. */
const maximum = 1_000_000_000

const count = (description: string, defaultValue: number) =>
  Type.Integer({ description, default: defaultValue, minimum: 1, maximum })

const ofPreset = (description: string) => Type.Optional(Type.Integer({ description, minimum: 1, maximum }))

/** How many requests are answered. Counted by each node for itself; what is absent is the preset's. */
const requests = Type.Object(
  {
    idxPerAddress: ofPreset('Requests to /idp/idx by one network address in a minute. `default`: 30,000.'),
    interactPerAddress: ofPreset(
      'Calls of interact by one address in a minute, and transactions after a cancelled one. `default`: 1,200.',
    ),
    interactPerAddressHour: ofPreset('The same in an hour. `default`: 6,000.'),
    tokenPerAddress: ofPreset('Calls of token by one address in a minute. `default`: 12,000.'),
    othersPerAddress: ofPreset(
      'Requests to userinfo, introspect, revoke, keys, logout and the pages of mailed links by one network address in a minute. Default: 30,000.',
    ),
    wrongSecretsPerAddress: ofPreset(
      'Wrong secrets of one client at interact, introspect and revoke by one network address in a minute; beyond it none is checked. Default: 60.',
    ),
    managementPerAddress: ofPreset(
      'Requests to /api/v1 by one network address in a minute. `default`: 30,000.',
    ),
    perClient: ofPreset(
      'Calls of interact for one client by one address and device in a minute. `default`: 600; `okta-…`: 60.',
    ),
    perStateHandle: ofPreset('Requests with one state handle in 5 seconds. `default`: 1,000; `okta-…`: 10.'),
    perIdentifier: ofPreset(
      'Requests about one identifier, as typed, in 5 seconds. `default`: no limit; `okta-…`: 20.',
    ),
    identify: ofPreset(
      'Requests to /idp/idx/identify by all callers in a minute. `okta-integrator`: 100, `okta-enterprise`: 1,000.',
    ),
    introspect: ofPreset(
      'Requests to /idp/idx/introspect by all callers in a minute. `okta-integrator`: 200, `okta-enterprise`: 2,000.',
    ),
    idx: ofPreset(
      'Requests to all other /idp/idx paths by all callers in a minute. `okta-integrator`: 100, `okta-enterprise`: 1,000.',
    ),
    interact: ofPreset(
      'Calls of interact by all callers in a minute. `okta-integrator`: 200, `okta-enterprise`: 2,000.',
    ),
    token: ofPreset(
      'Calls of token by all callers in a minute. `okta-integrator`: 300, `okta-enterprise`: 1,200.',
    ),
    mailsPerSource: ofPreset(
      'Mails that one network address (IPv6: one /64) causes in a minute, to all recipients. `default`: 300.',
    ),
    mailsPerClient: ofPreset('Mails that all users of one app cause in a minute. `default`: 6,000.'),
    textsPerSource: ofPreset(
      'Texts and calls that one network address (IPv6: one /64) causes in a minute, to all numbers. Default: 30.',
    ),
    textsPerSourceHour: ofPreset('The same in an hour. Default: 200.'),
    textsPerClient: ofPreset('Texts and calls that all users of one app cause in a minute. Default: 600.'),
    signUpsPerSource: ofPreset(
      'Forms of a sign-up that one network address (IPv6: one /64) sends in an hour, whatever becomes of them. Default: 60.',
    ),
    signUpsPerNetwork: ofPreset('The same of one network: an IPv4 /24, an IPv6 /48. Default: 300.'),
    management: ofPreset(
      'Requests to /api/v1 by all callers in a minute. `okta-integrator`: 100, `okta-enterprise`: 1,200.',
    ),
  },
  { default: {}, additionalProperties: false },
)

/** The budgets slice of the configuration. Counts are per window. */
export const limitsOptions = Type.Object(
  {
    preset: Type.Union(
      [Type.Literal('default'), Type.Literal('okta-integrator'), Type.Literal('okta-enterprise')],
      {
        description:
          'The limits of requests and mails that are not set below: `default` stops floods only; the others apply the limits that Okta publishes for its free and its paid organisations.',
        default: 'default',
      },
    ),
    requests,
    codesPerDay: count(
      'Wrong short codes for one account in a day. Beyond it every short code is refused, and mails carry long ones.',
      20,
    ),
    codesUntilSuccess: count('Wrong short codes for one account until its next success; then the same.', 100),
    passwordsPerHour: count(
      'Wrong passwords for one account in an hour. Beyond it every password is refused. A recovery clears it.',
      20,
    ),
    mailsPerRecipient: ofPreset(
      'Mails to one recipient, from all sources. `default`: 5 in 10 minutes; `okta-…`: 30 in a minute.',
    ),
    textsPerUser: count(
      'Texts and calls to one user in 10 minutes, from all sources. One source has a share of it.',
      5,
    ),
    textsPerNumber: count('Texts and calls to one number in a day, for all users who have it.', 20),
    textsPerRange: count(
      'Texts and calls in an hour to numbers that differ in their last three digits only: pumping goes through a range.',
      30,
    ),
    textsPerCountry: count('Texts and calls to one country in an hour.', 1000),
    textsPerDay: count(
      'Texts and calls of the whole installation in a day: the most that a day can cost. Beyond it none is sent.',
      10_000,
    ),
    sprayPerAddressMinute: count(
      'Wrong codes and passwords, about any name, by one network address (IPv6: one /64) in a minute. Beyond it all its answers are refused unchecked.',
      120,
    ),
    sprayPerAddressHour: count(
      'The same in an hour. One address that guesses six-digit codes day and night finds one right code, of any account, in about 70 days.',
      600,
    ),
    sprayEverywhere: count(
      'Wrong codes and passwords by all addresses together in an hour. Beyond it, and beyond `sprayPerHundredSignIns`, the installation is under attack: until the hour is over all mails carry long codes, which cannot be guessed, and each address has only `sprayPerAddressUnderAttack` left.',
      2000,
    ),
    sprayPerHundredSignIns: Type.Integer({
      description:
        'Wrong codes and passwords by all addresses together, for each hundred users who have signed in within the last hour. The larger of this and `sprayEverywhere` counts, so that a large installation is not under attack by the typing errors of its users. 0: `sprayEverywhere` alone.',
      default: 50,
      minimum: 0,
      maximum: 1000,
    }),
    sprayPerAddressUnderAttack: count(
      'Wrong codes and passwords by one address in an hour while the installation is under attack. Each user who has signed in from there within the hour adds ten, up to `sprayPerAddressHour`.',
      60,
    ),
    captchasPerAddress: count(
      'Answers to captchas that are verified for one network address (IPv6: one /64) in a minute.',
      20,
    ),
    captchasEverywhere: count('The same for all addresses together: what the provider may cost.', 3000),
    withoutCaptchaPerAddress: count(
      'Recoveries and unlocks that one network address begins in an hour while the provider of the captcha does not answer.',
      5,
    ),
    withoutCaptchaEverywhere: count(
      'The same for all addresses together. Beyond it none begins until the provider answers, or the hour is over.',
      300,
    ),
    appFactor: count(
      'How many times the budgets of one network address an app has that vouches for no address: a confidential client that sends no `X-Forwarded-For` when it begins an interaction. All its users then count as one source.',
      10,
    ),
  },
  { default: {} },
)

export type LimitsOptions = Static<typeof limitsOptions>
