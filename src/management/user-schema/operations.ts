import { Type } from 'typebox'
import {
  findUserSchema,
  forgetAttribute,
  putUserSchema,
  type SchemaAttribute,
  type UserSchema,
} from '../../directory/index.ts'
import { takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { pageOf, pageWithin } from '../input.ts'
import { installedAt } from '../installed.ts'
import { type Answer, type Call, type Context, type Operation, operation, recordEvent } from '../operation.ts'
import { page } from '../schema.ts'
import { warnUnsupported } from '../unsupported.ts'
import { readSchemaChanges } from './read.ts'
import { type UserSchemaChanges, userSchema, userSchemaChanges, userType } from './schema.ts'
import { unsupportedAttributes } from './unsupported.ts'
import { renderSchema, renderType, typeId } from './wire.ts'

/** Throws 404 unless the path names `default`: there is one type of user, and so one schema. */
function checkSchemaId({ params }: Context): void {
  const id = params.schemaId ?? ''
  if (id !== 'default') throw notFound(id, 'UserSchema')
}

async function answerOf({ parts }: Context, schema: UserSchema): Promise<Answer> {
  return { body: renderSchema(parts.baseUrl(), schema, await installedAt(parts.storage.db)) }
}

async function read(call: Context): Promise<Answer> {
  checkSchemaId(call)
  return answerOf(call, await findUserSchema(call.parts.storage.db))
}

type Changes = Readonly<Record<string, SchemaAttribute | null>>

const withChanges = (before: UserSchema['custom'], changes: Changes): UserSchema['custom'] =>
  Object.fromEntries(
    Object.entries({ ...before, ...changes }).flatMap(([name, attribute]) =>
      attribute === null ? [] : [[name, attribute]],
    ),
  )

/** Adds, changes and removes attributes; others stay. A removed attribute is deleted from all profiles. */
async function update(call: Call<UserSchemaChanges, unknown>): Promise<Answer> {
  checkSchemaId(call)
  const { parts, now, body } = call
  const { storage } = parts
  const schema = await storage.transaction(async (tx) => {
    await takeLock(tx, 'schema')
    const before = await findUserSchema(tx)
    const { custom, base } = readSchemaChanges(body, before)
    warnUnsupported(call, 'the user schema has settings', {}, unsupportedAttributes(custom))
    const after: UserSchema = {
      base: { ...before.base, ...base },
      custom: withChanges(before.custom, custom),
      updatedAt: now,
    }
    await putUserSchema(tx, after)
    for (const name of Object.keys(before.custom)) {
      if (!Object.hasOwn(after.custom, name)) await forgetAttribute(tx, storage.kind, name)
    }
    await recordEvent(call, tx, {
      eventType: 'directory.user_profile.update',
      displayMessage: 'User schema updated',
      target: [{ id: 'default', type: 'UserSchema' }],
    })
    return after
  })
  return answerOf(call, schema)
}

const path = '/meta/schemas/user/:schemaId'

export const schemaOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: '/meta/types/user',
    role: 'read',
    summary: 'List the user types: only `default`',
    query: page,
    response: Type.Array(userType),
    async handle({ parts, query }) {
      const type = renderType(parts.baseUrl(), await installedAt(parts.storage.db))
      const { items, next } = pageWithin([type], pageOf(query), () => typeId)
      return { body: items, next }
    },
  }),
  operation({
    method: 'GET',
    path: '/meta/types/user/:typeId',
    role: 'read',
    summary: 'Get the user type, by its id or as `default`, with a link to its schema',
    response: userType,
    async handle({ parts, params }) {
      const id = params.typeId ?? ''
      if (id !== typeId && id !== 'default') throw notFound(id, 'UserType')
      return { body: renderType(parts.baseUrl(), await installedAt(parts.storage.db)) }
    },
  }),
  operation({
    method: 'GET',
    path,
    role: 'read',
    summary: 'Get the user schema `default`: the attributes of profiles',
    response: userSchema,
    handle: read,
  }),
  operation({
    method: 'POST',
    path,
    role: 'all',
    summary: 'Add and change attributes; `null` removes one from the schema and from all profiles',
    body: userSchemaChanges,
    response: userSchema,
    handle: update,
  }),
]
