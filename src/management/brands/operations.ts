import { Type } from 'typebox'
import { isObject } from '../../base/index.ts'
import {
  type Appearance,
  appearanceNow,
  brandLock,
  brandProblems,
  colourFrom,
  defaultColour,
  hexOf,
  logoPathOf,
  PictureError,
  putAppearance,
  putLogo,
  reencodePng,
} from '../../brand/index.ts'
import { type Tx, takeLock } from '../../storage/index.ts'
import { invalid, notFound } from '../errors.ts'
import { type Fields, pageOf, pageWithin } from '../input.ts'
import { unsupportedMembers } from '../members.ts'
import { type Answer, type Context, type Operation, operation, recordEvent } from '../operation.ts'
import { criteria, page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { brand, brandChanges, theme, themeChanges, uploaded } from './schema.ts'
import { brandId, renderBrand, renderTheme, themeId } from './wire.ts'

/** Throws 404 for every other brand and theme. */
function checkIds({ params }: Context): void {
  if (params.brandId !== brandId) throw notFound(params.brandId ?? '', 'Brand')
  if (params.themeId !== undefined && params.themeId !== themeId) throw notFound(params.themeId, 'Theme')
}

/** Changes the look as it is at that moment, and records it. */
async function change(
  call: Context,
  to: (before: Appearance, tx: Tx) => Promise<Appearance> | Appearance,
): Promise<Appearance> {
  checkIds(call)
  return call.parts.storage.transaction(async (tx) => {
    await takeLock(tx, brandLock)
    const look = await to(await appearanceNow(tx), tx)
    await putAppearance(tx, look)
    const isTheme = call.params.themeId !== undefined
    await recordEvent(call, tx, {
      eventType: 'system.brand.update',
      displayMessage: 'Update a brand',
      target: [isTheme ? { id: themeId, type: 'Theme' } : { id: brandId, type: 'Brand' }],
    })
    return look
  })
}

const brandOf = ({ parts }: Context, look: Appearance) => renderBrand(parts.baseUrl(), parts.orgName, look)

/** Members that say something else than what the pages have: they are without effect. Read-only ones are left out. */
function warnOf(call: Context, what: string, body: Fields, shown: Fields): void {
  const ignored = unsupportedMembers(body, ['id', 'isDefault', '_links', '_embedded', ...stored]).filter(
    (name) => body[name] !== shown[name] && !(isObject(body[name]) && isEmpty(body[name])),
  )
  warnUnsupported(call, `${what} has settings`, {}, ignored)
}
const stored = ['name', 'customPrivacyPolicyUrl', 'agreeToCustomPrivacyPolicy', 'primaryColorHex', 'logo']
const isEmpty = (fields: Fields): boolean => Object.values(fields).every((value) => value === null)

const one = '/brands/:brandId'
const themes = `${one}/themes`
const oneTheme = `${themes}/:themeId`

export const brandOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/brands',
    role: 'read',
    summary: 'List the brands: there is one',
    query: { ...page, q: criteria('A part of the name.') },
    response: Type.Array(brand),
    async handle(call) {
      const { q = '', ...query } = call.query
      const found = [brandOf(call, await appearanceNow(call.parts.storage.db))].filter(({ name }) =>
        name.toLowerCase().includes(q.toLowerCase()),
      )
      const { items, next } = pageWithin(found, pageOf(query), ({ id }) => id)
      return { body: items, next }
    },
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get the brand: the name of the pages, and their privacy policy',
    response: brand,
    async handle(call) {
      checkIds(call)
      return { body: brandOf(call, await appearanceNow(call.parts.storage.db)) }
    },
  }),
  operation({
    method: 'PUT',
    path: one,
    role: 'all',
    summary: 'Replace the name and the privacy policy of the pages',
    body: brandChanges,
    response: brand,
    check: ({ customPrivacyPolicyUrl: privacy }) =>
      typeof privacy === 'string'
        ? brandProblems({ links: { privacy } }).map(([, words]) => `customPrivacyPolicyUrl: ${words}`)
        : [],
    async handle(call) {
      const { name, customPrivacyPolicyUrl: privacy, agreeToCustomPrivacyPolicy: agrees } = call.body
      const look = await change(call, (before) => {
        if (typeof privacy === 'string' && privacy !== before.links.privacy && agrees !== true) {
          throw invalid([
            'agreeToCustomPrivacyPolicy: must be true where the address of the privacy policy is changed',
          ])
        }
        const { privacy: _, ...links } = before.links
        return {
          ...before,
          // The name of the org stays the default where it is sent back as it was read.
          name: name === (before.name ?? call.parts.orgName) ? before.name : name,
          links: typeof privacy === 'string' ? { ...links, privacy } : links,
        }
      })
      const body = brandOf(call, look)
      warnOf(call, 'a brand', call.body, body)
      return { body }
    },
  }),
  operation({
    method: 'GET',
    path: themes,
    role: 'read',
    summary: 'List the themes of the brand: there is one',
    response: Type.Array(theme),
    async handle(call) {
      checkIds(call)
      return { body: [renderTheme(call.parts.baseUrl(), await appearanceNow(call.parts.storage.db))] }
    },
  }),
  operation({
    method: 'GET',
    path: oneTheme,
    role: 'read',
    summary: 'Get the theme: the colour of the pages, and the address of their logo',
    response: theme,
    async handle(call) {
      checkIds(call)
      return { body: renderTheme(call.parts.baseUrl(), await appearanceNow(call.parts.storage.db)) }
    },
  }),
  operation({
    method: 'PUT',
    path: oneTheme,
    role: 'all',
    summary: 'Replace the colour of the pages',
    body: themeChanges,
    response: theme,
    check: ({ primaryColorHex: primaryColor }) =>
      typeof primaryColor === 'string'
        ? brandProblems({ primaryColor }).map(([, words]) => `primaryColorHex: ${words}`)
        : [],
    async handle(call) {
      const colour = colourFrom(call.body.primaryColorHex)
      const hex = colour && hexOf(colour)
      const look = await change(call, (before) => ({
        ...before,
        primaryColor: hex === defaultColour ? undefined : hex,
      }))
      const body = renderTheme(call.parts.baseUrl(), look)
      warnOf(call, 'a theme', call.body, body)
      return { body }
    },
  }),
  operation({
    method: 'POST',
    path: `${oneTheme}/logo`,
    role: 'all',
    summary: 'Upload the logo of the pages: a PNG of at most 256 KiB, made anew of its pixels',
    upload: true,
    response: uploaded,
    status: 201,
    async handle(call) {
      const picture = await pictureIn(call)
      const { logo = '' } = await change(call, async (before, tx) => ({
        ...before,
        logo: await putLogo(tx, picture),
      }))
      return { status: 201, body: { url: call.parts.baseUrl() + logoPathOf(logo) } }
    },
  }),
  operation({
    method: 'DELETE',
    path: `${oneTheme}/logo`,
    role: 'all',
    summary: 'Remove the logo of the pages: they show the first letter of the name',
    async handle(call): Promise<Answer> {
      await change(call, async (before, tx) => ({ ...before, logo: await putLogo(tx, undefined) }))
      return {}
    },
  }),
]

/** What the configuration's logo is checked for. Throws 400 with the reason (A82). */
async function pictureIn(call: Context): Promise<Buffer> {
  checkIds(call)
  try {
    return await reencodePng(call.file ?? Buffer.alloc(0))
  } catch (error) {
    if (error instanceof PictureError) throw invalid([`file: ${error.message}`])
    throw error
  }
}
