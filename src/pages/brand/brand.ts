import { readFile } from 'node:fs/promises'
import type { Static } from 'typebox'
import { plainHash } from '../../base/index.ts'
import { accentOf, colourFrom, coloursOf } from './colour.ts'
import type { brandOptions } from './options.ts'
import { PictureError, reencodePng } from './png.ts'

export type BrandOptions = Static<typeof brandOptions>

/** What a brand adds to the pages. */
export interface BrandStyle {
  readonly name: string
  /** The colour of buttons on a light ground, such as `#3a4fd0`: white can be read on it. */
  readonly colour?: string
  /** Paths of the engine. */
  readonly stylesheet?: string
  readonly logo?: string
  readonly links: Readonly<Partial<Record<BrandLink, string>>>
}

export const brandLinks = ['help', 'privacy', 'terms'] as const
export type BrandLink = (typeof brandLinks)[number]

/** A file that the pages of a brand load. Its path has its hash, so that it may be stored for long. */
export interface BrandFile {
  readonly path: string
  readonly type: string
  readonly content: string | Buffer
}

export interface Brands {
  readonly files: readonly BrandFile[]
  /** The look of an app's pages, or of those of no app. */
  of(appId: string | undefined): BrandStyle
}

/** A problem of the options by the name of one, for a configuration: `primaryColor`, `links.help`. */
export function brandProblems({
  primaryColor,
  links = {},
}: BrandOptions): readonly (readonly [string, string])[] {
  const colour =
    primaryColor === undefined || colourFrom(primaryColor) !== undefined
      ? []
      : [['primaryColor', 'must be a colour such as #3a4fd0'] as const]
  const addresses = Object.entries(links).flatMap(([name, address]) =>
    isBrandLink(String(address)) ? [] : [[`links.${name}`, 'must be an https or mailto address'] as const],
  )
  return [...colour, ...addresses]
}

/** No address that runs a script, and none in letters that a browser leaves out (A82). */
const isBrandLink = (address: string): boolean =>
  /^[\x21-\x7e]{1,500}$/.test(address) &&
  (/^mailto:[^@\s?]+@[^@\s?]+(\?|$)/i.test(address) ||
    (/^https:\/\/[^/\\@]+(\/|$)/i.test(address) && URL.canParse(address)))

/**
 * Reads the brands of a configuration that was checked. What an app does not set is that of the installation.
 *
 * @throws Error with the name of the logo's file, where it cannot be shown
 */
export async function loadBrands(
  own: BrandOptions & { readonly name: string },
  ofApps: Readonly<Record<string, BrandOptions>>,
): Promise<Brands> {
  const files = new Map<string, BrandFile>()
  const lookOf = async (brand: BrandOptions & { readonly name: string }): Promise<BrandStyle> => {
    const { name, logo, primaryColor, links = {} } = brand
    const colour = primaryColor === undefined ? undefined : colourFrom(primaryColor)
    const add = (content: string | Buffer, ending: string, type: string): string => {
      const path = `/assets/brand-${plainHash(content.toString('base64')).slice(0, 22)}.${ending}`
      files.set(path, { path, type, content })
      return path
    }
    return {
      name,
      ...(colour && {
        colour: accentOf(colour),
        stylesheet: add(coloursOf(colour), 'css', 'text/css; charset=utf-8'),
      }),
      ...(logo !== undefined && { logo: add(await pictureIn(logo), 'png', 'image/png') }),
      links: Object.fromEntries(
        brandLinks.flatMap((one) => (links[one] === undefined ? [] : [[one, links[one]]])),
      ),
    }
  }
  const common = await lookOf(own)
  const looks = new Map<string, BrandStyle>()
  for (const [id, brand] of Object.entries(ofApps)) {
    looks.set(id, await lookOf({ ...own, ...brand, links: { ...own.links, ...brand.links } }))
  }
  return { files: [...files.values()], of: (appId = '') => looks.get(appId) ?? common }
}

async function pictureIn(file: string): Promise<Buffer> {
  try {
    return reencodePng(await readFile(file))
  } catch (error) {
    const reason = error instanceof PictureError ? error.message : 'cannot be read'
    throw new Error(`brand.logo: the file ${file} ${reason}`, { cause: error })
  }
}
