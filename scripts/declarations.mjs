import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const named = /^(export|import)( type)? \{([^}]*)\} from '(\.[^']+)';\n/gm
const namesIn = (list) =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
/** Of `type A as B` the name there, which is `A`, and the name here, which is `B`. */
const partsOf = (entry) => {
  const [there, here = there] = entry.replace(/^type /, '').split(' as ')
  return { there, here }
}

/**
 * Leaves of the declarations in a folder what the entries lead to, by name: a file that only passes on what others export
 * (`index.ts` of a folder) passes on what is asked of it. What is left names fewer packages, and none of which a user of
 * this one would have to install the types (`pg` has none of its own).
 */
export function pruneDeclarations(folder, entries) {
  /** The names that each file is asked for. */
  const asked = new Map()
  const pending = entries.map((entry) => [join(folder, `${entry}.d.ts`), ['*']])
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [file, names] = next
    const before = asked.get(file)
    const all = new Set([...(before ?? []), ...names])
    if (before !== undefined && all.size === before.size) continue
    asked.set(file, all)
    const text = readFileSync(file, 'utf8')
    const pathOf = (path) => join(dirname(file), path.replace(/\.(ts|js)$/, '.d.ts'))
    for (const [, , , list, path] of text.matchAll(named)) {
      const wanted = namesIn(list)
        .map(partsOf)
        .filter((name) => !isPassedOn(text) || isAsked(all, name))
      if (wanted.length > 0) pending.push([pathOf(path), wanted.map(({ there }) => there)])
    }
    // `export *`, `import('…')` and the like: all of it.
    for (const [, path] of text.replace(named, '').matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      pending.push([pathOf(path), ['*']])
    }
  }
  for (const path of readdirSync(folder, { recursive: true })) {
    const file = join(folder, path)
    if (!file.endsWith('.d.ts') || !existsSync(file)) continue
    const names = asked.get(file)
    const text = names === undefined ? '' : readFileSync(file, 'utf8')
    if (names === undefined) rmSync(file)
    else if (isPassedOn(text))
      writeFileSync(
        file,
        text.replace(named, (...parts) => passedOn(parts, names)),
      )
  }
}

const isAsked = (names, { here }) => names.has('*') || names.has(here)

/** Whether a file has no declaration of its own. */
const isPassedOn = (text) =>
  text
    .replace(named, (statement) => (statement.startsWith('export') ? '' : statement))
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    .trim() === ''

function passedOn([, keyword, type = '', list, path], names) {
  const left = namesIn(list).filter((entry) => isAsked(names, partsOf(entry)))
  return left.length === 0 ? '' : `${keyword}${type} { ${left.join(', ')} } from '${path}';\n`
}
