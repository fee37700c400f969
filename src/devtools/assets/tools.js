// @ts-check
/** The buttons of the tools: each calls the control API and shows its answer. */
import { allOf, byId, confirmed, elementOf, showLocalTimes, timeOf } from '../../ui/dom.js'

document.documentElement.classList.add('has-script')

/**
 * Calls the control API, and shows why it refuses: in the card of the button, where the eyes are.
 * @param {HTMLElement} from
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<Readonly<Record<string, any>> | undefined>}
 */
async function call(from, path, body) {
  byId('error').textContent = ''
  byId('status').textContent = ''
  // Before the call, so that the two are in the page when their text changes: only then it is announced.
  from.closest('.card')?.append(byId('status'), byId('error'))
  try {
    const response = await fetch(path, {
      method: 'POST',
      headers: body ? { 'content-type': 'application/json' } : {},
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.json()
    if (response.ok) return answer
    say('error', answer.message ?? `The engine answered ${response.status}.`)
  } catch {
    say('error', 'The engine does not answer. Is it running?')
  }
  return undefined
}

/**
 * @param {'error' | 'status'} id
 * @param {string} text
 */
function say(id, text) {
  byId(id).textContent = text
  byId(id).scrollIntoView({ block: 'nearest' })
}

/** @param {string} text */
const show = (text) => say('status', text)

/**
 * The filled fields of a form, numbers as numbers.
 * @param {HTMLFormElement} form
 */
function valuesOf(form) {
  const numbers = new Set(allOf('input[type=number]', form).map((field) => field.getAttribute('name')))
  const values = [...new FormData(form)].filter(([, value]) => value !== '')
  return Object.fromEntries(values.map(([name, value]) => [name, numbers.has(name) ? Number(value) : value]))
}

/**
 * @param {string} id
 * @param {(values: Readonly<Record<string, any>>, form: HTMLFormElement) => Promise<void>} act
 */
function onSubmit(id, act) {
  const form = elementOf(id, HTMLFormElement)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    act(valuesOf(form), form)
  })
}

/**
 * @param {HTMLElement} from
 * @param {object} move
 */
async function moveClock(from, move) {
  const answer = await call(from, '/clock', move)
  if (!answer) return
  byId('now').replaceChildren(timeOf(answer.now))
  show('The clock was moved.')
}

for (const button of allOf('[data-advance]')) {
  button.addEventListener('click', () => moveClock(button, { advance: button.dataset.advance }))
}
onSubmit('advance', (values, form) => moveClock(form, values))

onSubmit('add-user', async (values, form) => {
  const user = await call(form, '/people', values)
  if (!user) return
  show(`${user.login} was added.`)
  form.reset()
})

onSubmit('fail-path', async (values, form) => {
  const fault = await call(form, '/faults', values)
  if (fault) {
    const requests = fault.times === 1 ? 'The next request' : `The next ${fault.times} requests`
    show(`${requests} to ${fault.path} will be answered ${fault.status}.`)
  }
})

onSubmit('fail-mail', async (values, form) => {
  const fault = await call(form, '/faults', values)
  if (fault) show(fault.times === 1 ? 'The next delivery fails.' : `The next ${fault.times} deliveries fail.`)
})

byId('reset').addEventListener('click', async () => {
  const isSure = await confirmed({
    title: 'Reset the engine?',
    text: 'All users, sessions, mails and flows that were not there at the start are deleted. This cannot be undone.',
    yes: 'Reset',
    danger: true,
  })
  if (!isSure) return
  const answer = await call(byId('reset'), '/reset')
  if (!answer) return
  byId('now').replaceChildren(timeOf(answer.now))
  show('The engine was reset.')
})

showLocalTimes()
