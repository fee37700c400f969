import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { onThisMachine } from '../support/machine.ts'
import { freePort, missing, type Program } from '../support/programs.ts'
import { end, listens, start, until } from './rekey.ts'

const world = process.env.REKEY_TEST_WORLD === '1'
vi.setConfig({ testTimeout: world ? 1_200_000 : 240_000, hookTimeout: 240_000 })

const deploy = join(import.meta.dirname, '../../deploy')
const clientSecret = 'a client secret for this test only'
let folder: string
const over: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekey-restart-'))
  const client = {
    id: 'shop',
    label: 'Shop',
    secret: clientSecret,
    redirectUris: ['https://shop.example.com'],
  }
  writeFileSync(join(folder, 'rekey.config.json'), JSON.stringify({ clients: [client] }))
})
afterEach(async () => {
  for (const undo of over.splice(0).reverse()) await undo()
  rmSync(folder, { recursive: true })
})

/** A node on a port of its own, on the database that all nodes here share. */
async function startNode(port: number): Promise<ChildProcess> {
  const child = start(['serve'], {
    folder,
    env: {
      DATABASE_URL: `sqlite:${join(folder, 'rekey.db')}`,
      REKEY_SECRET: 'a master secret of 32 characters or more',
      REKEY_ISSUER: 'https://id.example.com',
      REKEY_MAIL_DELIVER: 'false',
      SMTP_URL: 'smtp://127.0.0.1:1',
      REKEY_HOST: '127.0.0.1',
      REKEY_PORT: String(port),
      REKEY_METRICS_PORT: '0',
      REKEY_TRUSTED_PROXIES: '127.0.0.1',
    },
  })
  over.push(() => end(child, 'SIGKILL'))
  const lines = createInterface({ input: child.stderr })
  const said: string[] = []
  lines.on('line', (line) => said.push(line))
  await Promise.race([until(() => said.some((line) => line.includes('"msg":"ready"'))), once(child, 'exit')])
  if (!said.some((line) => line.includes('"msg":"ready"')))
    throw new Error(`it did not start: ${said.join('\n')}`)
  return child
}

/** The file of `deploy/` with other addresses and paths, and nothing else changed. */
function configuration(
  file: string,
  changes: readonly (readonly [from: string | RegExp, to: string])[],
): string {
  let text = readFileSync(join(deploy, file), 'utf8')
  for (const [from, to] of changes) {
    const changed = text.replaceAll(from, to)
    if (changed === text) throw new Error(`${file} does not contain ${from}`)
    text = changed
  }
  return text
}

interface Ports {
  readonly https: number
  readonly http: number
  readonly nodes: readonly [number, number]
}

/** The programs, each started with its file of `deploy/`. */
const proxies: Readonly<Record<'nginx' | 'haproxy', (ports: Ports) => ChildProcess>> = {
  nginx({ https, http, nodes }) {
    const own = configuration('nginx.conf', [
      [/^ *listen \[::\].*\n/gm, ''],
      ['listen 443 ssl', `listen 127.0.0.1:${https} ssl`],
      ['listen 80', `listen 127.0.0.1:${http}`],
      ['127.0.0.1:9001', `127.0.0.1:${nodes[0]}`],
      ['127.0.0.1:9002', `127.0.0.1:${nodes[1]}`],
      ['/etc/ssl/rekey', folder],
    ])
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(folder, name)};`,
    )
    writeFileSync(join(folder, 'rekey.conf'), own)
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log ${join(folder, 'error.log')};
       events {} http { access_log off; ${paths.join(' ')} include ${join(folder, 'rekey.conf')}; }`,
    )
    return spawn('nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')])
  },
  haproxy({ https, http, nodes }) {
    const own = configuration('haproxy.cfg', [
      ['bind :443', `bind 127.0.0.1:${https}`],
      ['bind :80', `bind 127.0.0.1:${http}`],
      ['127.0.0.1:9001', `127.0.0.1:${nodes[0]}`],
      ['127.0.0.1:9002', `127.0.0.1:${nodes[1]}`],
      ['/etc/ssl/rekey', folder],
    ])
    writeFileSync(join(folder, 'haproxy.cfg'), own)
    return spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')])
  },
}

/** What is sent: GETs, and POSTs, which a proxy does not repeat by itself. */
const requests: readonly (readonly [method: string, path: string, type?: string, body?: string])[] = [
  ['GET', '/oauth2/default/.well-known/openid-configuration'],
  ['POST', '/idp/idx/introspect', 'application/json', '{"stateHandle":"of no transaction"}'],
  [
    'POST',
    '/oauth2/default/v1/interact',
    'application/x-www-form-urlencoded',
    new URLSearchParams({
      client_id: 'shop',
      client_secret: clientSecret,
      scope: 'openid',
      redirect_uri: 'https://shop.example.com',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      state: 'a state',
    }).toString(),
  ],
]

/** Visitors who send one request after the other until they are stopped. */
function visitors(https: number, count: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: count, rejectUnauthorized: false })
  over.push(() => agent.destroy())
  const statuses = new Map<number | string, number>()
  let isOver = false
  const note = (status: number | string) => statuses.set(status, (statuses.get(status) ?? 0) + 1)
  const send = (index: number) =>
    new Promise<void>((resolve) => {
      const [method, path, type, body] = requests[index % requests.length] ?? ['GET', '/']
      const sent = request(
        {
          host: '127.0.0.1',
          port: https,
          servername: 'id.example.com',
          agent,
          method,
          path,
          headers: {
            host: 'id.example.com',
            ...(type && { 'content-type': type, 'content-length': Buffer.byteLength(body ?? '') }),
          },
        },
        (response) => {
          response.resume().on('end', () => {
            note(response.statusCode ?? 0)
            resolve()
          })
        },
      )
      sent.on('error', (error: NodeJS.ErrnoException) => {
        note(error.code ?? error.message)
        resolve()
      })
      sent.end(body)
    })
  const visit = async (first: number) => {
    for (let index = first; !isOver; index++) {
      await send(index)
      await pause(15)
    }
  }
  const all = Promise.all(Array.from({ length: count }, (_, index) => visit(index)))
  return {
    statuses,
    async stop() {
      isOver = true
      await all
    },
  }
}

function certify(): void {
  const [key, chain] = [join(folder, 'key.pem'), join(folder, 'fullchain.pem')]
  const subject = ['-subj', '/CN=id.example.com', '-days', '1']
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  execFileSync('openssl', [...made, '-keyout', key, '-out', chain, ...subject], { stdio: 'ignore' })
  writeFileSync(join(folder, 'both.pem'), readFileSync(chain, 'utf8') + readFileSync(key, 'utf8'))
}

const restarts = world ? 20 : 1

describe.each(Object.keys(proxies) as (keyof typeof proxies)[])('behind %s', (program) => {
  const why = missing(...([program, 'openssl'] satisfies Program[]))

  test.skipIf(why !== undefined)(
    `no request is lost in ${restarts} restarts${why ? `: ${why}` : ''}`,
    async () => {
      certify()
      const ports: Ports = {
        https: await freePort(),
        http: await freePort(),
        nodes: [await freePort(), await freePort()],
      }
      const nodes = [await startNode(ports.nodes[0]), await startNode(ports.nodes[1])]
      const proxy = proxies[program](ports)
      over.push(() => end(proxy, 'SIGKILL'))
      const complaints: string[] = []
      proxy.stderr?.on('data', (chunk) => complaints.push(String(chunk)))
      await until(() => listens(`https://127.0.0.1:${ports.https}`)).catch(() => {
        throw new Error(`${program} did not start: ${complaints.join('')}`)
      })
      const load = visitors(ports.https, 8)
      await until(() => (load.statuses.get(200) ?? 0) > 20)

      for (let time = 0; time < restarts; time++) {
        const which = time % 2
        const node = nodes[which]
        const port = ports.nodes[which]
        if (node === undefined || port === undefined) throw new Error('there are two')
        const ready = `http://127.0.0.1:${port}/health/ready`
        const ending = end(node)
        // Announced while requests are still answered.
        await until(async () => (await fetch(ready)).status === 503, 4000)
        const live = await fetch(`http://127.0.0.1:${port}/health/live`)
        expect([live.status, live.headers.get('connection')]).toEqual([200, 'close'])
        const { code, ms } = await ending
        expect(code).toBe(0)
        // By itself, not by the deadline: 5 seconds for the balancer, one for what is on its way.
        expect(ms).toBeGreaterThan(5000)
        expect(ms).toBeLessThan(onThisMachine(13_000))
        nodes[which] = await startNode(port)
        await until(async () => (await fetch(ready)).status === 200)
        // The time that a proxy takes to use it again.
        await pause(world ? 5500 : 1500)
      }
      await load.stop()
      const failed = [...load.statuses].filter(([status]) => typeof status === 'string' || status >= 500)
      expect(failed).toEqual([])
      expect(load.statuses.get(200) ?? 0).toBeGreaterThan(restarts * 100)
      if (world)
        console.log(`${program}: ${restarts} restarts, ${JSON.stringify(Object.fromEntries(load.statuses))}`)
    },
  )
})
