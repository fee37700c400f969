import { type Static, Type } from 'typebox'
import { anything, closed, displayed, links, named, optional, textOrNull } from '../schema.ts'

const hex = (description: string) => Type.String({ maxLength: 7, description })

export const brandChanges = named('BrandChanges', {
  name: displayed(100, { description: 'The name on the pages.' }),
  customPrivacyPolicyUrl: optional(
    Type.String({ maxLength: 500, description: 'The privacy policy: an https or mailto address.' }),
  ),
  agreeToCustomPrivacyPolicy: optional(
    Type.Boolean({ description: 'Must be true where the address of the privacy policy is changed.' }),
  ),
  removePoweredByOkta: optional(Type.Boolean()),
  locale: optional(Type.String()),
  emailDomainId: optional(Type.String()),
  defaultApp: optional(anything),
})
export type BrandChanges = Static<typeof brandChanges>

export const brand = named(
  'Brand',
  {
    id: Type.String(),
    name: Type.String(),
    isDefault: Type.Boolean(),
    customPrivacyPolicyUrl: textOrNull,
    agreeToCustomPrivacyPolicy: Type.Boolean(),
    removePoweredByOkta: Type.Boolean(),
    locale: textOrNull,
    emailDomainId: textOrNull,
    defaultApp: anything,
    _links: links,
  },
  closed,
)

const variants = {
  signInPageTouchPointVariant: Type.String(),
  endUserDashboardTouchPointVariant: Type.String(),
  errorPageTouchPointVariant: Type.String(),
  emailTemplateTouchPointVariant: Type.String(),
  loadingPageTouchPointVariant: Type.String(),
}

export const themeChanges = named('ThemeChanges', {
  primaryColorHex: hex('The colour of buttons and links, such as `#3a4fd0`.'),
  primaryColorContrastHex: optional(hex('Not stored: the pages choose what can be read.')),
  secondaryColorHex: optional(hex('Not stored.')),
  secondaryColorContrastHex: optional(hex('Not stored.')),
  ...(Object.fromEntries(Object.keys(variants).map((name) => [name, optional(Type.String())])) as Record<
    keyof typeof variants,
    ReturnType<typeof optional<ReturnType<typeof Type.String>>>
  >),
})
export type ThemeChanges = Static<typeof themeChanges>

export const theme = named(
  'Theme',
  {
    id: Type.String(),
    logo: textOrNull,
    favicon: textOrNull,
    backgroundImage: textOrNull,
    primaryColorHex: Type.String(),
    primaryColorContrastHex: Type.String(),
    secondaryColorHex: Type.String(),
    secondaryColorContrastHex: Type.String(),
    ...variants,
    _links: links,
  },
  closed,
)

export const uploaded = named('ImageUpload', { url: Type.String() }, closed)
