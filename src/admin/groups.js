// @ts-check
/** The groups: create, rename, delete, and who is in them. */
import { byId, confirmed, el } from '../ui/dom.js'
import { everything, request } from './api.js'
import { blank, button, chip, editor, nameOf, pagedList } from './parts.js'

/** @typedef {import('./api.js').Json} Json */
/** @typedef {import('./admin.js').Context} Context */

/** @param {Json} group */
const pathOf = ({ id }) => `/groups/${encodeURIComponent(id)}`

/** @param {Json} [profile] */
const fields = ({ name = '', description } = {}) => [
  { name: 'name', label: 'Name', value: name, required: true, maxlength: 255 },
  { name: 'description', label: 'Description', value: description ?? '', maxlength: 1024 },
]

/** @param {FormData} values */
const profileOf = (values) => ({
  name: String(values.get('name') ?? '').trim(),
  description: String(values.get('description') ?? '').trim() || null,
})

/**
 * Creates a group, or changes one.
 * @param {Json | undefined} group
 * @param {Context} context
 */
async function edit(group, { show, showNotice, onError }) {
  try {
    const isSaved = await editor({
      title: group === undefined ? 'New group' : `Edit ${group.profile.name}`,
      yes: group === undefined ? 'Create group' : 'Save',
      fields: fields(group?.profile),
      save: (values) => {
        // Attributes that the form does not show stay.
        const profile = { ...group?.profile, ...profileOf(values) }
        if (profile.description === null) delete profile.description
        return group === undefined
          ? request('POST', '/groups', { body: { profile } })
          : request('PUT', pathOf(group), { body: { profile } })
      },
    })
    if (!isSaved) return
    await show()
    showNotice(group === undefined ? 'The group was created.' : 'The group was saved.')
  } catch (error) {
    onError(error)
  }
}

/**
 * @param {Json} group
 * @param {Context} context
 */
async function remove(group, { show, showNotice, onError }) {
  const { name } = group.profile
  const isSure = await confirmed({
    title: `Delete the group ${name}?`,
    text: 'The users stay; they lose what policies and apps give to this group. This cannot be undone.',
    yes: 'Delete',
    danger: true,
  })
  if (!isSure) return
  try {
    await request('DELETE', pathOf(group))
    await show()
    showNotice(`The group ${name} was deleted.`)
    byId('new').focus()
  } catch (error) {
    onError(error)
  }
}

/** @param {Json} user */
const member = (user) =>
  el(
    'li',
    {},
    el('a', { href: `#/users/${encodeURIComponent(user.id)}` }, nameOf(user.profile)),
    ` ${user.profile.login} `,
    chip(user.status),
  )

/**
 * The members, loaded when they are opened: a group may have very many.
 * @param {Json} group
 * @param {Context} context
 */
function members(group, context) {
  const body = el('div', {})
  let isLoaded = false
  return el(
    'details',
    {
      ontoggle: async () => {
        if (isLoaded) return
        isLoaded = true
        try {
          const page = await request('GET', `${pathOf(group)}/users?limit=50`, { signal: context.signal })
          const list = el('ul', { class: 'members' })
          body.replaceChildren(
            ...(page.value.length === 0
              ? [blank('There are no members.')]
              : pagedList(list, member, page, context)),
          )
        } catch (error) {
          isLoaded = false
          context.onError(error)
        }
      },
    },
    el('summary', {}, 'Members'),
    body,
  )
}

/**
 * @param {import('./admin.js').Place} _
 * @param {Context} context
 */
export async function groups(_, context) {
  const found = await everything('/groups?limit=200', context.signal)
  return el(
    'section',
    { class: 'page', 'aria-label': 'Groups' },
    el(
      'div',
      { class: 'page-head' },
      el('h2', {}, 'Groups'),
      button('New group', () => edit(undefined, context), { id: 'new' }),
    ),
    el('p', { class: 'quiet' }, 'Policies and apps apply to groups. Users are added on their own page.'),
    el(
      'ul',
      { class: 'cards' },
      found.map((group) => {
        const isBuiltIn = group.type === 'BUILT_IN'
        return el(
          'li',
          { class: 'card' },
          el('header', {}, el('h3', {}, group.profile.name), isBuiltIn && chip('BUILT_IN')),
          group.profile.description && el('p', { class: 'quiet' }, group.profile.description),
          members(group, context),
          !isBuiltIn &&
            el(
              'div',
              { class: 'actions card-actions' },
              button('Edit', () => edit(group, context)),
              button('Delete', () => remove(group, context)),
            ),
        )
      }),
    ),
  )
}
