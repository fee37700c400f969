import { readFile } from 'node:fs/promises'
import type { Static } from 'typebox'
import { plainHash } from '../base/index.ts'
import type { Db } from '../storage/index.ts'
import {
  type Appearance,
  appearanceFrom,
  appearanceText,
  findLogo,
  logoHash,
  logoPathOf,
} from './appearance.store.ts'
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
  /** The look of an app's pages, or of those of no app, as it was read last. */
  of(appId: string | undefined): BrandStyle
  /** Reads the look of the installation: another node may have changed it. */
  refresh(): Promise<void>
  /** A file of a look that is in memory. */
  fileAt(path: string): BrandFile | undefined
  /** A file of a look, from the database where it must be. */
  findFile(path: string): Promise<BrandFile | undefined>
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
export const isBrandLink = (address: string): boolean =>
  /^[\x21-\x7e]{1,500}$/.test(address) &&
  (/^mailto:[^@\s?]+@[^@\s?]+(\?|$)/i.test(address) ||
    (/^https:\/\/[^/\\@]+(\/|$)/i.test(address) && URL.canParse(address)))

type Named = Omit<Appearance, 'name'> & { readonly name: string }

/**
 * The looks of all pages: of the installation as it stands in the database, and of the apps of a configuration, which take the place of
 * that in what they set.
 *
 * @param ofApps of a configuration that was checked, by the apps' ids
 * @param logos the pictures of their files, by the apps' ids
 */
export function createBrands(
  db: Db,
  orgName: string,
  ofApps: Readonly<Record<string, BrandOptions>>,
  logos: ReadonlyMap<string, Buffer>,
): Brands {
  const ownLogos = new Map(
    [...logos].map(([id, content]) => {
      const file: BrandFile = { path: logoPathOf(logoHash(content)), type: 'image/png', content }
      return [id, file] as const
    }),
  )
  let text: string | undefined
  let look: Appearance = { links: {} }
  let common: BrandStyle = { name: orgName, links: {} }
  let looks = new Map<string, BrandStyle>()
  let files = new Map<string, BrandFile>()
  /** The logo of the installation, once it was asked for. */
  let logo: BrandFile | undefined

  function build(): void {
    files = new Map([...ownLogos.values()].map((file) => [file.path, file]))
    const own: Named = { ...look, name: look.name ?? orgName }
    common = styleOf(own, undefined)
    looks = new Map(
      Object.entries(ofApps).map(([id, { links = {}, name = own.name, primaryColor = own.primaryColor }]) => [
        id,
        styleOf({ name, primaryColor, logo: own.logo, links: { ...own.links, ...links } }, ownLogos.get(id)),
      ]),
    )
  }

  function styleOf(
    { name, primaryColor, logo: hash, links }: Named,
    ownLogo: BrandFile | undefined,
  ): BrandStyle {
    const colour = primaryColor === undefined ? undefined : colourFrom(primaryColor)
    const shown = ownLogo?.path ?? (hash && logoPathOf(hash))
    return {
      name,
      ...(colour && { colour: accentOf(colour), stylesheet: stylesheetOf(coloursOf(colour)) }),
      ...(shown !== undefined && { logo: shown }),
      links: Object.fromEntries(
        brandLinks.flatMap((one) => (links[one] === undefined ? [] : [[one, links[one]]])),
      ),
    }
  }

  function stylesheetOf(content: string): string {
    const path = `/assets/brand-${plainHash(content).slice(0, 22)}.css`
    files.set(path, { path, type: 'text/css; charset=utf-8', content })
    return path
  }

  build()
  const brands: Brands = {
    of: (appId = '') => looks.get(appId) ?? common,
    async refresh() {
      const found = await appearanceText(db)
      if (found === text) return
      look = appearanceFrom(found)
      text = found
      if (logo?.path !== (look.logo && logoPathOf(look.logo))) logo = undefined
      build()
    },
    fileAt: (path) => files.get(path) ?? (logo?.path === path ? logo : undefined),
    async findFile(path) {
      await brands.refresh()
      const found = brands.fileAt(path)
      if (found !== undefined || look.logo === undefined || path !== logoPathOf(look.logo)) return found
      const content = await findLogo(db)
      // Another node may have changed it between the two statements.
      if (content === undefined || logoPathOf(logoHash(content)) !== path) return undefined
      logo = { path, type: 'image/png', content }
      return logo
    },
  }
  return brands
}

/**
 * The picture of a file, made anew of its pixels.
 *
 * @throws Error with the name of the file, where it cannot be shown
 */
export async function readLogo(file: string): Promise<Buffer> {
  try {
    return await reencodePng(await readFile(file))
  } catch (error) {
    const reason = error instanceof PictureError ? error.message : 'cannot be read'
    throw new Error(`brand.logo: the file ${file} ${reason}`, { cause: error })
  }
}
