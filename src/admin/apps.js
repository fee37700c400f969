// @ts-check
/** The apps, read-only. */
import { el } from '../ui/dom.js'
import { request } from './api.js'
import { blank, chip, code, facts, pagedList } from './parts.js'

/** @typedef {import('./api.js').Json} Json */

/** @param {readonly string[] | undefined} addresses */
const lines = (addresses) => (addresses ?? []).map((address) => el('code', { class: 'line' }, address))

/** @param {Json} app */
const card = (app) => {
  const { oauthClient } = app.settings
  return el(
    'li',
    { class: 'card' },
    el('header', {}, el('h3', {}, app.label), chip(app.status)),
    facts([
      ['Client id', code(app.id)],
      ['Type', oauthClient.application_type],
      ['Grants', (oauthClient.grant_types ?? []).join(', ')],
      ['Redirect URIs', lines(oauthClient.redirect_uris)],
      ['After sign-out', lines(oauthClient.post_logout_redirect_uris)],
    ]),
  )
}

/**
 * @param {import('./admin.js').Place} _
 * @param {import('./admin.js').Context} context
 */
export async function apps(_, context) {
  const list = el('ul', { class: 'cards' })
  const page = await request('GET', '/apps?limit=50', { signal: context.signal })
  return el(
    'section',
    { class: 'page', 'aria-label': 'Apps' },
    el('h2', {}, 'Apps'),
    el(
      'p',
      { class: 'quiet' },
      'Apps are registered by the API, or in a file for ',
      code('rekey apply'),
      '.',
    ),
    page.value.length === 0 ? blank('There are no apps yet.') : pagedList(list, card, page, context),
  )
}
