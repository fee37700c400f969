// @ts-check
/** The view of users: search, one user with everything about it, and all that an administrator does to it. */
import { byId, confirmed, el, timeOf } from '../ui/dom.js'
import { everything, request } from './api.js'
import { eventItem } from './log.js'
import { blank, button, chip, code, editor, facts, nameOf, pagedList, searchField, wordOf } from './parts.js'

/** @typedef {import('./api.js').Json} Json */
/** @typedef {import('./admin.js').Context} Context */
/** @typedef {import('./admin.js').Place} Place */
/** @typedef {import('./parts.js').Field} Field */

// ---- What can be done to a user. What a text promises is held by test/journeys/admin-promises.test.ts.

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {readonly string[]} on the statuses in which it is offered
 * @property {(who: string) => string} title
 * @property {(mail: string) => string} text
 * @property {string} yes
 * @property {(who: string, mail: string) => string} done
 * @property {(user: Json) => Promise<unknown>} run
 * @property {boolean} [danger]
 * @property {boolean} [removes] the user is gone afterwards
 */

/** @param {Json} user */
const pathOf = ({ id }) => `/users/${encodeURIComponent(id)}`

/**
 * Whether an enrollment can be removed: the password is reset instead, and the mailbox of the primary email goes with the address.
 * @param {Json} user
 * @param {Json} enrollment
 */
const isRemovable = (user, { key, id }) =>
  key !== 'okta_password' && !(key === 'okta_email' && id.slice(3) === user.id.slice(3))

/** @param {string} path */
const lifecycle = (path) => (/** @type {Json} */ user) => request('POST', `${pathOf(user)}/lifecycle/${path}`)

const mayHaveSessions = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT']
const all = [...mayHaveSessions, 'STAGED', 'PROVISIONED', 'SUSPENDED', 'DEPROVISIONED']

/** @type {Readonly<Record<string, Action>>} */
const actions = {
  reset: {
    label: 'Reset password',
    on: [...mayHaveSessions, 'PROVISIONED'],
    title: (who) => `Reset the password of ${who}?`,
    text: (mail) =>
      `The current password becomes invalid, all sessions end, and a link to set a new password is sent to ${mail}.`,
    yes: 'Reset and send email',
    done: (who, mail) => `The password of ${who} was reset; an email is sent to ${mail}.`,
    run: lifecycle('reset_password?sendEmail=true&revokeSessions=true'),
  },
  unlock: {
    label: 'Unlock',
    on: ['LOCKED_OUT'],
    title: (who) => `Unlock ${who}?`,
    text: () => 'The counts of wrong answers are reset, and the account can be used again.',
    yes: 'Unlock',
    done: (who) => `${who} is unlocked.`,
    run: lifecycle('unlock'),
  },
  counts: {
    label: 'Reset wrong answers',
    on: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED'],
    title: (who) => `Reset the wrong answers of ${who}?`,
    text: () =>
      'The counts of wrong passwords and codes are reset, so that the account accepts answers again.',
    yes: 'Reset wrong answers',
    done: (who) => `The counts of wrong answers of ${who} were reset.`,
    run: lifecycle('unlock'),
  },
  sessions: {
    label: 'End sessions',
    on: mayHaveSessions,
    title: (who) => `End the sessions of ${who}?`,
    text: () => 'All sessions end on all devices. The password stays.',
    yes: 'End sessions',
    done: (who) => `The sessions of ${who} have ended.`,
    run: (user) => request('DELETE', `${pathOf(user)}/sessions`),
  },
  factors: {
    label: 'Reset factors',
    on: all,
    title: (who) => `Reset the factors of ${who}?`,
    text: (mail) =>
      `All factors are removed, such as authenticator apps, phones and passkeys. The password stays. The sessions stay. A notice is sent to ${mail}.`,
    yes: 'Reset factors',
    done: (who) => `The factors of ${who} were removed.`,
    run: lifecycle('reset_factors'),
    danger: true,
  },
  suspend: {
    label: 'Suspend',
    on: ['ACTIVE'],
    title: (who) => `Suspend ${who}?`,
    text: () =>
      'All sessions end, and the account cannot sign in until the suspension ends. The password stays.',
    yes: 'Suspend',
    done: (who) => `${who} is suspended.`,
    run: lifecycle('suspend'),
  },
  unsuspend: {
    label: 'End suspension',
    on: ['SUSPENDED'],
    title: (who) => `End the suspension of ${who}?`,
    text: () => 'The account can be used again, with its previous password.',
    yes: 'End suspension',
    done: (who) => `The suspension of ${who} has ended.`,
    run: lifecycle('unsuspend'),
  },
  activate: {
    label: 'Activate',
    on: ['STAGED', 'DEPROVISIONED'],
    title: (who) => `Activate ${who}?`,
    text: (mail) =>
      `The account can be used with its password. If it has none, a link to set one is sent to ${mail}.`,
    yes: 'Activate',
    done: (who) => `${who} is activated.`,
    run: lifecycle('activate?sendEmail=true'),
  },
  reactivate: {
    label: 'Send activation email again',
    on: ['PROVISIONED'],
    title: (who) => `Send the activation email to ${who} again?`,
    text: (mail) => `A new link to set a password is sent to ${mail}. Earlier links become invalid.`,
    yes: 'Send email',
    done: (_, mail) => `An email is sent to ${mail}.`,
    run: lifecycle('reactivate?sendEmail=true'),
  },
  deactivate: {
    label: 'Deactivate',
    on: all.filter((status) => status !== 'DEPROVISIONED'),
    title: (who) => `Deactivate ${who}?`,
    text: () =>
      'All sessions end, and the account can neither sign in nor recover its password. It can be activated again.',
    yes: 'Deactivate',
    done: (who) => `${who} is deactivated.`,
    run: lifecycle('deactivate'),
    danger: true,
  },
  delete: {
    label: 'Delete',
    on: all,
    title: (who) => `Delete ${who}?`,
    text: () =>
      'All sessions end, and the user is deleted with password, authenticators and group memberships. This cannot be undone.',
    yes: 'Delete',
    done: (who) => `${who} was deleted.`,
    // The first request deactivates, the second one deletes, as in Okta.
    run: async (user) => {
      if (user.status !== 'DEPROVISIONED') await request('DELETE', pathOf(user))
      await request('DELETE', pathOf(user))
    },
    danger: true,
    removes: true,
  },
}

/**
 * @param {Json} user
 * @param {string} name
 * @param {Action} action
 * @param {Context} context
 */
async function act(user, name, action, { show, showNotice, onError }) {
  const who = nameOf(user.profile)
  const { email } = user.profile
  const { title, text, yes, danger = false } = action
  if (!(await confirmed({ title: title(who), text: text(email), yes, danger }))) return
  try {
    await action.run(user)
    if (action.removes) history.replaceState(null, '', addressOf())
    await show()
    showNotice(action.done(who, email))
  } catch (error) {
    onError(error)
  }
  const again = document.querySelector(`[data-action="${name}"]`)
  if (again instanceof HTMLElement) again.focus()
  else byId('reader').focus()
}

// ---- The forms.

/** Attributes that every user has, in the order of the form; others follow from the user schema. */
const mainAttributes = ['login', 'email', 'firstName', 'lastName']

/**
 * The fields for a profile, from the user schema.
 * @param {Json} schema
 * @param {Json} profile
 * @returns {readonly Field[]}
 */
function profileFields(schema, profile) {
  const { base, custom } = schema.definitions
  const properties = { ...base?.properties, ...custom?.properties }
  const required = new Set([...(base?.required ?? []), ...(custom?.required ?? [])])
  const known = Object.keys(properties)
  const others = known.filter((name) => !mainAttributes.includes(name))
  const shownOthers = others.filter(
    (name) => name in (custom?.properties ?? {}) || profile[name] || ['mobilePhone', 'locale'].includes(name),
  )
  return [...mainAttributes, ...shownOthers].map((name) => {
    const { title, type, enum: values, maxLength, description } = properties[name] ?? {}
    const value = profile[name]
    /** @type {Field} */
    const common = {
      name,
      label: title ?? name,
      required: required.has(name) || name === 'login' || name === 'email',
      maxlength: maxLength ?? 1000,
      ...(description && { hint: description }),
    }
    if (type === 'boolean') {
      const options = /** @type {const} */ ([
        ['', 'not set'],
        ['true', 'yes'],
        ['false', 'no'],
      ])
      return { ...common, type: 'select', value: String(value ?? ''), options }
    }
    if (values) {
      /** @type {readonly (readonly [string, string])[]} */
      const options = [
        ['', 'not set'],
        ...values.map((/** @type {Json} */ one) => /** @type {const} */ ([String(one), String(one)])),
      ]
      return { ...common, type: 'select', value: String(value ?? ''), options }
    }
    if (type === 'array') {
      return { ...common, value: (value ?? []).join(', '), hint: 'Several values are separated by commas.' }
    }
    return { ...common, value: String(value ?? '') }
  })
}

/**
 * The attributes in a form that differ from a profile. An emptied one is null, which removes it.
 * @param {Json} schema
 * @param {Json} profile
 * @param {FormData} values
 * @returns {Record<string, Json>}
 */
function changedAttributes(schema, profile, values) {
  const properties = { ...schema.definitions.base?.properties, ...schema.definitions.custom?.properties }
  /** @type {Record<string, Json>} */
  const changes = {}
  for (const [name, typed] of values) {
    if (!(name in properties) && !mainAttributes.includes(name)) continue
    const text = String(typed).trim()
    const value = parsed(properties[name]?.type, text)
    if (JSON.stringify(value) !== JSON.stringify(profile[name] ?? null)) changes[name] = value
  }
  return changes
}

/**
 * @param {string | undefined} type
 * @param {string} text
 * @returns {Json}
 */
function parsed(type, text) {
  if (text === '') return null
  if (type === 'boolean') return text === 'true'
  if ((type === 'number' || type === 'integer') && Number.isFinite(Number(text))) return Number(text)
  if (type === 'array')
    return text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean)
  return text
}

const loadSchema = async () => (await request('GET', '/meta/schemas/user/default')).value

/** The groups that users can be put into: not Everyone, which contains all. */
const loadGroups = async () =>
  (await everything('/groups?limit=200')).filter((/** @type {Json} */ group) => group.type !== 'BUILT_IN')

/** @param {Json} group */
const groupOption = (group) => /** @type {const} */ ([String(group.id), String(group.profile.name)])

/** @param {Context} context */
async function createUser({ showNotice, onError }) {
  try {
    const [schema, groups] = await Promise.all([loadSchema(), loadGroups()])
    /** @type {Json} */
    let created
    await editor({
      title: 'New user',
      yes: 'Create user',
      fields: [
        ...profileFields(schema, {}),
        {
          name: 'new-password',
          cause: 'password',
          label: 'Password',
          type: 'password',
          maxlength: 72,
          hint: 'Without a password, a link to set one is sent to the email address.',
        },
        { name: 'must-change', label: 'Require a new password at the first sign-in', type: 'checkbox' },
        ...(groups.length === 0
          ? []
          : [{ name: 'group', label: 'Groups', type: 'checks', options: groups.map(groupOption) }]),
      ],
      async save(values) {
        const given = Object.entries(changedAttributes(schema, {}, values)).filter(
          ([, value]) => value !== null,
        )
        const password = String(values.get('new-password') ?? '')
        const query = password !== '' && values.get('must-change') ? '?nextLogin=changePassword' : ''
        const groupIds = values.getAll('group').map(String)
        const body = {
          profile: Object.fromEntries(given),
          ...(password !== '' && { credentials: { password: { value: password } } }),
          ...(groupIds.length > 0 && { groupIds }),
        }
        created = (await request('POST', `/users${query}`, { body })).value
      },
    })
    if (created === undefined) return
    showNotice(`${nameOf(created.profile)} was created.`)
    location.hash = `#/users/${encodeURIComponent(created.id)}`
  } catch (error) {
    onError(error)
  }
}

/**
 * @param {Json} user
 * @param {Context} context
 */
async function editUser(user, { show, showNotice, onError }) {
  try {
    const schema = await loadSchema()
    const isSaved = await editor({
      title: `Edit ${nameOf(user.profile)}`,
      yes: 'Save',
      fields: profileFields(schema, user.profile),
      save: async (values) => {
        const profile = changedAttributes(schema, user.profile, values)
        if (Object.keys(profile).length > 0) await request('POST', pathOf(user), { body: { profile } })
      },
    })
    if (!isSaved) return
    await show()
    showNotice('The profile was saved.')
  } catch (error) {
    onError(error)
  }
}

/**
 * @param {Json} user
 * @param {readonly Json[]} present
 * @param {Context} context
 */
async function editGroups(user, present, { show, showNotice, onError }) {
  try {
    const groups = await loadGroups()
    const before = new Set(present.map(({ id }) => String(id)))
    const isSaved = await editor({
      title: `Groups of ${nameOf(user.profile)}`,
      ...(groups.length === 0 && { text: 'There are no groups yet: create one under Groups.' }),
      yes: 'Save',
      fields: [
        {
          name: 'group',
          label: 'Member of',
          type: 'checks',
          value: [...before],
          options: groups.map(groupOption),
        },
      ],
      async save(values) {
        const after = new Set(values.getAll('group').map(String))
        for (const { id } of groups) {
          if (before.has(id) === after.has(id)) continue
          const path = `/groups/${encodeURIComponent(id)}/users/${encodeURIComponent(user.id)}`
          await request(after.has(id) ? 'PUT' : 'DELETE', path)
        }
      },
    })
    if (!isSaved) return
    await show()
    showNotice('The groups were saved.')
  } catch (error) {
    onError(error)
  }
}

// ---- The list and one user.

let searchWords = ''
let searchStatus = ''

/** The address of the list, with its search, or of a user. @param {string} [id] */
function addressOf(id) {
  const query = new URLSearchParams()
  if (searchWords) query.set('q', searchWords)
  if (searchStatus) query.set('status', searchStatus)
  return `#/users${id === undefined ? '' : `/${encodeURIComponent(id)}`}${query.size > 0 ? `?${query}` : ''}`
}

/** The query of the API. A status can be searched together with the beginning of a name: each has an index. */
function listQuery() {
  const query = new URLSearchParams({ limit: '25' })
  if (searchStatus) {
    const status = `status eq "${searchStatus}"`
    const text = JSON.stringify(searchWords)
    const names = ['login', 'email', 'firstName', 'lastName'].map((name) => `profile.${name} sw ${text}`)
    query.set('search', searchWords ? `${status} and (${names.join(' or ')})` : status)
  } else if (searchWords) query.set('q', searchWords)
  return `/users?${query}`
}

/** What stands beside the list before a user is open: the keys. */
const nothingOpen = () =>
  el(
    'div',
    { class: 'hollow idle' },
    el('h2', {}, 'Choose a user'),
    el(
      'ul',
      { class: 'shortcuts' },
      [
        ['/', 'search'],
        ['↓', 'next user'],
        ['Enter', 'open'],
      ].map(([key = '', what = '']) => el('li', {}, el('kbd', {}, key), el('span', {}, what))),
    ),
  )

/** @param {Json} user */
const userRow = (user) =>
  el(
    'li',
    { class: 'row', 'data-id': user.id },
    el(
      'a',
      { class: 'row-link', href: addressOf(user.id) },
      el('span', { class: 'row-name' }, nameOf(user.profile)),
      chip(user.status),
      el('span', { class: 'row-more' }, user.profile.login),
    ),
  )

/**
 * @param {Place} place
 * @param {Context} context
 */
export async function users({ id, query }, context) {
  const { signal, showNotice, onError } = context
  searchWords = query.get('q') ?? ''
  const wanted = query.get('status') ?? ''
  searchStatus = all.includes(wanted) ? wanted : ''
  const results = el('div', { class: 'results' })
  const fill = async () => {
    const page = await request('GET', listQuery(), { signal })
    const list = el('ul', { class: 'rows', 'aria-label': 'Users found' })
    const parts = pagedList(list, userRow, page, context)
    const none = searchWords || searchStatus ? 'No users found.' : 'There are no users yet.'
    results.replaceChildren(...(page.value.length === 0 ? [blank(none)] : parts))
    markOpen()
    return page.value.length
  }
  const markOpen = () => {
    for (const row of results.querySelectorAll('.row')) {
      if (!(row instanceof HTMLElement) || row.dataset.id !== id) continue
      row.classList.add('is-open')
      row.querySelector('a')?.setAttribute('aria-current', 'true')
    }
  }
  const searched = async () => {
    history.replaceState(null, '', addressOf(id))
    try {
      const count = await fill()
      showNotice(count === 0 ? 'No users found.' : `${count} found.`)
    } catch (error) {
      onError(error)
    }
  }
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting
  const search = el('input', {
    type: 'search',
    id: 'search',
    value: searchWords,
    placeholder: 'Name, login or email',
    'aria-label': 'Search users by the beginning of a name, login or email',
    maxlength: '100',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      clearTimeout(waiting)
      waiting = setTimeout(() => {
        if (search instanceof HTMLInputElement) searchWords = search.value.trim()
        searched()
      }, 150)
    },
  })
  const status = el(
    'select',
    {
      id: 'status-filter',
      'aria-label': 'Status',
      onchange: () => {
        if (status instanceof HTMLSelectElement) searchStatus = status.value
        searched()
      },
    },
    el('option', { value: '' }, 'All but deactivated'),
    all.map((one) => el('option', { value: one, selected: one === searchStatus }, wordOf(one))),
  )
  const reader = el('section', {
    class: 'reader admin-reader',
    id: 'reader',
    'aria-label': 'User',
    tabindex: '-1',
  })
  // The list and the open user are requested at the same time.
  const [, detail] = await Promise.all([fill(), id === undefined ? undefined : userDetail(id, context)])
  reader.append(...(detail ?? [nothingOpen()]))
  return el(
    'div',
    { class: `panes${id === undefined ? '' : ' is-reading'}`, id: 'panes' },
    el(
      'section',
      { class: 'list-pane', 'aria-label': 'Users' },
      el(
        'div',
        { class: 'list-head' },
        searchField(search),
        button('New user', () => createUser(context), { id: 'new' }),
      ),
      el('div', { class: 'list-filter' }, status),
      results,
    ),
    reader,
  )
}

/**
 * A session, with a button that ends it. Does not ask: the user only has to sign in again.
 * @param {Json} user
 * @param {Json} session
 * @param {Context} context
 */
function sessionItem(user, session, { show, showNotice, onError }) {
  const { id, kind, clientId, clientLabel, createdAt, expiresAt, ipAddress, browser, os, userAgent } = session
  const device = [browser, os].filter(Boolean).join(' on ') || userAgent
  const client = clientLabel ?? clientId
  // It answers every app; which one it began at says nothing of where its user is now.
  const app = kind === 'BROWSER' ? `the browser (first ${client})` : client
  const end = async () => {
    try {
      await request('DELETE', `${pathOf(user)}/sessions/${encodeURIComponent(id)}`)
      await show()
      showNotice(`The session in ${app} has ended.`)
    } catch (error) {
      onError(error)
    }
    byId('reader').focus()
  }
  return el(
    'li',
    { class: 'session' },
    el(
      'div',
      {},
      el('strong', {}, app),
      el('p', { class: 'quiet' }, 'since ', timeOf(createdAt), ', until ', timeOf(expiresAt)),
      (ipAddress || device) && el('p', { class: 'quiet' }, [ipAddress, device].filter(Boolean).join(' · ')),
    ),
    button('End', end, { 'aria-label': `End the session in ${app}` }),
  )
}

/**
 * What a user has of an authenticator, with a button that removes it where it can be removed.
 * @param {Json} user
 * @param {Json} enrollment
 * @param {Context} context
 */
function factorItem(user, enrollment, { show, showNotice, onError }) {
  const { id, name, nickname, profile = {}, created, _embedded = {} } = enrollment
  const { settlesAt, waitingUntil } = _embedded
  const detail = [nickname, profile.phoneNumber ?? profile.email ?? profile.questionText]
    .filter(Boolean)
    .join(' · ')
  const remove = async () => {
    const who = nameOf(user.profile)
    const title = `Remove ${name} of ${who}?`
    const text = `The account cannot be signed in to with it any more. The password stays. The sessions stay. A notice is sent to ${user.profile.email}.`
    if (!(await confirmed({ title, text, yes: 'Remove', danger: true }))) return
    try {
      await request('DELETE', `${pathOf(user)}/authenticator-enrollments/${encodeURIComponent(id)}`)
      await show()
      showNotice(`${name} of ${who} was removed.`)
    } catch (error) {
      onError(error)
    }
    byId('reader').focus()
  }
  const settle = async () => {
    const who = nameOf(user.profile)
    const title = `Have ${name} of ${who} count now?`
    const text =
      'It was added without a proof of an older factor, as a thief of the password could have done. Ask the user first. It can begin a recovery from now on.'
    if (!(await confirmed({ title, text, yes: 'Count now', danger: true }))) return
    try {
      await request(
        'POST',
        `${pathOf(user)}/authenticator-enrollments/${encodeURIComponent(id)}/lifecycle/settle`,
      )
      await show()
      showNotice(`${name} of ${who} counts.`)
    } catch (error) {
      onError(error)
    }
    byId('reader').focus()
  }
  return el(
    'li',
    { class: 'session' },
    el(
      'div',
      {},
      el('strong', {}, name),
      detail && el('p', { class: 'quiet' }, detail),
      el('p', { class: 'quiet' }, 'since ', timeOf(created)),
      settlesAt && el('p', { class: 'quiet' }, 'begins a recovery from ', timeOf(settlesAt)),
      waitingUntil && el('p', { class: 'quiet' }, 'is removed at ', timeOf(waitingUntil)),
    ),
    el(
      'span',
      { class: 'session-actions' },
      settlesAt && button('Count now', settle, { 'aria-label': `Have ${name} count now` }),
      isRemovable(user, enrollment) && button('Remove', remove, { 'aria-label': `Remove ${name}` }),
    ),
  )
}

/**
 * What a user has asked for and what waits, with buttons that stop it or carry it out.
 * @param {Json} user
 * @param {Json} change
 * @param {readonly Json[]} factors
 * @param {Context} context
 */
function changeItem(user, change, factors, { show, showNotice, onError }) {
  const { id, kind, status, dueAt, email, enrollmentId, key } = change
  const factor = factors.find((one) => one.id === enrollmentId)?.name ?? key
  const what =
    kind === 'enrollment.remove'
      ? `Remove ${factor}`
      : `New ${kind === 'email' ? 'primary' : 'secondary'} email`
  const path = `${pathOf(user)}/account-changes/${encodeURIComponent(id)}/lifecycle`
  /** @param {string} action @param {string} done */
  const run = async (action, done) => {
    try {
      await request('POST', `${path}/${action}`)
      await show()
      showNotice(`${what}: ${done}.`)
    } catch (error) {
      onError(error)
    }
    byId('reader').focus()
  }
  const carryOut = async () => {
    const text =
      'Ask the user first: a thief may have asked for it. The notices are sent as if its time had come.'
    if (await confirmed({ title: `${what} now?`, text, yes: 'Carry out now', danger: true }))
      await run('carry_out', 'done')
  }
  return el(
    'li',
    { class: 'session' },
    el(
      'div',
      {},
      el('strong', {}, what),
      email && el('p', { class: 'quiet' }, email),
      el(
        'p',
        { class: 'quiet' },
        status === 'WAITING' ? ['carried out at ', timeOf(dueAt)] : 'waits for its code',
      ),
    ),
    el(
      'span',
      { class: 'session-actions' },
      button('Stop', () => run('stop', 'stopped'), { 'aria-label': `Stop: ${what}` }),
      status === 'WAITING' && button('Do it now', carryOut, { 'aria-label': `Now: ${what}` }),
    ),
  )
}

/**
 * @param {string} id
 * @param {Context} context
 */
async function userDetail(id, context) {
  const { signal } = context
  const path = `/users/${encodeURIComponent(id)}`
  const since = new Date(Date.now() - 90 * 86_400_000).toISOString()
  const { value: user } = await request('GET', path, { signal })
  const filter = encodeURIComponent(`target.id eq "${user.id}" or actor.id eq "${user.id}"`)
  const [groups, sessions, factors, changes, events] = await Promise.all([
    everything(`${path}/groups`, signal),
    everything(`${path}/sessions`, signal, 100),
    everything(`${path}/authenticator-enrollments`, signal, 100),
    everything(`${path}/account-changes`, signal, 100),
    request('GET', `/logs?since=${since}&sortOrder=DESCENDING&limit=10&filter=${filter}`, { signal }),
  ])
  const { profile, status } = user
  const others = Object.entries(profile).filter(
    ([name, value]) => value !== null && !mainAttributes.includes(name),
  )
  const offered = Object.entries(actions).filter(
    ([name, { on }]) =>
      on.includes(status) && (name !== 'factors' || factors.some((one) => isRemovable(user, one))),
  )
  return [
    el('a', { class: 'back', href: addressOf() }, '← Users'),
    el('header', { class: 'user' }, el('h2', {}, nameOf(profile)), chip(status)),
    el(
      'div',
      { class: 'actions' },
      button('Edit', () => editUser(user, context), { 'data-action': 'edit' }),
      button('Groups', () => editGroups(user, groups, context), { 'data-action': 'groups' }),
      offered.map(([name, action]) =>
        button(action.label, () => act(user, name, action, context), {
          'data-action': name,
          ...(action.removes && { class: 'danger' }),
        }),
      ),
    ),
    facts([
      ['Username', profile.login],
      ['Primary email', profile.email],
      ...others.map(
        ([name, value]) =>
          /** @type {const} */ ([name, Array.isArray(value) ? value.join(', ') : String(value)]),
      ),
      ['Groups', groups.map((group) => group.profile.name).join(', ')],
      ['Last sign-in', timeOf(user.lastLogin)],
      ['Password changed', timeOf(user.passwordChanged)],
      ['Status changed', timeOf(user.statusChanged)],
      ['Created', timeOf(user.created)],
      ['Id', code(user.id)],
    ]),
    el('h3', {}, 'Factors'),
    factors.length === 0
      ? blank('There are no factors.')
      : el(
          'ul',
          { class: 'sessions', 'aria-label': 'Factors' },
          factors.map((factor) => factorItem(user, factor, context)),
        ),
    ...(changes.length === 0
      ? []
      : [
          el('h3', {}, 'Changes that wait'),
          el(
            'ul',
            { class: 'sessions', 'aria-label': 'Changes that wait' },
            changes.map((change) => changeItem(user, change, factors, context)),
          ),
        ]),
    el('h3', {}, 'Sessions'),
    sessions.length === 0
      ? blank('There are no sessions.')
      : el(
          'ul',
          { class: 'sessions', 'aria-label': 'Sessions' },
          sessions.map((session) => sessionItem(user, session, context)),
        ),
    el('h3', {}, 'Recent events'),
    events.value.length === 0
      ? blank('No events in the last 90 days.')
      : el('ol', { class: 'events' }, events.value.map(eventItem)),
  ]
}
