import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort, missing } from '../support/programs.ts'
import { end, start, until } from './rekey.ts'

// The admin page on a name of its own, of a production node behind nginx. Real processes on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const admin = 'admin.example.com'
const issuer = 'id.example.com'
const absent = missing('nginx')
const children: ChildProcess[] = []
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-admin-host-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, 'SIGKILL')
  rmSync(folder, { recursive: true })
})

/** A node in production; answers the port that it listens on. */
async function node(env: Readonly<Record<string, string>>): Promise<number> {
  const child = start(['serve'], {
    folder,
    env: {
      ...{ DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`, REKEY_ISSUER: `https://${issuer}` },
      ...{ REKEY_SECRET: 'a master secret of 32 characters or more', SMTP_URL: 'smtp://127.0.0.1:1' },
      ...{ REKEY_HOST: '127.0.0.1', REKEY_PORT: '0', REKEY_METRICS_PORT: '0', REKEY_SHUTDOWN_DELAY: '0s' },
      ...{ REKEY_TRUSTED_PROXIES: '127.0.0.1', REKEY_MAIL_INSECURE_PLAIN_SMTP: 'true', ...env },
    },
  })
  children.push(child)
  const log: Record<string, unknown>[] = []
  createInterface({ input: child.stderr }).on('line', (line) =>
    log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line }),
  )
  await Promise.race([until(() => log.some(({ msg }) => msg === 'ready')), once(child, 'exit')])
  const ready = log.find(({ msg }) => msg === 'ready')
  if (ready === undefined) throw new Error(`rekey serve did not start: ${JSON.stringify(log)}`)
  return Number(ready.port)
}

/** nginx with a server for each of the two names, as docs/deploy.md has it; answers its port. */
async function proxyTo(port: number): Promise<number> {
  const own = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  )
  const serverOf = (name: string, rest: string) =>
    `server { listen 127.0.0.1:${own}; server_name ${name}; ${rest} location / {
       proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; proxy_set_header Connection "";
       proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } }`
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')};
     events {} http { access_log off; ${temporary.join(' ')}
     ${serverOf(issuer, '')} ${serverOf(admin, 'allow 127.0.0.0/8; deny all;')} }`,
  )
  children.push(
    spawn('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')]),
  )
  await until(async () => (await statusOf(own, issuer, '/health/live').catch(() => 0)) > 0)
  return own
}

const statusOf = (port: number, host: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject).end()
  })

test.skipIf(absent !== undefined).each(['the configuration file', 'the environment'])(
  `management.host by %s: the admin page is at its own name alone${absent === undefined ? '' : ` (${absent})`}`,
  async (by) => {
    const isFile = by === 'the configuration file'
    const clients = [{ id: 'shop', label: 'Shop', redirectUris: ['https://shop.example.com/callback'] }]
    const settings = { clients, ...(isFile && { management: { host: admin } }) }
    writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify(settings))
    const port = await proxyTo(await node(isFile ? {} : { REKEY_MANAGEMENT_HOST: admin }))
    for (const path of ['/admin', '/admin/admin.js', '/ui/ui.css']) {
      expect(await statusOf(port, admin, path), path).toBe(200)
      expect(await statusOf(port, issuer, path), path).toBe(404)
    }
    const discovery = '/oauth2/default/.well-known/openid-configuration'
    expect(await statusOf(port, issuer, discovery)).toBe(200)
    // The API is at both, and asks for a token.
    for (const name of [admin, issuer]) expect(await statusOf(port, name, '/api/v1/users')).toBe(401)
  },
)
