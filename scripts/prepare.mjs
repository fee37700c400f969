// What npm runs after `npm ci` in a checkout: the build. Without the development packages (`--omit=dev`) there is no
// compiler, and the folder is used as it was built before. Any Node that npm runs on must be able to read this file.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
if (existsSync(`${root}/node_modules/typescript/package.json`)) {
  const { status } = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit', shell: true })
  process.exit(status ?? 1)
}
const built = existsSync(`${root}/dist/cli/main.js`)
process.stderr.write(
  `rekey: development packages were omitted, so nothing was built${built ? '; dist/ is used as it is' : ': run npm ci first, then npm prune --omit=dev'}\n`,
)
