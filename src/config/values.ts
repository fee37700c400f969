import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import type * as PublicSuffixes from 'tldts'
import { durationProblem, isOneVisibleLine, parseDuration, unfilledProblem } from '../base/index.ts'
import { brandProblems } from '../brand/index.ts'
import { isRedirectUri, originForm, originFrom } from '../clients/index.ts'
import { isSenderName, parseSender, senderForms, smtpUrlProblem } from '../delivery/index.ts'
import { baseAttributes, compareKey, nameProblems, profileProblems } from '../directory/index.ts'
import { isProxyRange } from '../limits/index.ts'
import { outboundUrlProblem } from '../outbound/index.ts'
import { DatabaseUrlError, parseDatabaseUrl, tlsOptions } from '../storage/index.ts'
import type { Config } from './options.ts'
import { isObject, leavesOf, valueAt } from './schema.ts'

/** What is wrong with the value at a path: the end of a sentence that begins with the path. */
interface ValueProblem {
  readonly path: string
  readonly words: string
}

type Check = (settings: unknown) => readonly ValueProblem[]

/**
 * The values that have the right type and are still of no use, found by the functions that use them: what passes here does
 * not fail later, after the database was opened or while requests are answered. `settings` may have values of the wrong
 * type, which are reported elsewhere; everything else is checked all the same, so that all problems are reported at once.
 */
export const valueProblems = (settings: unknown): readonly ValueProblem[] =>
  checks.flatMap((check) => check(settings))

/** A check of one text option. */
const text =
  (path: string, problemOf: (value: string) => string | undefined): Check =>
  (settings) => {
    const value = valueAt(settings, path)
    const words = typeof value === 'string' ? problemOf(value) : undefined
    return words === undefined ? [] : [{ path, words }]
  }

/** A check of each text of a list. */
const texts =
  (path: string, problemOf: (value: string) => string | undefined): Check =>
  (settings) =>
    listAt(settings, path).flatMap((value, index) => {
      const words = typeof value === 'string' ? problemOf(value) : undefined
      return words === undefined ? [] : [{ path: `${path}.${index}`, words }]
    })

const listAt = (settings: unknown, path: string): readonly unknown[] => {
  const value = valueAt(settings, path)
  return Array.isArray(value) ? value : []
}

/** A check of each entry of a list. */
const entries =
  (
    path: string,
    problemsOf: (entry: Fields) => readonly (readonly [field: string, words: string])[],
  ): Check =>
  (settings) =>
    listAt(settings, path).flatMap((entry, index) =>
      isObject(entry)
        ? problemsOf(entry).map(([field, words]) => ({ path: `${path}.${index}.${field}`, words }))
        : [],
    )

type Fields = Readonly<Record<string, unknown>>

const checks: readonly Check[] = [
  ...leavesOf().flatMap(([option, { span }]) =>
    span === undefined ? [] : [text(option, (value) => durationProblem(value, span))],
  ),
  texts('secrets', unfilledProblem),
  text('management.apiToken', unfilledProblem),
  text('issuer', issuerProblem),
  text('org.name', lineProblem),
  (settings) =>
    brandProblemsAt(valueAt(settings, 'brand')).map(([field, words]) => ({ path: `brand.${field}`, words })),
  text('database.url', databaseProblem),
  text('http.host', hostProblem),
  text('metrics.host', hostProblem),
  portsApart,
  headersWithinRequest,
  texts('http.trustedProxies', proxyProblem),
  text('mail.url', smtpUrlProblem),
  calledAddress('telephony.hook.url', 'telephony.hook.insecureAddresses'),
  text('telephony.hook.secret', headerProblem),
  calledAddress('captcha.verifyUrl', 'captcha.insecureAddresses'),
  calledAddress('captcha.scriptUrl', 'captcha.insecureAddresses'),
  text('captcha.secret', headerProblem),
  captchaWithKeys,
  text('mail.from', senderProblem),
  text('mail.fromName', senderNameProblem),
  termsTogether,
  text('signUp.terms.version', lineProblem),
  text('signUp.terms.url', termsUrlProblem),
  text('signUp.terms.label', lineProblem),
  texts('signUp.domains.allowed', allowedDomainProblem),
  texts('signUp.domains.blocked', blockedDomainProblem),
  domainsOfBothLists,
  text('management.recoveryPage', recoveryPageProblem),
  text('management.activationPage', recoveryPageProblem),
  text('webauthn.rpId', rpIdProblem),
  rpIdOfNoOrigin,
  texts('webauthn.nativeOrigins', nativeOriginProblem),
  memoryForLanes,
  entries('clients', clientProblems),
  repeatedIds,
  entries('people', personProblems),
  repeatedNames,
  texts('trustedOrigins', (origin) => (originFrom(origin) === undefined ? originForm : undefined)),
]

function issuerProblem(issuer: string): string | undefined {
  const form = 'must be the public address, such as https://id.example.com'
  if (!/^https?:\/\/[^/?#]/i.test(issuer) || /\s/.test(issuer) || !URL.canParse(issuer)) return form
  const { hostname, pathname, username, password } = new URL(issuer)
  if (/[?#]/.test(issuer) || username !== '' || password !== '') {
    return `${form}, without user, query or fragment`
  }
  if (!isHost(hostname)) return form
  // All paths of the engine begin with it: signs that a router reads as a pattern would open others.
  return /^(\/[\w.~-]+)*\/?$/.test(pathname)
    ? undefined
    : `${form}, with a path of letters, digits and - . _ ~ if any`
}

function databaseProblem(url: string): string | undefined {
  try {
    const address = parseDatabaseUrl(url)
    // Reads the certificates that the address names.
    if (address.kind === 'postgres') tlsOptions(address.tls)
    return undefined
  } catch (error) {
    if (error instanceof DatabaseUrlError) return error.message
    throw error
  }
}

/** The labels of a host's name; the last one is not a number (RFC 3696, section 2), which would be a mistyped address. */
const hostName = /^(?=.{1,253}$)(?:[a-z\d_](?:[a-z\d_-]*[a-z\d])?\.)*(?!\d+$)[a-z\d_](?:[a-z\d_-]*[a-z\d])?$/i

/** Whether the host of an address, in the form of a URL, is a name or an IP address. */
const isHost = (host: string): boolean => isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0 || hostName.test(host)

function hostProblem(host: string): string | undefined {
  return isIP(host) !== 0 || hostName.test(host)
    ? undefined
    : 'must be an IP address or a name of this machine, such as 0.0.0.0, :: or localhost, without port and brackets'
}

const wildcards = ['0.0.0.0', '::']
const loopback = ['localhost', '127.0.0.1', '::1']

/** Two listeners at one address and port: the second would end the start, after the database was migrated. */
function portsApart(settings: unknown): readonly ValueProblem[] {
  const [port, other] = [valueAt(settings, 'http.port'), valueAt(settings, 'metrics.port')]
  if (port !== other || port === 0 || typeof port !== 'number') return []
  const hosts = ['http.host', 'metrics.host'].map((option) => {
    const host = String(valueAt(settings, option))
    return loopback.includes(host) ? 'localhost' : host
  })
  return hosts[0] === hosts[1] || hosts.some((host) => wildcards.includes(host))
    ? [{ path: 'metrics.port', words: 'must not be http.port: the metrics have a listener of their own' }]
    : []
}

/** Node refuses to listen otherwise: the head is a part of the request. */
function headersWithinRequest(settings: unknown): readonly ValueProblem[] {
  const [headers, request] = ['http.headersTimeout', 'http.requestTimeout'].map((option) => {
    const value = valueAt(settings, option)
    return typeof value === 'string' ? parseDuration(value) : undefined
  })
  return headers !== undefined && request !== undefined && headers > request && request > 0
    ? [{ path: 'http.headersTimeout', words: 'must not be longer than http.requestTimeout' }]
    : []
}

function proxyProblem(range: string): string | undefined {
  return isProxyRange(range)
    ? undefined
    : 'must be an IP address or a range, such as 10.0.0.1, 10.0.0.0/8 or fd00::/8'
}

/** By the client that calls it; what its name resolves to is checked with each call (A41). */
function calledAddress(path: string, insecure: string): Check {
  return (settings) => {
    const url = valueAt(settings, path)
    const insecureAddresses = valueAt(settings, insecure) === true
    const words = typeof url === 'string' ? outboundUrlProblem(url, { insecureAddresses }) : undefined
    return words === undefined ? [] : [{ path, words }]
  }
}

/** Without both keys no form would ask, although a provider is named. */
function captchaWithKeys(settings: unknown): readonly ValueProblem[] {
  if (valueAt(settings, 'captcha.type') === undefined) return []
  return ['captcha.siteKey', 'captcha.secret']
    .filter((path) => valueAt(settings, path) === undefined)
    .map((path) => ({ path, words: 'is missing: captcha.type asks for it' }))
}

function headerProblem(secret: string): string | undefined {
  return /^\s|\s$|[^ -~]/.test(secret)
    ? 'begins or ends with white space, or contains other characters than printable ASCII'
    : unfilledProblem(secret)
}

function senderProblem(from: string): string | undefined {
  return parseSender(from) === undefined ? senderForms : undefined
}

function senderNameProblem(name: string): string | undefined {
  return isSenderName(name) ? undefined : 'must be one line of at most 200 characters'
}

function lineProblem(value: string): string | undefined {
  return value.trim() === '' || value.length > 200 || !isOneVisibleLine(value)
    ? 'must be one line of 1 to 200 visible characters'
    : undefined
}

/** The list of public suffixes, read with the first domain: most configurations name none. */
const suffixes = (): typeof PublicSuffixes => createRequire(import.meta.url)('tldts')

/** Browsers refuse passkeys for anything else (WebAuthn, section 5.1.3; HTML, "is a registrable domain suffix of"). */
function rpIdProblem(rpId: string): string | undefined {
  const form = 'must be a domain such as example.com, without scheme, port and path'
  if (!hostName.test(rpId) || rpId !== rpId.toLowerCase() || isIP(rpId) !== 0) {
    return isIP(rpId.replace(/^\[(.*)\]$/, '$1')) === 0
      ? form
      : 'must be a domain: passkeys work for no IP address'
  }
  if (rpId === 'localhost') return undefined
  const { domain } = suffixes().parse(rpId, { allowPrivateDomains: true })
  return domain === null
    ? 'is a public suffix, under which anyone may register: passkeys work for no such domain'
    : undefined
}

/** The hosts that the configuration registers: of the issuer, of apps and of trusted origins. */
function registeredHosts(settings: unknown): readonly string[] {
  const addresses = [
    valueAt(settings, 'issuer'),
    ...listAt(settings, 'trustedOrigins'),
    ...listAt(settings, 'clients').flatMap((client) => listAt(client, 'redirectUris')),
  ]
  return addresses.flatMap((one) =>
    typeof one === 'string' && /^https?:/i.test(one) && URL.canParse(one) ? [new URL(one).hostname] : [],
  )
}

/** Passkeys of a domain that no page belongs to could be made and used nowhere. */
function rpIdOfNoOrigin(settings: unknown): readonly ValueProblem[] {
  const rpId = valueAt(settings, 'webauthn.rpId')
  if (typeof rpId !== 'string' || rpIdProblem(rpId) !== undefined) return []
  const hosts = registeredHosts(settings)
  return hosts.length === 0 || hosts.some((host) => host === rpId || host.endsWith(`.${rpId}`))
    ? []
    : [
        {
          path: 'webauthn.rpId',
          words: `covers none of the registered hosts (${[...new Set(hosts)].slice(0, 5).join(', ')}): it must be one of them or a domain above one`,
        },
      ]
}

function nativeOriginProblem(origin: string): string | undefined {
  return /^(android:apk-key-hash(-sha256)?:[\w-]{27,64}={0,2}|ios:bundle-id:[\w.-]+)$/.test(origin)
    ? undefined
    : 'must be the origin of an app, such as android:apk-key-hash: and the hash of its signing certificate'
}

/** Argon2 needs eight blocks a lane (RFC 9106, section 3.1): with fewer each sign-in would fail. */
function memoryForLanes(settings: unknown): readonly ValueProblem[] {
  const [memory, lanes] = [valueAt(settings, 'password.memoryKiB'), valueAt(settings, 'password.lanes')]
  return typeof memory === 'number' && typeof lanes === 'number' && memory < 8 * lanes
    ? [{ path: 'password.memoryKiB', words: `must be at least 8 for each of the ${lanes} lanes` }]
    : []
}

/** Terms without a version could not be recorded, and without an address not be read. */
function termsTogether(settings: unknown): readonly ValueProblem[] {
  const has = (name: string) => valueAt(settings, `signUp.terms.${name}`) !== undefined
  const missing = (name: string, other: string) => ({
    path: `signUp.terms.${name}`,
    words: `must be set where signUp.terms.${other} is: terms have a version, which is recorded, and an address`,
  })
  if (has('version') === has('url')) {
    return has('label') && !has('url') ? [missing('url', 'label'), missing('version', 'label')] : []
  }
  return has('url') ? [missing('version', 'url')] : [missing('url', 'version')]
}

function termsUrlProblem(url: string): string | undefined {
  return /^https?:\/\/[^/?#\s]/i.test(url) && URL.canParse(url) && !/\s/.test(url) && url.length <= 1024
    ? undefined
    : 'must be the address of a page, such as https://example.com/terms'
}

const domainForm =
  'must be a domain such as example.com, without @, scheme and port; letters of other scripts are allowed'

function blockedDomainProblem(domain: string): string | undefined {
  const ascii = compareKey(`a@${domain}`).slice(2)
  return hostName.test(ascii) && ascii.length <= 253 ? undefined : domainForm
}

function allowedDomainProblem(domain: string): string | undefined {
  return blockedDomainProblem(domain.replace(/^\*\./, '')) === undefined
    ? undefined
    : `${domainForm}, or *.example.com for those below it`
}

/** A domain that is blocked is not allowed: one of the two is a slip. */
function domainsOfBothLists(settings: unknown): readonly ValueProblem[] {
  const blocked = listAt(settings, 'signUp.domains.blocked').map((one) => compareKey(`a@${one}`))
  return listAt(settings, 'signUp.domains.allowed').flatMap((one, index) =>
    blocked.includes(compareKey(`a@${one}`))
      ? [
          {
            path: `signUp.domains.allowed.${index}`,
            words: 'is in signUp.domains.blocked, too, which is stronger',
          },
        ]
      : [],
  )
}

function recoveryPageProblem(page: string): string | undefined {
  const target = page.replace('{token}', 'token')
  return URL.canParse(target) && /^https?:\/\/[^/?#\s]/i.test(target) && !/[#\s]/.test(target)
    ? undefined
    : 'must be an address with {token} in it, such as https://app.example.com/recover/{token}'
}

const redirectForm =
  'must be an absolute address in ASCII without fragment, wildcard and white space, such as https://app.example.com/login/callback'
/** As the management API: a list is no longer, an address of a link no longer. */
const [mostUris, longestUri] = [200, 1024]

function clientProblems(client: Fields): readonly (readonly [string, string])[] {
  const { id, label, secret, emailMagicLinkRedirectUri: link } = client
  const problems: (readonly [string, string])[] = brandProblemsAt(client.brand).map(
    ([field, words]) => [`brand.${field}`, words] as const,
  )
  // The id is part of the address of a magic link.
  if (typeof id === 'string' && id !== '' && !/^[\w.~-]+$/.test(id)) {
    problems.push(['id', 'must be letters, digits, - . _ and ~'])
  }
  if (typeof label === 'string' && label !== '' && lineProblem(label) !== undefined) {
    problems.push(['label', 'must be one line of visible text'])
  }
  // A secret that was read from a file with its line break is never what the app sends.
  if (typeof secret === 'string' && /^\s|\s$|[^ -~]/.test(secret)) {
    problems.push([
      'secret',
      'begins or ends with white space, or contains other characters than printable ASCII',
    ])
  } else if (typeof secret === 'string' && unfilledProblem(secret) !== undefined) {
    problems.push(['secret', unfilledProblem(secret) ?? ''])
  }
  for (const list of ['redirectUris', 'postLogoutRedirectUris']) {
    const uris = listAt(client, list)
    if (uris.length > mostUris) problems.push([list, `must have at most ${mostUris} entries`])
    for (const [index, uri] of uris.entries()) {
      if (typeof uri === 'string' && !isRedirectUri(uri)) problems.push([`${list}.${index}`, redirectForm])
    }
  }
  const grants = listAt(client, 'grantTypes')
  // Without one of the two no user can sign in to the app, which would be noticed by the first of them only.
  if (
    Array.isArray(client.grantTypes) &&
    !grants.includes('authorization_code') &&
    !grants.includes('interaction_code')
  ) {
    problems.push(['grantTypes', 'must have authorization_code or interaction_code'])
  }
  const logout = client.backchannelLogoutUri
  // Whether this machine or a private network is allowed is decided when it is called.
  const unfit = typeof logout === 'string' && outboundUrlProblem(logout, { insecureAddresses: true })
  if (unfit) problems.push(['backchannelLogoutUri', unfit])
  if (typeof link === 'string' && !(isRedirectUri(link) && link.length <= longestUri)) {
    problems.push(['emailMagicLinkRedirectUri', redirectForm])
  }
  return problems
}

/** Of two clients with one id the second would silently replace the first. */
function repeatedIds(settings: unknown): readonly ValueProblem[] {
  const first = new Map<unknown, number>()
  return listAt(settings, 'clients').flatMap((client, index) => {
    if (!isObject(client) || typeof client.id !== 'string') return []
    const owner = first.get(client.id) ?? index
    first.set(client.id, owner)
    return owner === index
      ? []
      : [{ path: `clients.${index}.id`, words: `is the id of clients.${owner} already` }]
  })
}

const personFields = ['login', 'email', 'firstName', 'lastName', 'locale']

/** What the schema has found is not looked at again. */
function brandProblemsAt(brand: unknown): readonly (readonly [string, string])[] {
  if (!isObject(brand)) return []
  const { name, primaryColor, links } = brand
  return [
    ...(typeof name === 'string' && name !== '' && lineProblem(name) !== undefined
      ? [['name', 'must be one line of visible text'] as const]
      : []),
    ...brandProblems({
      ...(typeof primaryColor === 'string' && { primaryColor }),
      ...(isObject(links) && {
        links: Object.fromEntries(Object.entries(links).map(([at, one]) => [at, String(one)])),
      }),
    }),
  ]
}

/** As the management API checks a new user. */
function personProblems(person: Fields): readonly (readonly [string, string])[] {
  const { login, email = login, password } = person
  if (typeof login !== 'string' || typeof email !== 'string') return []
  const profile = Object.fromEntries(
    personFields.flatMap((name) => (typeof person[name] === 'string' ? [[name, person[name]] as const] : [])),
  )
  const problems = new Map<string, string>()
  for (const [field, words] of nameProblems({ login, email })) {
    // Where no email is given, the login is the email.
    const isLogin = field === 'email' && person.email === undefined
    if (!problems.has(isLogin ? 'login' : field)) {
      problems.set(isLogin ? 'login' : field, isLogin ? `${words}, since there is no email` : words)
    }
  }
  for (const problem of profileProblems(schema, { ...profile, email }, { whole: true })) {
    const [, field = '', words = ''] = /^(\w+): (.*)$/s.exec(problem) ?? []
    const isLogin = field === 'email' && person.email === undefined
    if (!isLogin && !problems.has(field) && personFields.includes(field)) problems.set(field, words)
  }
  if (password === '') problems.set('password', 'must not be empty')
  return [...problems]
}

/** Attributes that an administrator has made are known to the database alone. */
const schema = { base: baseAttributes, custom: {}, updatedAt: 0 }

/** A login or email that two of the users have: the second could not be created, or one would get what is the other's (A55). */
function repeatedNames(settings: unknown): readonly ValueProblem[] {
  const owners = new Map<string, number>()
  return listAt(settings, 'people').flatMap((person, index) => {
    if (!isObject(person)) return []
    return ['login', 'email'].flatMap((field) => {
      const name = person[field]
      if (typeof name !== 'string') return []
      const key = compareKey(name)
      const owner = owners.get(key) ?? index
      owners.set(key, owner)
      return owner === index
        ? []
        : [{ path: `people.${index}.${field}`, words: `is a name of people.${owner} already` }]
    })
  })
}

/** The configuration with the values as they are used: origins as browsers send them, the sender's name apart. */
export function inUse(config: Config): Config {
  const sender = parseSender(config.mail.from)
  const { fromName = sender?.name } = config.mail
  return {
    ...config,
    database: { ...config.database, url: config.database.url.trim() },
    mail: {
      ...config.mail,
      ...(sender !== undefined && { from: sender.address }),
      ...(fromName !== undefined && fromName.trim() !== '' && { fromName }),
    },
    trustedOrigins: config.trustedOrigins.map((origin) => originFrom(origin) ?? origin),
  }
}
