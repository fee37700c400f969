import type { Fields } from '../input.ts'
import { textAt } from './api.ts'
import type { Item } from './current-state.ts'
import type { ResourceKind } from './kinds.ts'

/** The resources of a document, each with the present one that it describes. */
export interface Match {
  readonly pairs: readonly { readonly body: Fields; readonly item: Item | undefined }[]
  readonly others: readonly Item[]
  /** The problems of the n-th resource of the document. */
  readonly problems: readonly { readonly n: number; readonly words: string }[]
}

/**
 * Finds the present resource for each one of the document by its key. Policies and rules may share a name: the second one
 * with a name in the document is the second present one.
 */
export function match(kind: ResourceKind, wanted: readonly Fields[], present: readonly Item[]): Match {
  const remaining = [...present]
  const problems: { n: number; words: string }[] = []
  const seen = new Set<string>()
  const mayShareNames = kind.noun === 'policy' || kind.noun === 'rule'
  const pairs = wanted.map((body, n) => {
    const key = kind.keyOf(body)
    if (seen.has(key) && !mayShareNames) problems.push({ n, words: `${kind.noun} ${key} is listed twice` })
    seen.add(key)
    const candidates = remaining.filter((item) => isDescribedBy(kind, body, item))
    if (candidates.length > 1 && kind.noun === 'app') {
      const words = 'several apps have this label: add credentials.oauthClient.client_id'
      problems.push({ n, words })
    }
    const [item] = candidates
    if (mayShareNames && item === undefined && remaining.some((one) => isBuiltIn(one, body))) {
      problems.push({ n, words: `${body.name} is built in: add system: true` })
    }
    if (kind.noun === 'authenticator' && item === undefined) {
      problems.push({ n, words: `unknown authenticator ${key}` })
    }
    if (item !== undefined) remaining.splice(remaining.indexOf(item), 1)
    if (kind.noun === 'app' && item !== undefined) problems.push(...fixedProblems(body, item, n))
    return { body, item }
  })
  return { pairs, others: remaining, problems }
}

const isBuiltIn = ({ wire, body: present }: Item, { name, type }: Fields): boolean =>
  wire.system === true && present.name === name && present.type === type

function isDescribedBy(kind: ResourceKind, body: Fields, { body: present }: Item): boolean {
  if (kind.keyOf(present) === kind.keyOf(body)) return true
  // Without a client id, an app is identified by its label.
  return kind.noun === 'app' && kind.keyOf(body) === body.label && present.label === body.label
}

const typeOf = (body: Fields) => textAt(body, 'settings', 'oauthClient', 'application_type')

function fixedProblems(body: Fields, item: Item, n: number) {
  const [before, after] = [typeOf(item.body), typeOf(body)]
  if (after === '' || before === after) return []
  return [{ n, words: `application_type: cannot be changed, it is ${before}` }]
}
