// @ts-check
/** The policies and their rules in words, as JSON for what the words leave out. Sign-up is opened and closed here. */
import { confirmed, el } from '../ui/dom.js'
import { everything, request } from './api.js'
import { button, chip, facts } from './parts.js'

/** @typedef {import('./api.js').Json} Json */
/** @typedef {readonly (readonly [string, string])[]} Facts */

const policyTypes = {
  PASSWORD: 'Password and recovery',
  OKTA_SIGN_ON: 'Sign-on',
  ACCESS_POLICY: 'Access to apps',
  MFA_ENROLL: 'Enrollment of authenticators',
  PROFILE_ENROLLMENT: 'Enrollment of profiles',
}

/** @type {Readonly<Record<string, string>>} */
const words = {
  email: 'email',
  okta_email: 'email',
  okta_password: 'password',
  password: 'password',
  google_otp: 'authenticator app',
  security_question: 'security question',
  otp: 'one-time code',
  sms: 'text message',
  voice: 'voice call',
  ALLOW: 'allowed',
  DENY: 'denied',
  REQUIRED: 'required',
  OPTIONAL: 'optional',
  NOT_ALLOWED: 'not offered',
}
/** @param {string} word */
const inWords = (word) => words[word] ?? word.toLowerCase().replaceAll('_', ' ')

/** @param {number} count @param {string} noun */
const number = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** @param {readonly string[]} items @param {string} [last] */
const listed = (items, last = 'and') =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${last} ${items.at(-1)}`

/** @type {Readonly<Record<string, string>>} */
const attributes = { firstName: 'first name', lastName: 'last name' }

/**
 * The settings of a policy.
 * @param {Json} settings
 * @returns {Facts}
 */
function settingsOf(settings) {
  const { complexity, age, lockout } = settings?.password ?? {}
  /** @type {(readonly [string, string])[]} */
  const found = []
  if (complexity) {
    const classes = /** @type {const} */ ([
      [complexity.minLowerCase, 'lowercase letter'],
      [complexity.minUpperCase, 'uppercase letter'],
      [complexity.minNumber, 'digit'],
      [complexity.minSymbol, 'symbol'],
    ])
    const asked = classes.filter(([count]) => count > 0).map(([count, noun]) => number(count, noun))
    const refused = [
      ...(complexity.excludeUsername ? ['parts of the username'] : []),
      ...(complexity.excludeAttributes ?? []).map(
        (/** @type {string} */ name) => `the ${attributes[name] ?? name}`,
      ),
      ...(complexity.dictionary?.common?.exclude ? ['common passwords'] : []),
    ]
    found.push(['Length', `at least ${number(complexity.minLength ?? 0, 'character')}`])
    if (asked.length > 0) found.push(['Contains', `at least ${listed(asked)}`])
    if (refused.length > 0) found.push(['Must not contain', listed(refused, 'or')])
  }
  if (age) {
    found.push(['Expires', age.maxAgeDays > 0 ? `after ${number(age.maxAgeDays, 'day')}` : 'never'])
    if (age.minAgeMinutes > 0)
      found.push(['May be changed again', `after ${number(age.minAgeMinutes, 'minute')}`])
    if (age.historyCount > 0)
      found.push(['Must differ from', `the last ${number(age.historyCount, 'password')}`])
  }
  if (lockout) {
    const { maxAttempts, autoUnlockMinutes } = lockout
    const unlock =
      autoUnlockMinutes > 0 ? `, for ${number(autoUnlockMinutes, 'minute')}` : ', until it is unlocked'
    found.push([
      'Locks the account',
      maxAttempts > 0 ? `after ${number(maxAttempts, 'wrong password')}${unlock}` : 'never',
    ])
  }
  for (const { key, enroll } of settings?.authenticators ?? []) {
    found.push([inWords(key), inWords(enroll?.self ?? 'NOT_ALLOWED')])
  }
  return found
}

/**
 * What a rule does.
 * @param {Json} rule
 * @returns {Facts}
 */
function actionsOf({ actions = {} }) {
  /** @type {(readonly [string, string])[]} */
  const found = []
  const { selfServicePasswordReset, selfServiceUnlock, passwordChange, signon, appSignOn, enroll } = actions
  if (actions.profileEnrollment) found.push(...signUpOf(actions.profileEnrollment))
  if (selfServicePasswordReset) {
    const { access, requirement } = selfServicePasswordReset
    const methods = requirement?.primary?.methods ?? []
    const by = access === 'ALLOW' && methods.length > 0 ? ` by ${listed(methods.map(inWords), 'or')}` : ''
    const more = requirement?.stepUp?.required ? ', and another authenticator' : ''
    found.push(['Password recovery', `${inWords(access ?? 'ALLOW')}${by}${access === 'ALLOW' ? more : ''}`])
  }
  if (selfServiceUnlock) found.push(['Unlock by recovery', inWords(selfServiceUnlock.access)])
  if (passwordChange) found.push(['Change of the password', inWords(passwordChange.access)])
  if (signon) {
    const first =
      signon.primaryFactor === 'PASSWORD_IDP' ? 'with the password first' : 'with any authenticator first'
    found.push(['Sign-in', signon.access === 'DENY' ? 'denied' : `${inWords(signon.access)}, ${first}`])
    if (signon.requireFactor) found.push(['Second factor', 'required'])
  }
  if (appSignOn) {
    const { access, verificationMethod } = appSignOn
    found.push(['Access', inWords(access)])
    if (access !== 'DENY' && verificationMethod) {
      const { factorMode, constraints = [], reauthenticateIn } = verificationMethod
      found.push(['Factors', factorMode === '2FA' ? 'two of different kinds' : 'one'])
      for (const constraint of constraints) found.push(['Requires', constraintOf(constraint)])
      if (reauthenticateIn) found.push(['Asks again after', String(reauthenticateIn)])
    }
  }
  if (enroll)
    found.push(['Enrollment', enroll.self === 'LOGIN' ? 'at the next sign-in' : inWords(enroll.self)])
  return found
}

/** @param {Json} action */
const isOpen = ({ access, unknownUserAction }) => access === 'ALLOW' && unknownUserAction === 'REGISTER'

/**
 * What a profile enrollment policy says of sign-up.
 * @param {Json} action
 * @returns {Facts}
 */
function signUpOf(action) {
  const { profileAttributes, activationRequirements, enrollAuthenticatorTypes, progressiveProfilingAction } =
    action
  const fields = (profileAttributes ?? []).map((/** @type {Json} */ { label, name, required }) =>
    required ? (label ?? name) : `${label ?? name} (optional)`,
  )
  return [
    ['Sign-up', isOpen(action) ? 'open' : 'closed'],
    ['The form asks for', listed(fields)],
    ['Password', enrollAuthenticatorTypes?.length > 0 ? 'in the form' : 'behind the form'],
    [
      'Email',
      activationRequirements?.emailVerification === false
        ? 'not verified: the form says that an address is taken'
        : 'verified',
    ],
    [
      'Missing attributes',
      progressiveProfilingAction === 'ENABLED' ? 'asked for at a sign-in' : 'not asked for',
    ],
  ]
}

/**
 * The button that opens or closes sign-up by a rule.
 * @param {Json} policy
 * @param {Json} rule
 * @param {import('./admin.js').Context} context
 */
function signUpButton({ id, name }, rule, { show, showNotice, onError }) {
  const action = rule.actions?.profileEnrollment
  if (action === undefined) return false
  const open = isOpen(action)
  const text = open ? 'Close sign-up' : 'Open sign-up'
  const change = async () => {
    const question = open
      ? 'Visitors of its apps can make no accounts any more.'
      : 'Anyone can make an account at the apps of this policy.'
    if (!(await confirmed({ title: `${text}: ${name}?`, text: question, yes: text, danger: !open }))) return
    const profileEnrollment = open
      ? { ...action, unknownUserAction: 'DENY' }
      : { ...action, access: 'ALLOW', unknownUserAction: 'REGISTER' }
    const path = `/policies/${encodeURIComponent(id)}/rules/${encodeURIComponent(rule.id)}`
    try {
      await request('PUT', path, { body: { ...rule, actions: { ...rule.actions, profileEnrollment } } })
      await show()
      showNotice(`Sign-up by the policy ${name} is ${open ? 'closed' : 'open'}.`)
    } catch (error) {
      onError(error)
    }
  }
  return el('p', {}, button(text, change, { 'aria-label': `${text}: ${name}` }))
}

/** @param {Json} constraint */
const constraintOf = (constraint) =>
  Object.entries(constraint)
    .map(([factor, wanted]) => {
      const { methods, types, ...others } = /** @type {Json} */ (wanted)
      const named = [...(methods ?? []), ...(types ?? [])].map(inWords)
      const traits = Object.entries(others)
        .filter(([, value]) => value === 'REQUIRED')
        .map(([name]) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
      const more = [...named, ...traits]
      return more.length > 0 ? `${factor} (${more.join(', ')})` : factor
    })
    .join(' and ')

/**
 * Which users a policy or a rule is about.
 * @param {Json} conditions
 * @param {ReadonlyMap<string, string>} groupNames
 */
function peopleOf(conditions, groupNames) {
  const { groups, users } = conditions?.people ?? {}
  /** @param {readonly string[]} [ids] */
  const named = (ids = []) => ids.map((id) => groupNames.get(id) ?? id)
  const parts = [
    ...named(groups?.include),
    ...(users?.include?.length > 0 ? [number(users.include.length, 'user')] : []),
  ]
  const except = [
    ...named(groups?.exclude),
    ...(users?.exclude?.length > 0 ? [number(users.exclude.length, 'user')] : []),
  ]
  if (parts.length === 0 && except.length === 0) return ''
  return `${listed(parts) || 'all'}${except.length > 0 ? `, except ${listed(except)}` : ''}`
}

/** @param {string} title @param {Json} value */
const json = (title, value) =>
  el(
    'details',
    {},
    el('summary', {}, title),
    el('pre', { tabindex: '0', role: 'region', 'aria-label': title }, JSON.stringify(value, null, 2)),
  )

/**
 * @param {import('./admin.js').Place} _
 * @param {import('./admin.js').Context} context
 */
export async function policies(_, context) {
  const { signal } = context
  const groups = await everything('/groups?limit=200', signal)
  /** @type {ReadonlyMap<string, string>} */
  const groupNames = new Map(groups.map(({ id, profile }) => [String(id), String(profile.name)]))
  /** @param {Json} policy */
  const appsOf = async ({ id }) => {
    const apps = await everything(`/policies/${encodeURIComponent(id)}/app`, signal)
    return apps.map(({ label }) => String(label)).join(', ') || 'none'
  }
  /** @param {Json} policy */
  const card = async (policy) => {
    const path = `/policies/${encodeURIComponent(policy.id)}/rules`
    const { value: rules } = await request('GET', path, { signal })
    return el(
      'li',
      { class: 'card' },
      el('header', {}, el('h4', {}, policy.name), chip(policy.status)),
      policy.description && el('p', { class: 'quiet' }, policy.description),
      facts([
        ['Applies to', peopleOf(policy.conditions, groupNames)],
        ['Apps', policy.type === 'PROFILE_ENROLLMENT' ? await appsOf(policy) : ''],
        ...settingsOf(policy.settings),
      ]),
      rules.map((/** @type {Json} */ rule) => [
        el('h5', {}, `Rule: ${rule.name}`, rule.status === 'ACTIVE' ? false : ' (inactive)'),
        facts([['For', peopleOf(rule.conditions, groupNames)], ...actionsOf(rule)]),
        policy.type === 'PROFILE_ENROLLMENT' && signUpButton(policy, rule, context),
      ]),
      json(`${policy.name} as JSON`, { ...policy, _links: undefined, rules }),
    )
  }
  const sections = await Promise.all(
    Object.entries(policyTypes).map(async ([type, title]) => {
      const { value } = await request('GET', `/policies?type=${type}`, { signal })
      const cards = await Promise.all(value.map(card))
      return cards.length === 0 ? [] : [el('h3', {}, title), el('ol', { class: 'cards' }, cards)]
    }),
  )
  return el(
    'section',
    { class: 'page', 'aria-label': 'Policies' },
    el('h2', {}, 'Policies'),
    el(
      'p',
      { class: 'quiet' },
      'Of each policy type, the first policy whose groups include the user applies; of its rules, the first that matches.',
    ),
    sections,
  )
}
