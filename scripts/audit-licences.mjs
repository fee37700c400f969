// Audits the dependencies by the lock alone, offline: `npm run audit:licences [-- FOLDER]`. Of the production tree every
// package has a licence of the list, of every package the bytes are pinned by SHA-512, none comes from a named host, none is
// deprecated, and no install script runs that was not decided on. The clients of `test/clients`, which have a lock of their
// own, never ship: their licences and scripts are not asked for. Exit code 1 where anything is otherwise, with a line for each.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundled } from './bundled.mjs'

/** SPDX ids. Licences that ask something of the one who runs the engine as a service are not among them. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Python-2.0',
  'Unlicense',
])

const folder = process.argv[2] ?? '.'
const read = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
const { packages, lockfileVersion } = read('package-lock.json')
const { allowScripts = {} } = read('package.json')
const problems = []
const licences = new Map()
if (lockfileVersion !== 3) problems.push(`the lock has version ${lockfileVersion}, and this script reads 3`)

// One of `A OR B` is enough, all of `A AND B` are needed; no other operators are taken.
const isAllowed = (licence) =>
  licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((either) => either.split(' AND ').every((one) => allowed.has(one)))

/** The packages of a lock, without the root, the folders of this repository, and the links to them. */
const installed = (lock) =>
  Object.entries(lock ?? {})
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, entry]) => {
      const name = path.replace(/^.*node_modules\//, '')
      return { name, entry, report: (problem) => problems.push(`${name} ${entry.version}: ${problem}`) }
    })

function checkOrigin({ entry, report }) {
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? '')) report('is not pinned by SHA-512')
  // npm then takes it from the registry that the machine is set to, and the integrity says which bytes.
  if (entry.resolved !== undefined) report('names where it comes from')
  // npm would warn of it, but the checkout's .npmrc has it print errors only.
  if (entry.deprecated !== undefined) report(`is deprecated: ${entry.deprecated}`)
}

const clients = 'test/clients/package-lock.json'
for (const one of existsSync(join(folder, clients)) ? installed(read(clients).packages) : []) checkOrigin(one)

for (const one of installed(packages)) {
  const { name, entry, report } = one
  checkOrigin(one)
  if (entry.hasInstallScript === true && (allowScripts[name] === undefined || entry.dev !== true)) {
    report('has an install script')
  }
  if (entry.dev === true && !bundled.has(name)) continue
  const licence = entry.license ?? 'none'
  licences.set(licence, (licences.get(licence) ?? 0) + 1)
  if (!isAllowed(licence)) report(`has the licence ${licence}`)
  if (entry.bin?.node !== undefined) report('brings a Node, which production takes from the system (F19)')
}

for (const [licence, count] of [...licences].sort(([, one], [, other]) => other - one)) {
  console.log(`${String(count).padStart(4)}  ${licence}`)
}
for (const problem of problems) console.error(problem)
const total = [...licences.values()].reduce((sum, count) => sum + count, 0)
console.log(`${total} packages in production, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
