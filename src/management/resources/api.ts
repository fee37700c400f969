import type { Party } from '../../audit/index.ts'
import { isFields } from '../input.ts'
import type { Query } from '../log.ts'
import type { Fields, ManagementParts, Operation } from '../operation.ts'

/** The management API as somebody who may do everything sees it. Paths stand below `/api/v1`. */
export interface Api {
  /** Answers the body, an empty one where there is none. Throws where it is refused. */
  call(method: Operation['method'], path: string, body?: Fields): Promise<Fields>
  /** All pages of a list. */
  list(path: string): Promise<readonly Fields[]>
}

/** The operations themselves, called without HTTP: with the parts of one database transaction, all of it is one change. */
export function callOperations(operations: readonly Operation[], parts: ManagementParts, actor: Party): Api {
  const answer = (method: Operation['method'], address: string, body: Fields, more: Query = {}) => {
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
      const { body: told } = await answer(method, path, body)
      return asWritten(told) as Fields
    },
    async list(path) {
      const items: Fields[] = []
      for (let page: Query | undefined = {}; page !== undefined; ) {
        const { body, next }: Awaited<ReturnType<Operation['handle']>> = await answer('GET', path, {}, page)
        items.push(...(asWritten(body) as readonly Fields[]))
        page = next
      }
      return items
    },
  }
}

/** What would arrive over HTTP: no undefined members, no shared objects. */
const asWritten = (body: object | undefined): unknown => JSON.parse(JSON.stringify(body ?? {}))

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

/** A member of a member, where all of them are objects. */
export function memberAt(fields: Fields, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), fields)
}

export const textAt = (fields: Fields, ...names: readonly string[]): string => {
  const value = memberAt(fields, ...names)
  return typeof value === 'string' ? value : ''
}
