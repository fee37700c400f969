import type { Fields } from '../operation.ts'
import { textAt } from './api.ts'
import type { Item } from './current-state.ts'
import type { ResourceKind } from './kinds.ts'

/** Which thing of a document is which of those that are there. */
export interface Match {
  readonly pairs: readonly { readonly body: Fields; readonly item: Item | undefined }[]
  readonly others: readonly Item[]
  /** What is wrong with the n-th thing. */
  readonly problems: readonly { readonly n: number; readonly words: string }[]
}

/**
 * Finds each thing by what it is known by. Policies and rules may share a name: the second one of a name in the document
 * is the second one there.
 */
export function match(kind: ResourceKind, wanted: readonly Fields[], there: readonly Item[]): Match {
  const rest = [...there]
  const problems: { n: number; words: string }[] = []
  const seen = new Set<string>()
  const mayShareNames = kind.noun === 'policy' || kind.noun === 'rule'
  const pairs = wanted.map((body, n) => {
    const key = kind.keyOf(body)
    if (seen.has(key) && !mayShareNames) problems.push({ n, words: `${kind.noun} ${key} stands here twice` })
    seen.add(key)
    const candidates = rest.filter((item) => isMeant(kind, body, item))
    if (candidates.length > 1 && kind.noun === 'app') {
      const words = 'several apps have this label: say credentials.oauthClient.client_id'
      problems.push({ n, words })
    }
    const [item] = candidates
    if (mayShareNames && item === undefined && rest.some((one) => isBuiltIn(one, body))) {
      problems.push({ n, words: `${body.name} is built in: say system: true` })
    }
    if (kind.noun === 'authenticator' && item === undefined) {
      problems.push({ n, words: `there is no authenticator ${key}` })
    }
    if (item !== undefined) rest.splice(rest.indexOf(item), 1)
    if (kind.noun === 'app' && item !== undefined) problems.push(...fixedProblems(body, item, n))
    return { body, item }
  })
  return { pairs, others: rest, problems }
}

const isBuiltIn = ({ wire, body: there }: Item, { name, type }: Fields): boolean =>
  wire.system === true && there.name === name && there.type === type

function isMeant(kind: ResourceKind, body: Fields, { body: there }: Item): boolean {
  if (kind.keyOf(there) === kind.keyOf(body)) return true
  // Without a client id, an app is known by its label.
  return kind.noun === 'app' && kind.keyOf(body) === body.label && there.label === body.label
}

const typeOf = (body: Fields) => textAt(body, 'settings', 'oauthClient', 'application_type')

function fixedProblems(body: Fields, item: Item, n: number) {
  const [before, after] = [typeOf(item.body), typeOf(body)]
  if (after === '' || before === after) return []
  return [{ n, words: `application_type: cannot be changed, it is ${before}` }]
}
