import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { anyPorts, startDev } from './rekey.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const root = join(import.meta.dirname, '../..')
let folder: string
let installed: string

// As it is installed from its tarball, but for its dependencies: those of this checkout are linked one by one.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-package-'))
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'pipe',
  })
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  execFileSync('tar', ['xzf', tarball], { cwd: folder })
  installed = join(folder, 'node_modules/rekey-engine')
  mkdirSync(join(folder, 'node_modules'))
  renameSync(join(folder, 'package'), installed)
})
afterAll(() => rmSync(folder, { recursive: true }))

function link(isLinked: (name: string) => boolean): void {
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const path = join(folder, 'node_modules', name)
    if (isLinked(name) && !name.startsWith('.') && !existsSync(path)) {
      symlinkSync(join(root, 'node_modules', name), path)
    }
  }
}

async function startInstalled() {
  const bin = join(installed, 'bin/rekey.cjs')
  const dev = await startDev(['--data', 'memory', ...anyPorts], { folder, bin })
  const page = dev.appUrl === null ? undefined : (await fetch(dev.appUrl)).status
  await dev.end()
  return { appUrl: dev.appUrl, page, complaints: await dev.complaints }
}

test('an installed package starts rekey dev, with the sample app where its packages are installed', async () => {
  writeFileSync(join(folder, 'package.json'), '{}')
  link((name) => name !== 'express')
  const without = await startInstalled()
  expect(without.appUrl).toBeNull()
  expect(without.complaints).toContain('without the sample app, which needs: npm install express\n')

  link(() => true)
  const full = await startInstalled()
  expect([full.page, full.complaints]).toEqual([200, expect.not.stringContaining('sample app')])
})

test('has what an operator needs, and runs nothing when it is installed', async () => {
  for (const file of ['nginx.conf', 'haproxy.cfg', 'alerts.yaml', 'rekey.service']) {
    expect(existsSync(join(installed, 'deploy', file)), file).toBe(true)
  }
  const { default: manifest } = await import(join(installed, 'package.json'), { with: { type: 'json' } })
  const ran = ['preinstall', 'install', 'postinstall', 'prepare']
  expect(Object.keys(manifest.scripts).filter((name) => ran.includes(name))).toEqual([])
})
