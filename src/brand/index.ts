/**
 * The look of the sign-in pages: its options and their checks, a colour that can be read, a logo of nothing but pixels, and the look of
 * the installation in the database, which the configuration and the management API write. It draws no page.
 */

export {
  type Appearance,
  appearanceNow,
  brandLock,
  logoPathOf,
  putAppearance,
  putLogo,
  seedAppearance,
} from './appearance.store.ts'
export {
  type BrandFile,
  type BrandOptions,
  type BrandStyle,
  type Brands,
  brandLinks,
  brandProblems,
  createBrands,
  isBrandLink,
  readLogo,
} from './brand.ts'
export { colourFrom, defaultColour, hexOf } from './colour.ts'
export { brandOptions } from './options.ts'
export { mostLogoBytes, PictureError, reencodePng } from './png.ts'
