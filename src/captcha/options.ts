import { type Static, Type } from 'typebox'

/** The forms that may ask for a captcha. */
export const captchaForms = ['recovery', 'unlock', 'signUp'] as const

/** The captcha slice of the configuration. */
export const captchaOptions = Type.Object(
  {
    type: Type.Optional(
      Type.Union([Type.Literal('HCAPTCHA'), Type.Literal('RECAPTCHA_V2'), Type.Literal('TURNSTILE')], {
        description: 'Whose captcha the forms ask for. Absent: none does.',
      }),
    ),
    siteKey: Type.Optional(
      Type.String({
        description: 'The public key of the site, as the provider shows it.',
        pattern: '^[\\w.-]{1,200}$',
        hint: 'the site key as the provider shows it',
      }),
    ),
    secret: Type.Optional(
      Type.String({
        description: 'The secret key that answers are verified with.',
        minLength: 1,
        secret: true,
      }),
    ),
    secretFile: Type.Optional(
      Type.String({ description: 'A file with that key, instead of the text.', minLength: 1 }),
    ),
    forms: Type.Array(
      Type.Union([Type.Literal('recovery'), Type.Literal('unlock'), Type.Literal('signUp')]),
      {
        description: 'The forms that ask for it.',
        default: [...captchaForms],
        uniqueItems: true,
      },
    ),
    hostnames: Type.Array(
      Type.String({ pattern: '^[a-z0-9.-]{1,253}$', hint: 'a host such as `example.com`' }),
      {
        description:
          'The hosts of the pages that may show it, compared with what the provider answers. Empty: the provider alone restricts the site key to its hosts.',
        default: [],
        uniqueItems: true,
      },
    ),
    sendAddress: Type.Boolean({
      description:
        'Send the network address of the user along (`remoteip`), where the app vouches for it or the request comes from it and it is a public one.',
      default: true,
    }),
    verifyUrl: Type.Optional(
      Type.String({
        description: 'The address that verifies an answer, an https address. Default: that of the provider.',
      }),
    ),
    scriptUrl: Type.Optional(
      Type.String({
        description:
          "The address of the provider's script on the engine's own pages, an https address, such as `https://www.recaptcha.net/recaptcha/api.js`. Default: that of the provider.",
      }),
    ),
    insecureAddresses: Type.Boolean({
      description:
        'Allow that address to be on this machine, by http as well, or in a private network. For tests. Link-local addresses are never called.',
      default: false,
    }),
  },
  { default: {} },
)

export type CaptchaOptions = Static<typeof captchaOptions>

/** Where each provider verifies. */
export const verifyUrls: Readonly<Record<NonNullable<CaptchaOptions['type']>, string>> = {
  HCAPTCHA: 'https://api.hcaptcha.com/siteverify',
  RECAPTCHA_V2: 'https://www.google.com/recaptcha/api/siteverify',
  TURNSTILE: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
}

/** The published secrets that take every answer, or refuse every one: for tests of apps. */
const testSecrets = [/^0x0{40}$/, /^6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe$/, /^[123]x0{31}AA$/]

export const isTestSecret = (secret: string): boolean => testSecrets.some((one) => one.test(secret))
