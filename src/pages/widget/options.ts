import { type Static, Type } from 'typebox'

/** What is shown as the page of a request to `authorize`. */
export const pagesOption = Type.Union([Type.Literal('own'), Type.Literal('widget')], {
  description:
    'What a browser is shown that an app sends to `authorize`: `own`, the pages of the engine, or `widget`, the Sign-In Widget of Okta, whose package the installation brings. The links of mails lead to the pages of the engine either way.',
  default: 'own',
})

/** The Sign-In Widget as the page: of use with `pages: 'widget'` alone. */
export const widgetOptions = Type.Object(
  {
    package: Type.Optional(
      Type.String({
        ofNode: true,
        description:
          'The folder of the package `@okta/okta-signin-widget`, from the working folder on. Absent: the one that Node finds there, in `node_modules`.',
        minLength: 1,
      }),
    ),
    generation: Type.Integer({
      description: '2: `okta-sign-in.min.js`; 3: `okta-sign-in.next.js`, which is larger and slower to show.',
      default: 2,
      minimum: 2,
      maximum: 3,
    }),
    language: Type.Optional(
      Type.String({
        description:
          'The language of the widget, such as `de` or `pt-BR`. Absent: that of the browser, where the widget has it, else English.',
        pattern: '^[a-z]{2}(-[A-Z]{2})?$',
        hint: 'a language such as `de` or `pt-BR`',
      }),
    ),
  },
  { default: {} },
)

export type WidgetOptions = Static<typeof widgetOptions>
