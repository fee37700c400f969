/**
 * The user schema over HTTP, after Okta's Schemas API: which attributes profiles may have. Every write of a profile is
 * held to it, whoever writes.
 */
import { record } from '../../audit/index.ts'
import {
  findUserSchema,
  forgetAttribute,
  putUserSchema,
  type SchemaAttribute,
  type UserSchema,
} from '../../directory/index.ts'
import { takeLock } from '../../storage/index.ts'
import { notFound } from '../errors.ts'
import type { Answer, Call, Operation } from '../operation.ts'
import { readSchemaChanges } from './read.ts'
import { typeOperations } from './types.ts'
import { unsupportedAttributes } from './unsupported.ts'
import { schemaOf } from './wire.ts'

/** There is one type of user, and so one schema. */
function refuseOthers({ params }: Call): void {
  const id = params.schemaId ?? ''
  if (id !== 'default') throw notFound(id, 'UserSchema')
}

async function read(call: Call): Promise<Answer> {
  refuseOthers(call)
  return { body: schemaOf(call.parts.baseUrl(), await findUserSchema(call.parts.storage.db)) }
}

type Changes = Readonly<Record<string, SchemaAttribute | null>>

const changed = (before: UserSchema['custom'], changes: Changes): UserSchema['custom'] =>
  Object.fromEntries(
    Object.entries({ ...before, ...changes }).flatMap(([name, attribute]) =>
      attribute === null ? [] : [[name, attribute]],
    ),
  )

/** Adds, changes and removes attributes: what is not named stays. An attribute that goes is taken out of all profiles. */
async function update(call: Call): Promise<Answer> {
  refuseOthers(call)
  const { parts, actor, now, body } = call
  const { storage, random } = parts
  const schema = await storage.transaction(async (tx) => {
    await takeLock(tx, 'schema')
    const before = await findUserSchema(tx)
    const { custom, base } = readSchemaChanges(body, before)
    const ignored = unsupportedAttributes(custom)
    if (ignored.length > 0) parts.log?.warn({ ignored }, 'the user schema asks for what is not obeyed')
    const after: UserSchema = {
      base: { ...before.base, ...base },
      custom: changed(before.custom, custom),
      updatedAt: now,
    }
    await putUserSchema(tx, after)
    for (const name of Object.keys(before.custom)) {
      if (!Object.hasOwn(after.custom, name)) await forgetAttribute(tx, storage.kind, name)
    }
    await record(
      tx,
      {
        eventType: 'directory.user_profile.update',
        displayMessage: 'User schema updated',
        outcome: { result: 'SUCCESS' },
        actor,
        target: [{ id: 'default', type: 'UserSchema' }],
      },
      { random, now },
    )
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
    summary: 'Tells which attributes profiles may have; the schema is called `default`.',
    handle: read,
  },
  {
    method: 'POST',
    path,
    role: 'all',
    summary: 'Adds and changes attributes; `null` removes one from the schema and from all profiles.',
    handle: update,
  },
]
