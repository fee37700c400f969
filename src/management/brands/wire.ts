import { type Appearance, defaultColour, logoPathOf } from '../../brand/index.ts'
import { prefix } from '../operation.ts'

/** There is one brand, and it has one theme. */
export const brandId = 'bndDefault'
export const themeId = 'theDefault'

const address = (base: string): string => `${base}${prefix}/brands/${brandId}`

export function renderBrand(base: string, orgName: string, { name, links }: Appearance) {
  const self = address(base)
  return {
    id: brandId,
    name: name ?? orgName,
    isDefault: true,
    customPrivacyPolicyUrl: links.privacy ?? null,
    agreeToCustomPrivacyPolicy: links.privacy !== undefined,
    // No page names another product.
    removePoweredByOkta: true,
    locale: null,
    emailDomainId: null,
    defaultApp: { appInstanceId: null, appLinkName: null, classicApplicationUri: null },
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      themes: { href: `${self}/themes`, hints: { allow: ['GET'] } },
    },
  }
}

export function renderTheme(base: string, { primaryColor, logo }: Appearance) {
  const self = `${address(base)}/themes/${themeId}`
  return {
    id: themeId,
    logo: logo === undefined ? null : base + logoPathOf(logo),
    favicon: null,
    backgroundImage: null,
    primaryColorHex: primaryColor ?? defaultColour,
    primaryColorContrastHex: '#ffffff',
    secondaryColorHex: '#ebebed',
    secondaryColorContrastHex: '#000000',
    signInPageTouchPointVariant: 'OKTA_DEFAULT',
    endUserDashboardTouchPointVariant: 'OKTA_DEFAULT',
    errorPageTouchPointVariant: 'OKTA_DEFAULT',
    emailTemplateTouchPointVariant: 'OKTA_DEFAULT',
    loadingPageTouchPointVariant: 'OKTA_DEFAULT',
    _links: {
      self: { href: self, hints: { allow: ['GET', 'PUT'] } },
      logo: { href: `${self}/logo`, hints: { allow: ['POST', 'DELETE'] } },
    },
  }
}
