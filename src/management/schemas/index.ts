/**
 * The user schema over HTTP, after Okta's Schemas API: the attributes of profiles. Every write of a profile is validated
 * against it, over HTTP and elsewhere.
 */
import {
  findUserSchema,
  forgetAttribute,
  putUserSchema,
  type SchemaAttribute,
  type UserSchema,
} from '../../directory/index.ts'
import { takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import { type Answer, type Call, type Operation, recordEvent } from '../operation.ts'
import { readSchemaChanges } from './read.ts'
import { typeOperations } from './types.ts'
import { unsupportedAttributes } from './unsupported.ts'
import { schemaOf } from './wire.ts'

/** Throws 404 unless the path names `default`: there is one type of user, and so one schema. */
function checkSchemaId({ params }: Call): void {
  const id = params.schemaId ?? ''
  if (id !== 'default') throw notFound(id, 'UserSchema')
}

async function read(call: Call): Promise<Answer> {
  checkSchemaId(call)
  return { body: schemaOf(call.parts.baseUrl(), await findUserSchema(call.parts.storage.db)) }
}

type Changes = Readonly<Record<string, SchemaAttribute | null>>

const withChanges = (before: UserSchema['custom'], changes: Changes): UserSchema['custom'] =>
  Object.fromEntries(
    Object.entries({ ...before, ...changes }).flatMap(([name, attribute]) =>
      attribute === null ? [] : [[name, attribute]],
    ),
  )

/** Adds, changes and removes attributes; others stay. A removed attribute is deleted from all profiles. */
async function update(call: Call): Promise<Answer> {
  checkSchemaId(call)
  const { parts, now, body } = call
  const { storage } = parts
  const schema = await storage.transaction(async (tx) => {
    await takeLock(tx, 'schema')
    const before = await findUserSchema(tx)
    const { custom, base } = readSchemaChanges(body, before)
    const ignored = unsupportedAttributes(custom)
    if (ignored.length > 0)
      parts.log?.warn({ ignored }, 'the user schema has settings that are not supported')
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
  return { body: schemaOf(parts.baseUrl(), schema) }
}

const path = '/meta/schemas/user/:schemaId'

export const schemaOperations: readonly Operation[] = [
  ...typeOperations,
  {
    method: 'GET',
    path,
    role: 'read',
    summary: 'Get the user schema `default`: the attributes of profiles',
    handle: read,
  },
  {
    method: 'POST',
    path,
    role: 'all',
    summary: 'Add and change attributes; `null` removes one from the schema and from all profiles',
    handle: update,
  },
]
