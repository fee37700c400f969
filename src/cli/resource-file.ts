import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import { ConfigError, didYouMean } from '../base/index.ts'
import { configOptions } from '../config/index.ts'
import { listNames, type ResourceLists, type ResourceProblem, readResources } from '../management/index.ts'

/** The `resources` of a file, and their problems rendered with line and path. */
export interface ResourceFile {
  readonly name: string
  readonly resources: ResourceLists
  readonly problems: readonly ResourceProblem[]
  render(problem: ResourceProblem): string
}

const most = 16 * 1024 * 1024

/**
 * Reads the `resources` of a YAML or JSON file: a configuration file, or a file with nothing else in it.
 * Throws a ConfigError if the file cannot be read.
 */
export async function readResourceFile(folder: string, named: string): Promise<ResourceFile> {
  const path = resolve(folder, named)
  const name = relative(folder, path) || path
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError([`${name}: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}`])
  })
  if (text.length > most) throw new ConfigError([`${name}: is larger than ${most / 1024 / 1024} MiB`])
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  if (document.errors.length > 0) {
    const places = document.errors.map(({ linePos, code }) => {
      const [at] = linePos ?? []
      return `${name}${at === undefined ? '' : `:${at.line}:${at.col}`}: cannot be read (${code})`
    })
    throw new ConfigError(places)
  }
  const whole = contentOf(document, name)
  const { declared, problems } = readResources(whole.resources ?? {})
  const lineOf = (node: unknown): number | undefined => {
    const range = (node as Node | undefined)?.range
    return range ? lines.linePos(range[0]).line : undefined
  }
  return {
    name,
    resources: declared,
    problems: [...unknownNames(whole), ...problems],
    render({ path: place, member, words }) {
      const node = nearest(document.contents, ['resources', ...place])
      const line = lineOf(member === undefined ? node : (keyIn(node, member) ?? node))
      const where = place.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
      return `${name}${line === undefined ? '' : `:${line}`}: ${where.replace(/^\./, '') || 'resources'}: ${words}`
    },
  }
}

function contentOf(
  document: ReturnType<typeof parseDocument>,
  name: string,
): Readonly<Record<string, unknown>> {
  const content = toValue(document, name)
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
  throw new ConfigError([`${name}: must hold an object with the member resources`])
}

function toValue(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    // Limits YAML aliases: nested ones expand a small file to a huge value (a "billion laughs" attack).
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (cause) {
    throw new ConfigError([`${name}: ${(cause as Error).message}`])
  }
}

/** Top-level names that are neither `resources` nor options: a list written one level too high, or a typing error. */
function unknownNames(whole: Readonly<Record<string, unknown>>): readonly ResourceProblem[] {
  const known = Object.keys(configOptions.properties)
  const unknown = Object.keys(whole).filter((name) => !known.includes(name))
  const problems = unknown.map((name) => ({
    path: [],
    member: name,
    words: listNames.includes(name)
      ? `${name} belongs below resources`
      : `${name}: there is no such option${didYouMean(name, known)}`,
  }))
  if (whole.resources !== undefined || problems.length > 0) return problems
  return [{ path: [], words: 'this file has none' }]
}

/** The node at a path, or its nearest parent that exists. */
function nearest(node: unknown, path: readonly (string | number)[]): unknown {
  let found = node
  for (const part of path) {
    const child = isMap(found) || isSeq(found) ? found.get(part, true) : undefined
    if (child === undefined) break
    found = child
  }
  return found
}

/** The first key or text with this name within a node. */
function keyIn(node: unknown, name: string): unknown {
  let found: unknown
  if (!isMap(node) && !isSeq(node)) return undefined
  visit(node, {
    Scalar(_, scalar) {
      if (isScalar(scalar) && scalar.value === name) {
        found = scalar
        return visit.BREAK
      }
      return undefined
    },
  })
  return found
}
