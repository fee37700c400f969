// Builds dist/: the declarations by the compiler, which checks the types, and the code as a bundle. A process that starts
// from one file for each command, with the small files of our own and of `bundled` in it, resolves and opens some hundred
// files instead of two thousand (issue 17). Everything else of `dependencies` is imported from its package as before.
// What is built is put in the place of dist/ at the end: a build that fails leaves the old one.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { bundled } from './bundled.mjs'
import { pruneDeclarations } from './declarations.mjs'
import { lineMap } from './line-map.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, `dist.${process.pid}`)
const replaced = join(root, `dist.${process.pid}.old`)

/** The modules that others import or run. All else of dist/ may be named and cut differently by the next build. */
const entries = {
  index: 'src/index.ts',
  'testing/index': 'src/testing/index.ts',
  'cli/main': 'src/cli/main.ts',
  'cli/exit-with-parent': 'src/cli/exit-with-parent.ts',
}

const packageOf = (id) => /^(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? id
/** The package that the file of a module belongs to; undefined for our own. */
const ownerOf = (id) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id.split(sep).join('/'))?.[1]

/**
 * A module of src/ finds its stylesheet, its templates or package.json by its own address. In the bundle that is the
 * address that the module had as a file of dist/, where these still are.
 */
const ownAddress = {
  name: 'own-address',
  transform(code, id) {
    if (!id.startsWith(join(root, 'src') + sep) || !code.includes('import.meta.')) return
    const file = relative(join(root, 'src'), id).split(sep).join('/').replace(/\.ts$/, '.js')
    const marked = code.replace(
      /\bimport\.meta\.(url|dirname|filename)\b/g,
      (_, part) => `__address_${part}(${JSON.stringify(file)})`,
    )
    return { code: marked, map: null }
  },
  renderChunk(code, { fileName }) {
    if (!code.includes('__address_')) return
    const addressed = code.replace(/__address_(url|dirname|filename)\("([^"]+)"\)/g, (_, part, file) => {
      const path = posix.relative(posix.dirname(fileName), part === 'dirname' ? posix.dirname(file) : file)
      if (part !== 'url') return `process.getBuiltinModule('node:path').join(import.meta.dirname, '${path}')`
      return `new URL('${path.startsWith('.') ? path : `./${path}`}', import.meta.url).href`
    })
    return { code: addressed, map: null }
  },
}

/**
 * Both are read by an import in full, `WebSocket` and `fetch` of node:http too, which is 35 ms of a start for parts that no
 * module here uses. Asked for as an object they are not.
 */
const partly = {
  name: 'partly-read',
  renderChunk(code) {
    const read = code.replace(
      /^import \{([^}]*)\} from ["'](node:https?)["'];$/gm,
      (_, names, id) => `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule("${id}");`,
    )
    return read === code ? undefined : { code: read, map: null }
  },
}

async function bundle() {
  const build = await rolldown({
    cwd: root,
    input: entries,
    platform: 'node',
    tsconfig: false,
    transform: { target: 'esnext' },
    external: (id, importer, isResolved) => {
      if (isResolved || id.startsWith('.') || id.startsWith(root) || id.startsWith('@oxc-project/'))
        return false
      return ownerOf(importer ?? '') === undefined && !bundled.has(packageOf(id))
    },
    plugins: [ownAddress, partly],
    onLog(level, { code, message }, log) {
      // Each is a fault of what would run, which nobody reads between the lines of a build.
      if (level === 'warn' && code !== 'SOURCEMAP_BROKEN') throw new Error(`${code}: ${message}`)
      if (level !== 'warn') log(level, message)
    },
  })
  const { output } = await build.write({
    dir: built,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // Names and lines stay as they are written, so that a stack trace can be read without the map too.
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    // The sources are those of the commit: `src/` of the repository.
    sourcemapExcludeSources: true,
  })
  await build.close()
  const chunks = output.filter(({ type }) => type === 'chunk')
  for (const { fileName, map } of chunks) {
    // One that only passes on what others export has none.
    if (map === null) continue
    const file = join(built, `${fileName}.map`)
    writeFileSync(file, JSON.stringify(lineMap(JSON.parse(readFileSync(file, 'utf8')))))
  }
  return chunks
}

/** The licences of the packages that the bundle holds parts of, as they ask for. */
function noticesOf(chunks) {
  const names = new Set(chunks.flatMap(({ moduleIds }) => moduleIds.map(ownerOf)))
  names.delete(undefined)
  const parts = [...names].sort().map((name) => {
    if (!bundled.has(name))
      throw new Error(`${name} is in the bundle, and not in the list of scripts/build.mjs`)
    const folder = join(root, 'node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no file with its licence`)
    return `## ${name} ${version}\n\n${license}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  })
  return `# Packages that parts of are in this folder\n\n${parts.join('\n')}`
}

function compile(...args) {
  const { status } = spawnSync('tsc', args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`tsc ${args.join(' ')} failed`)
}

try {
  compile('-p', 'tsconfig.build.json', '--outDir', built)
  pruneDeclarations(built, ['index', 'testing/index'])
  compile('-p', 'tsconfig.sample-app.json', '--outDir', join(built, 'sample-app'))
  writeFileSync(join(built, 'third-party.md'), noticesOf(await bundle()))
  // Templates, styles, pictures and the scripts of pages: neither compiled nor bundled.
  cpSync(join(root, 'src'), built, { recursive: true, filter: (path) => !path.endsWith('.ts') })
  cpSync(join(root, 'examples/web/public'), join(built, 'sample-app/public'), { recursive: true })
  const dist = join(root, 'dist')
  if (existsSync(dist)) renameSync(dist, replaced)
  renameSync(built, dist)
} finally {
  for (const folder of [built, replaced]) rmSync(folder, { recursive: true, force: true })
}
