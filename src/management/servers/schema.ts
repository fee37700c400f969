import { Type } from 'typebox'
import {
  anything,
  closed,
  displayed,
  either,
  links,
  named,
  optional,
  status,
  textOrNull,
  texts,
  time,
} from '../schema.ts'

export const authorizationServer = named(
  'AuthorizationServer',
  {
    id: Type.String(),
    name: Type.String(),
    description: textOrNull,
    audiences: texts,
    issuer: Type.String(),
    issuerMode: Type.String(),
    status,
    default: Type.Boolean(),
    created: time,
    lastUpdated: time,
    credentials: anything,
    _links: links,
  },
  closed,
)

const policyMembers = {
  id: Type.String(),
  type: Type.String(),
  name: Type.String(),
  priority: Type.Integer({ minimum: 1 }),
  status,
  system: Type.Boolean(),
  conditions: anything,
  created: time,
  lastUpdated: time,
  _links: links,
}

export const serverPolicy = named('ServerPolicy', { ...policyMembers, description: Type.String() }, closed)

export const serverPolicyRule = named('ServerPolicyRule', { ...policyMembers, actions: anything }, closed)

export const scope = named(
  'Scope',
  {
    id: Type.String(),
    name: Type.String(),
    displayName: textOrNull,
    description: textOrNull,
    system: Type.Boolean(),
    default: Type.Boolean(),
    optional: Type.Boolean(),
    consent: Type.String(),
    metadataPublish: Type.String(),
  },
  closed,
)

export const changedScope = named('ChangedScope', {
  name: Type.String({ description: 'Its name, which cannot be changed.' }),
  displayName: optional(displayed(255, { description: 'What the page that asks for consent calls it.' })),
  description: optional(displayed(1024, { description: 'A sentence more on that page.' })),
  consent: optional(either('IMPLICIT', 'REQUIRED', 'FLEXIBLE')),
  optional: optional(
    Type.Boolean({ description: 'Whether the user may leave it out and allow the others.' }),
  ),
})

export const claim = named(
  'Claim',
  {
    id: Type.String(),
    name: Type.String(),
    claimType: either('IDENTITY', 'RESOURCE'),
    valueType: Type.String(),
    value: Type.String(),
    status,
    system: Type.Boolean(),
    alwaysIncludeInToken: Type.Boolean(),
    conditions: anything,
  },
  closed,
)
