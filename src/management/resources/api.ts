import type { Party } from '../../audit/index.ts'
import { isObject } from '../../base/index.ts'
import type { Fields, Query } from '../input.ts'
import type { ManagementParts, Operation } from '../operation.ts'

/** The management API with all permissions. Paths are relative to `/api/v1`. */
export interface Api {
  /** Returns the body of the response, `{}` if there is none. Throws if the request is refused. */
  call(method: Operation['method'], path: string, body?: Fields): Promise<Fields>
  /** Returns all pages of a list. */
  list(path: string): Promise<readonly Fields[]>
}

/** Calls the operations without HTTP. With the parts of one database transaction, all calls together are atomic. */
export function callOperations(operations: readonly Operation[], parts: ManagementParts, actor: Party): Api {
  const send = (method: Operation['method'], address: string, body: Fields, more: Query = {}) => {
    const [path = '', query = ''] = address.split('?')
    const { operation, params } = find(operations, method, path)
    return operation.handle({
      parts,
      params,
      query: { ...Object.fromEntries(new URLSearchParams(query)), ...more },
      body,
      actor,
      now: parts.clock.now(),
    })
  }
  return {
    async call(method, path, body = {}) {
      const response = await send(method, path, body)
      return toJson(response.body) as Fields
    },
    async list(path) {
      const items: Fields[] = []
      for (let page: Query | undefined = {}; page !== undefined; ) {
        const { body, next }: Awaited<ReturnType<Operation['handle']>> = await send('GET', path, {}, page)
        items.push(...(toJson(body) as readonly Fields[]))
        page = next
      }
      return items
    },
  }
}

/** A body as it would arrive over HTTP: without undefined members, sharing no objects. */
const toJson = (body: object | undefined): unknown => JSON.parse(JSON.stringify(body ?? {}))

function find(operations: readonly Operation[], method: string, path: string) {
  const words = path.split('/')
  for (const operation of operations) {
    const pattern = operation.path.split('/')
    if (operation.method !== method || pattern.length !== words.length) continue
    if (!pattern.every((part, n) => part.startsWith(':') || part === words[n])) continue
    const params = pattern.flatMap((part, n) =>
      part.startsWith(':') ? [[part.slice(1), decodeURIComponent(words[n] ?? '')] as const] : [],
    )
    return { operation, params: Object.fromEntries(params) }
  }
  throw new Error(`there is no operation ${method} ${path}`)
}

/** A nested member; undefined if one on the way is not an object. */
export function memberAt(fields: Fields, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), fields)
}

/** A nested string member; empty if there is none. */
export const textAt = (fields: Fields, ...names: readonly string[]): string => {
  const value = memberAt(fields, ...names)
  return typeof value === 'string' ? value : ''
}
