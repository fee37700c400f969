import { Type } from 'typebox'
import { apiError, isoTime } from '../base/index.ts'
import {
  findUserSchema,
  type Profile,
  profileProblems,
  type SchemaAttribute,
  type UserSchema,
} from '../directory/index.ts'
import { type Call, link, type Operation, operation } from './operation.ts'

type Access = 'READ_ONLY' | 'READ_WRITE'

/** What the user may see of a profile, and change of it: as the user schema says, and by default nothing of it. */
function visible({
  base,
  custom,
}: UserSchema): ReadonlyMap<string, SchemaAttribute & { readonly access: Access }> {
  const all = Object.entries({ ...base, ...custom }).flatMap(([name, attribute]) => {
    const action = attribute.permissions?.find(({ principal }) => principal === 'SELF')?.action ?? 'READ_ONLY'
    if (action === 'HIDE') return []
    const access: Access = action === 'READ_WRITE' ? 'READ_WRITE' : 'READ_ONLY'
    return [[name, { ...attribute, access }] as const]
  })
  return new Map(all)
}

async function shown(call: Call<unknown>, profile: Profile, times: { createdAt: number; updatedAt: number }) {
  const attributes = visible(await findUserSchema(call.parts.storage.db))
  return {
    createdAt: isoTime(times.createdAt),
    modifiedAt: isoTime(times.updatedAt),
    profile: Object.fromEntries([...attributes.keys()].map((name) => [name, profile[name] ?? null])),
    _links: {
      self: link(call, '/profile', 'GET', 'PUT'),
      describedBy: link(call, '/profile/schema', 'GET'),
    },
  }
}

const refuse = (cause: string) =>
  apiError('E0000001', { summary: 'Api validation failed: forUpdate', causes: [cause] })

/** These have ways of their own: a new address is proven first (A77). */
const addresses = ['email', 'login', 'secondEmail']

async function change(call: Call<{ readonly profile: Readonly<Record<string, unknown>> }>) {
  const { parts, caller } = call
  const { person } = caller
  const wanted = call.body.profile
  const schema = await findUserSchema(parts.storage.db)
  const attributes = visible(schema)
  for (const name of Object.keys(wanted)) {
    if (!attributes.has(name))
      throw refuse(`Property '${name.slice(0, 64)}' does not exist or is not accessible.`)
  }
  for (const name of addresses) {
    if (!attributes.has(name) || wanted[name] === undefined) continue
    if ((wanted[name] ?? null) !== (person.profile[name] ?? null)) {
      throw refuse(
        'You cannot update email attributes using the profile endpoint. Use the emails endpoint instead.',
      )
    }
  }
  const changes: Record<string, unknown> = {}
  for (const [name, { access }] of attributes) {
    const before = person.profile[name] ?? null
    const after = wanted[name]
    if (after === undefined) {
      throw refuse(`Property '${name}' needs a value passed.  To unset it, explicitly set it to null.`)
    }
    if (JSON.stringify(after) === JSON.stringify(before)) continue
    if (access === 'READ_ONLY') throw refuse(`Property '${name}' is read only. Its value cannot be changed.`)
    changes[name] = after === null ? undefined : after
    const [problem] = profileProblems(schema, { [name]: after }, { whole: false })
    if (problem !== undefined) throw refuse(`Invalid value data type for property '${name}': ${problem}`)
  }
  const changed = await parts.people.change(
    person.id,
    { profile: changes as Partial<Profile> },
    {
      by: { id: person.id, type: 'User', alternateId: person.profile.login },
      own: { strict: false },
    },
  )
  const after = changed ?? person
  return { body: await shown(call, after.profile, after) }
}

export const profileOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/profile',
    scope: 'profile.read',
    summary: 'Get the profile, as far as the user may see it',
    handle: async (call) => ({ body: await shown(call, call.caller.person.profile, call.caller.person) }),
  }),
  operation({
    method: 'PUT',
    path: '/profile',
    scope: 'profile.manage',
    summary:
      'Replace the profile; every visible attribute is named, and those that are read only are as they were',
    body: Type.Object({ profile: Type.Record(Type.String(), Type.Unknown()) }),
    handle: change,
  }),
  operation({
    method: 'GET',
    path: '/profile/schema',
    scope: 'profile.read',
    summary: 'Get the attributes of the profile',
    async handle(call) {
      const attributes = visible(await findUserSchema(call.parts.storage.db))
      const properties = [...attributes].map(
        ([name, { access, title, type, required, minLength, maxLength }]) => [
          name,
          {
            title: title ?? name,
            type,
            ...(required && { required }),
            ...(minLength !== undefined && { minLength }),
            ...(maxLength !== undefined && { maxLength }),
            permissions: { SELF: access },
          },
        ],
      )
      return {
        body: {
          properties: Object.fromEntries(properties),
          _links: { self: link(call, '/profile/schema', 'GET'), user: link(call, '/profile', 'GET') },
        },
      }
    },
  }),
]
