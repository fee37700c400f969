/**
 * The admin page. All values are shown as text nodes: names, emails and log fields are untrusted input. The fragment of the
 * address determines the view, so that back, reload and new tabs work.
 */
const byId = (id) => document.getElementById(id)
const main = byId('main')
const api = document.body.dataset.api
const storageKey = 'rekey.token'

// ---- The token: stored for this tab only.

/**
 * Takes a token from the address, which the page of `rekey dev` links to. Only on localhost: otherwise a link could sign a
 * user in with a token of the attacker.
 */
function tokenFromAddress() {
  const [, token] = /^#token=([\w-]+)$/.exec(location.hash) ?? []
  if (token === undefined) return
  history.replaceState(null, '', '#/users')
  if (['localhost', '127.0.0.1', '[::1]'].includes(location.hostname))
    sessionStorage.setItem(storageKey, token)
}

const token = () => sessionStorage.getItem(storageKey)

function lock(why = '') {
  sessionStorage.removeItem(storageKey)
  document.body.classList.add('is-locked')
  main.replaceChildren()
  showError(why)
  byId('token').value = ''
  byId('token').focus()
}

// ---- API requests.

class ApiError extends Error {
  constructor(status, { errorCode = '', errorSummary = '', errorCauses = [] } = {}) {
    super([errorSummary, ...errorCauses.map((cause) => cause.errorSummary)].join(' '))
    this.status = status
    this.code = errorCode
  }
}

async function request(method, path, { body, signal } = {}) {
  const response = await fetch(path.startsWith('/') ? api + path : path, {
    method,
    signal,
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    headers: {
      authorization: `SSWS ${token()}`,
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const value = text === '' ? {} : JSON.parse(text)
  if (!response.ok) {
    const error = new ApiError(response.status, value)
    error.resetAt = Number(response.headers.get('x-rate-limit-reset'))
    throw error
  }
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
  // Relative to the address of this page, which may differ from the engine's public address.
  return { value, next: next && api + next.slice(next.indexOf('/api/v1') + '/api/v1'.length) }
}

/** The message for an error. */
function messageOf(error) {
  if (!(error instanceof ApiError)) return 'The engine does not respond. Is it running?'
  if (error.code === 'E0000006') {
    return 'This token does not have permission to do that: the role users or all is required. Nothing was changed.'
  }
  if (error.code === 'E0000032') return 'There is nothing to unlock: the account is not locked.'
  if (error.status === 429) {
    const seconds = Math.max(1, Math.ceil(error.resetAt - Date.now() / 1000))
    return `Too many requests. Try again in ${Number.isFinite(seconds) ? seconds : 60} seconds.`
  }
  return error.message || `The engine responded with status ${error.status}.`
}

function showNotice(message) {
  byId('error').textContent = ''
  byId('notice').textContent = message
}
function showError(message) {
  byId('notice').textContent = ''
  byId('error').textContent = message
}

function onError(error) {
  if (error.name === 'AbortError') return
  if (error instanceof ApiError && error.status === 401) lock('This token is invalid or was revoked.')
  else showError(messageOf(error))
}

// ---- Elements. Text is never parsed as markup.

function el(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'onclick' || key === 'oninput' || key === 'onkeydown')
      element.addEventListener(key.slice(2), value)
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : value)
  }
  element.append(
    ...children
      .flat(Number.POSITIVE_INFINITY)
      .filter((child) => child !== undefined && child !== null && child !== false),
  )
  return element
}

function time(iso, style = { dateStyle: 'medium', timeStyle: 'short' }) {
  if (!iso) return 'never'
  return el('time', { datetime: iso, title: iso }, new Date(iso).toLocaleString(undefined, style))
}

const tones = {
  ACTIVE: 'good',
  SUCCESS: 'good',
  ALLOW: 'good',
  STAGED: 'waiting',
  PROVISIONED: 'waiting',
  RECOVERY: 'waiting',
  PASSWORD_EXPIRED: 'waiting',
  SKIPPED: 'waiting',
  LOCKED_OUT: 'bad',
  SUSPENDED: 'bad',
  FAILURE: 'bad',
  DENY: 'bad',
}
const chip = (word) =>
  el('span', { class: `chip is-${tones[word] ?? 'quiet'}` }, String(word).toLowerCase().replaceAll('_', ' '))

const nameOf = ({ firstName, lastName, login }) =>
  [firstName, lastName].filter(Boolean).join(' ') || login || '…'
const facts = (pairs) =>
  el(
    'dl',
    { class: 'facts' },
    pairs
      .filter(([, value]) => value)
      .map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
  )
const blank = (message) => el('p', { class: 'blank' }, message)

/** A list with a button that loads the next page. */
function pagedList(list, itemOf, { value, next }, signal) {
  const more = el('button', { type: 'button', class: 'more' }, 'Show more')
  const add = (page) => {
    list.append(...page.value.map(itemOf))
    more.hidden = !page.next || page.value.length === 0
    address = page.next
  }
  let address
  add({ value, next })
  more.addEventListener('click', async () => {
    const at = list.children.length
    try {
      add(await request('GET', address, { signal }))
      list.children[at]?.querySelector('a, summary')?.focus()
    } catch (error) {
      onError(error)
    }
  })
  return [list, more]
}

// ---- Users.

const actions = {
  reset: {
    label: 'Reset password',
    path: 'reset_password?sendEmail=true',
    on: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'PROVISIONED'],
    title: (who) => `Reset the password of ${who}?`,
    text: (mail) =>
      `The current password becomes invalid, all sessions end, and a link to set a new password is sent to ${mail}.`,
    yes: 'Reset and send email',
    done: (who, mail) => `The password of ${who} was reset; an email is sent to ${mail}.`,
  },
  unlock: {
    label: 'Unlock',
    path: 'unlock',
    on: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT'],
    title: (who) => `Unlock ${who}?`,
    text: () => 'The counts of wrong answers are reset, and the account can be used again.',
    yes: 'Unlock',
    done: (who) => `${who} is unlocked.`,
  },
  suspend: {
    label: 'Suspend',
    path: 'suspend',
    on: ['ACTIVE'],
    title: (who) => `Suspend ${who}?`,
    text: () =>
      'All sessions end, and the account cannot sign in until the suspension ends. The password stays.',
    yes: 'Suspend',
    done: (who) => `${who} is suspended.`,
  },
  unsuspend: {
    label: 'End suspension',
    path: 'unsuspend',
    on: ['SUSPENDED'],
    title: (who) => `End the suspension of ${who}?`,
    text: () => 'The account can be used again, with its previous password.',
    yes: 'End suspension',
    done: (who) => `The suspension of ${who} has ended.`,
  },
}

function confirmed({ title, text, yes }, who, mail) {
  const dialog = byId('confirm')
  byId('confirm-title').textContent = title(who)
  byId('confirm-text').textContent = text(mail)
  byId('confirm-yes').textContent = yes
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    const onClose = () => {
      // The event of the time before comes late where the dialog is opened again at once: this time it is still open.
      if (dialog.open) return
      dialog.removeEventListener('close', onClose)
      resolve(dialog.returnValue === 'yes')
    }
    dialog.addEventListener('close', onClose)
  })
}

async function act(user, name) {
  const action = actions[name]
  const who = nameOf(user.profile)
  const { email } = user.profile
  if (!(await confirmed(action, who, email))) return
  try {
    await request('POST', `/users/${encodeURIComponent(user.id)}/lifecycle/${action.path}`)
    await show()
    showNotice(action.done(who, email))
  } catch (error) {
    onError(error)
  }
  main.querySelector(`[data-action="${name}"]`)?.focus()
}

const userRow = (user) =>
  el(
    'li',
    {},
    el(
      'a',
      {
        class: 'row',
        href: `#/users/${encodeURIComponent(user.id)}${searchWords ? `?q=${encodeURIComponent(searchWords)}` : ''}`,
        'data-id': user.id,
      },
      el('span', { class: 'row-name' }, nameOf(user.profile)),
      chip(user.status),
      el('span', { class: 'row-more' }, user.profile.login),
    ),
  )

let searchWords = ''

async function users({ id, query }, signal) {
  searchWords = query.get('q') ?? ''
  const found = (words) =>
    request('GET', `/users?limit=25${words ? `&q=${encodeURIComponent(words)}` : ''}`, { signal })
  const results = el('div', { class: 'results' })
  const fill = async (words) => {
    const page = await found(words)
    const list = el('ul', { class: 'rows', 'aria-label': 'Users found' })
    const parts = pagedList(list, userRow, page, signal)
    results.replaceChildren(
      ...(page.value.length === 0 ? [blank(words ? 'No users found.' : 'There are no users yet.')] : parts),
    )
    mark(id)
    return page.value.length
  }
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
      waiting = setTimeout(async () => {
        searchWords = search.value.trim()
        history.replaceState(null, '', `#/users${searchWords ? `?q=${encodeURIComponent(searchWords)}` : ''}`)
        try {
          const count = await fill(searchWords)
          showNotice(count === 0 ? 'No users found.' : `${count} found.`)
        } catch (error) {
          onError(error)
        }
      }, 150)
    },
  })
  const reader = el('section', { class: 'reader', id: 'reader', 'aria-label': 'User', tabindex: '-1' })
  // The list and the open user are requested at the same time.
  const [, detail] = await Promise.all([
    fill(searchWords),
    id === undefined ? undefined : userDetail(id, signal),
  ])
  reader.append(...(detail ?? [blank('Select a user, or press / to search.')]))
  mark(id)
  return el(
    'div',
    { class: `panes${id === undefined ? '' : ' is-reading'}` },
    el(
      'section',
      { class: 'list', 'aria-label': 'Users' },
      el('div', { class: 'search' }, search, el('kbd', { 'aria-hidden': 'true' }, '/')),
      results,
    ),
    reader,
  )
  function mark(open) {
    for (const row of results.querySelectorAll('.row')) {
      if (row.dataset.id === open) row.setAttribute('aria-current', 'true')
    }
  }
}

async function userDetail(id, signal) {
  const path = `/users/${encodeURIComponent(id)}`
  const since = new Date(Date.now() - 90 * 86_400_000).toISOString()
  const { value: user } = await request('GET', path, { signal })
  const filter = encodeURIComponent(`target.id eq "${user.id}" or actor.id eq "${user.id}"`)
  const [groups, events] = await Promise.all([
    request('GET', `${path}/groups`, { signal }),
    request('GET', `/logs?since=${since}&sortOrder=DESCENDING&limit=10&filter=${filter}`, { signal }),
  ])
  const { profile, status } = user
  const buttons = Object.entries(actions)
    .filter(([, { on }]) => on.includes(status))
    .map(([name, { label }]) =>
      el('button', { type: 'button', 'data-action': name, onclick: () => act(user, name) }, label),
    )
  return [
    el(
      'a',
      { class: 'back', href: `#/users${searchWords ? `?q=${encodeURIComponent(searchWords)}` : ''}` },
      '← Users',
    ),
    el('header', { class: 'user' }, el('h2', {}, nameOf(profile)), chip(status)),
    el('div', { class: 'actions' }, buttons),
    facts([
      ['Login', profile.login],
      ['Email', profile.email],
      ['Groups', groups.value.map((group) => group.profile.name).join(', ')],
      ['Last sign-in', time(user.lastLogin)],
      ['Password changed', time(user.passwordChanged)],
      ['Created', time(user.created)],
      ['Id', el('code', {}, user.id)],
    ]),
    el('h3', {}, 'Recent events'),
    events.value.length === 0
      ? blank('No events in the last 90 days.')
      : el('ol', { class: 'events' }, events.value.map(eventItem)),
  ]
}

// ---- The log.

const partyOf = (party) => party?.alternateId || party?.displayName || party?.id || ''

function eventItem(event) {
  const { outcome, client, debugContext, target } = event
  const more = [
    ['Type', el('code', {}, event.eventType)],
    ['Actor', [partyOf(event.actor), event.actor?.type].filter(Boolean).join(' · ')],
    ['Targets', (target ?? []).map((one) => [partyOf(one), one.type].filter(Boolean).join(' · ')).join(', ')],
    ['Reason', outcome?.reason],
    ['Address', client?.ipAddress],
    ['Browser', client?.userAgent?.rawUserAgent],
    ...Object.entries(debugContext?.debugData ?? {}).map(([name, value]) => [name, String(value)]),
    ['Id', el('code', {}, event.uuid)],
  ]
  return el(
    'li',
    {},
    el(
      'details',
      { class: 'event' },
      el(
        'summary',
        {},
        el('span', { class: 'event-what' }, event.displayMessage || event.eventType),
        chip(outcome?.result ?? 'UNKNOWN'),
        el('span', { class: 'event-who' }, partyOf(event.actor)),
        time(event.published),
      ),
      facts(more),
    ),
  )
}

async function log({ query }, signal) {
  const words = query.get('q') ?? ''
  const list = el('ol', { class: 'events' })
  const page = await request(
    'GET',
    `/logs?sortOrder=DESCENDING&limit=50${words ? `&q=${encodeURIComponent(words)}` : ''}`,
    { signal },
  )
  const search = el('input', {
    type: 'search',
    id: 'search',
    value: words,
    placeholder: 'Search events',
    'aria-label': 'Search the events of the last seven days',
    maxlength: '100',
    onkeydown: (event) => {
      if (event.key === 'Enter')
        location.hash = search.value.trim() ? `#/log?q=${encodeURIComponent(search.value.trim())}` : '#/log'
    },
  })
  return el(
    'section',
    { class: 'page', 'aria-label': 'Log' },
    el('h2', {}, 'System log'),
    el('p', { class: 'quiet' }, 'Events of the last seven days, newest first.'),
    el('div', { class: 'search' }, search, el('kbd', { 'aria-hidden': 'true' }, '/')),
    page.value.length === 0 ? blank('No events found.') : pagedList(list, eventItem, page, signal),
  )
}

// ---- Apps and policies, read-only.

async function apps(_, signal) {
  const list = el('ul', { class: 'cards' })
  const item = (app) => {
    const { oauthClient } = app.settings
    return el(
      'li',
      { class: 'card' },
      el('header', {}, el('h3', {}, app.label), chip(app.status)),
      facts(
        [
          ['Client id', el('code', {}, app.id)],
          ['Type', oauthClient.application_type],
          ['Grants', (oauthClient.grant_types ?? []).join(', ')],
          [
            'Redirect URIs',
            (oauthClient.redirect_uris ?? []).map((uri) => el('code', { class: 'line' }, uri)),
          ],
          [
            'After sign-out',
            (oauthClient.post_logout_redirect_uris ?? []).map((uri) => el('code', { class: 'line' }, uri)),
          ],
        ].filter(([, value]) => value !== '' && value?.length !== 0),
      ),
    )
  }
  const page = await request('GET', '/apps?limit=50', { signal })
  return el(
    'section',
    { class: 'page', 'aria-label': 'Apps' },
    el('h2', {}, 'Apps'),
    page.value.length === 0 ? blank('There are no apps yet.') : pagedList(list, item, page, signal),
  )
}

const policyTypes = {
  PASSWORD: 'Password and recovery',
  OKTA_SIGN_ON: 'Sign-on',
  ACCESS_POLICY: 'Access to apps',
  MFA_ENROLL: 'Enrollment of authenticators',
  PROFILE_ENROLLMENT: 'Enrollment of profiles',
}

async function policies(_, signal) {
  const sections = await Promise.all(
    Object.entries(policyTypes).map(async ([type, title]) => {
      const { value } = await request('GET', `/policies?type=${type}`, { signal })
      const items = await Promise.all(value.map((policy) => policyCard(policy, signal)))
      return items.length === 0 ? [] : [el('h3', {}, title), el('ol', { class: 'cards' }, items)]
    }),
  )
  return el(
    'section',
    { class: 'page', 'aria-label': 'Policies' },
    el('h2', {}, 'Policies'),
    el(
      'p',
      { class: 'quiet' },
      'Of each policy type, the first policy whose groups include the user applies.',
    ),
    sections,
  )
}

async function policyCard(policy, signal) {
  const { value: rules } = await request('GET', `/policies/${encodeURIComponent(policy.id)}/rules`, {
    signal,
  })
  const json = (body) => el('pre', {}, JSON.stringify(body, null, 2))
  return el(
    'li',
    { class: 'card' },
    el('header', {}, el('h4', {}, policy.name), chip(policy.status)),
    policy.settings && el('details', {}, el('summary', {}, 'Settings'), json(policy.settings)),
    rules.map((rule) =>
      el(
        'details',
        {},
        el('summary', {}, `Rule: ${rule.name}`),
        json({ conditions: rule.conditions, actions: rule.actions }),
      ),
    ),
  )
}

// ---- Views.

const views = { users, apps, policies, log }
let loading = new AbortController()

async function show() {
  loading.abort()
  loading = new AbortController()
  const { signal } = loading
  const [, name = 'users', id, words] = /^#\/(\w+)(?:\/([^?]+))?(?:\?(.*))?$/.exec(location.hash) ?? []
  const view = views[name] ? name : 'users'
  const isSearching = document.activeElement?.id === 'search'
  try {
    const place = { id: id && decodeURIComponent(id), query: new URLSearchParams(words) }
    const content = await views[view](place, signal)
    if (signal.aborted) return
    document.body.classList.remove('is-locked')
    main.replaceChildren(content)
    for (const tab of document.querySelectorAll('.tab')) {
      if (tab.dataset.view === view) tab.setAttribute('aria-current', 'page')
      else tab.removeAttribute('aria-current')
    }
    document.title = `${byId('reader')?.querySelector('h2')?.textContent ?? view[0].toUpperCase() + view.slice(1)} · Rekey admin`
    if (isSearching) byId('search')?.focus()
    else if (place.id !== undefined) byId('reader')?.focus({ preventScroll: true })
  } catch (error) {
    if (!signal.aborted) onError(error)
  }
}

const start = () => {
  if (token() === null) lock()
  else show()
}

byId('entry').addEventListener('submit', (event) => {
  event.preventDefault()
  const typed = byId('token').value.trim()
  // Other characters cannot be sent in a header.
  if (!/^[\w.-]{1,200}$/.test(typed))
    return showError('This is not an API token: tokens consist of letters, digits, - and _.')
  showError('')
  sessionStorage.setItem(storageKey, typed)
  byId('token').value = ''
  show()
})
byId('leave').addEventListener('click', () => lock())
addEventListener('hashchange', () => {
  tokenFromAddress()
  showNotice('')
  start()
})
addEventListener('keydown', (event) => {
  const typing = event.target.matches?.('input, textarea')
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !byId('confirm').open) {
    const search = byId('search')
    if (search === null) return
    event.preventDefault()
    search.focus()
    search.select()
  }
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const rows = [...document.querySelectorAll('.row')]
    const at = rows.indexOf(document.activeElement)
    if (at < 0 && event.target.id !== 'search') return
    event.preventDefault()
    const next = event.key === 'ArrowDown' ? at + 1 : at - 1
    if (next < 0) byId('search')?.focus()
    else rows[Math.min(next, rows.length - 1)]?.focus()
  }
})

tokenFromAddress()
start()
