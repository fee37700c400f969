import { type Static, Type } from 'typebox'
import { closed, displayed, either, filled, links, named, status, time } from '../schema.ts'

const scopes = Type.Array(Type.Object({ type: either('CORS', 'REDIRECT') }), {
  minItems: 1,
  hint: 'a non-empty list of CORS and REDIRECT',
})

export const newTrustedOrigin = named('NewTrustedOrigin', {
  name: displayed(255),
  origin: filled(255, { description: 'For example https://app.example.com.' }),
  scopes,
})
export type NewTrustedOrigin = Static<typeof newTrustedOrigin>

export const trustedOrigin = named(
  'TrustedOrigin',
  {
    id: Type.String(),
    name: Type.String(),
    origin: Type.String(),
    scopes,
    status,
    created: time,
    lastUpdated: time,
    _links: links,
  },
  closed,
)
