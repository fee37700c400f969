import { Type } from 'typebox'

const link = (what: string) =>
  Type.Optional(Type.String({ description: `${what}: an https or mailto address.` }))

/** Whose pages a user sees: of the installation, or of one app in the places of that. */
export const brandOptions = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        description: 'The name on the pages. Absent: `org.name`.',
        minLength: 1,
        maxLength: 100,
      }),
    ),
    logo: Type.Optional(
      Type.String({
        ofNode: true,
        description:
          'A PNG file, at most 256 KiB and 1024 by 1024 pixels, not interlaced. It is encoded anew: nothing of the file but its pixels is served. Absent: the first letter of the name.',
        minLength: 1,
      }),
    ),
    primaryColor: Type.Optional(
      Type.String({
        description:
          'The colour of buttons and links, such as `#3a4fd0`. Where it could not be read on its background, the next darker one is taken, or in the dark mode the next lighter one.',
      }),
    ),
    links: Type.Optional(
      Type.Object(
        {
          help: link('Where users find help'),
          privacy: link('The privacy policy'),
          terms: link('The terms of use'),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
