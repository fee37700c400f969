import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/base/index.ts'
import { findClient, updateClient } from '../../src/clients/index.ts'
import { checkConfig, configurationHash, type Settings } from '../../src/config/index.ts'
import { openEngine } from '../../src/engine/index.ts'
import { takeLock } from '../../src/storage/index.ts'
import { sampleWebClient, startEngine } from '../../src/testing/index.ts'
import { callCommand } from '../cli/terminal.ts'
import { nodeSettings } from '../support/nodes.ts'
import { onEachDatabase } from '../support/postgres.ts'
import { startSmtpServer } from '../support/smtp-server.ts'
import { newVisitor } from '../wire/visitor.ts'

const close: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const one of close.splice(0).reverse()) await one()
})

const secret = 'only for tests: a secret of these nodes'
const web = sampleWebClient('http://localhost:8080/login/callback', 'canary-the-secret-of-the-web-client')

/** A node with the warnings of its log. */
async function startNode(settings: Settings) {
  const lines: Record<string, unknown>[] = []
  const log = createLogger({ level: 'warn', stream: { write: (line) => void lines.push(JSON.parse(line)) } })
  const config = checkConfig(
    nodeSettings('smtp://u:canary-of-the-mail-server@127.0.0.1:9', {
      secrets: [secret],
      clients: [web],
      people: [],
      ...settings,
      mail: { deliver: false, ...settings.mail },
    }),
  )
  const engine = await openEngine(config, { log })
  close.push(() => engine.close())
  const differences = lines.filter(({ msg }) => String(msg).startsWith('the configuration differs'))
  const metrics = await (await fetch(`http://localhost:${engine.port}/metrics`)).text()
  return {
    engine,
    config,
    log: JSON.stringify(lines),
    differs: differences.map((line) => line.settings),
    hash: /^rekey_config_info\{hash="([\w-]{12})"\} 1$/m.exec(metrics)?.[1],
  }
}

onEachDatabase('nodes that are configured differently', (database) => {
  test('are named in the log, setting by setting and without values, and by a hash in the metrics', async () => {
    const { url, drop } = await database.create()
    close.push(drop)
    const settings = { database: { url }, issuer: 'https://id.example.com' }
    const first = await startNode({ ...settings, policies: { password: { complexity: { minLength: 12 } } } })
    expect(first.differs).toEqual([])
    expect(first.hash).toBe(configurationHash(first.config))

    const other = await startNode({
      ...settings,
      policies: { password: { complexity: { minLength: 20 } } },
      clients: [{ ...web, label: 'Another label', secret: 'canary-another-secret-of-the-web-client' }],
      mail: { url: 'smtp://u:canary-another@127.0.0.1:9' },
    })
    expect(other.differs).toEqual([
      [
        'clients.rekey-web.label',
        'clients.rekey-web.secret',
        'mail.url',
        'policies.password.complexity.minLength',
      ],
    ])
    expect(other.log).not.toContain('canary')
    expect(other.hash).not.toBe(first.hash)

    const again = await startNode({ ...settings, policies: { password: { complexity: { minLength: 12 } } } })
    expect(again.differs).toHaveLength(1)
    expect(again.hash).toBe(first.hash)
    const rows = await again.engine.storage.db.selectFrom('settings').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain('canary')
  })

  test('keep a change of an app that is made over the API while they start', async () => {
    const { url, drop } = await database.create()
    close.push(drop)
    const { engine } = await startNode({ database: { url } })
    const { storage } = engine
    let start: Promise<unknown> | undefined
    await storage.transaction(async (tx) => {
      await takeLock(tx, 'apps')
      const found = await findClient(tx, web.id)
      if (found === undefined) throw new Error('there is no app')
      await updateClient(tx, web.id, { settings: { ...found.settings, refreshTokenLeeway: 7 } }, 1)
      start = engine.register(web)
      // Long enough to read the app as it was before.
      await setTimeout(400)
    })
    await start
    expect((await findClient(storage.db, web.id))?.settings.refreshTokenLeeway).toBe(7)
  })

  test('are not those that differ in what is a node’s own, nor in the master secret while it is rotated', async () => {
    const { url, drop } = await database.create()
    close.push(drop)
    const settings = { database: { url }, issuer: 'https://id.example.com' }
    await startNode(settings)
    const own = await startNode({
      ...settings,
      database: { url, poolSize: 3 },
      mail: { connections: 2 },
      password: { concurrency: 1, queue: 7, waitMs: 1000 },
      http: {
        keepAlive: '2m',
        headersTimeout: '9s',
        requestTimeout: '20s',
        shutdownDelay: '1s',
        connectionsPerAddress: 7,
        accessLog: true,
      },
      metrics: { port: 0, host: '127.0.0.1', public: true },
    })
    expect(own.differs).toEqual([])
    // As a version has written it that counted some of them.
    const { db } = own.engine.storage
    const { value = '' } = await db
      .selectFrom('settings')
      .selectAll()
      .where('key', 'like', '%configuration%')
      .executeTakeFirstOrThrow()
    const noted = JSON.parse(value) as { settings: Record<string, string> }
    noted.settings['metrics.port'] = noted.settings['org.name'] ?? ''
    await db
      .updateTable('settings')
      .set({ value: JSON.stringify(noted) })
      .where('key', 'like', '%configuration%')
      .execute()
    expect((await startNode(settings)).differs).toEqual([])
    const newest = 'only for tests: the newest secret'
    for (const secrets of [[secret, newest], [newest, secret], [newest]]) {
      expect((await startNode({ ...settings, secrets })).differs).toEqual([])
    }
  })

  test('are shown by rekey doctor', async () => {
    const { url, drop } = await database.create()
    close.push(drop)
    const folder = mkdtempSync(join(tmpdir(), 'rekey-drift-'))
    close.push(() => rmSync(folder, { recursive: true }))
    const env = {
      DATABASE_URL: url,
      REKEY_SECRET: secret,
      SMTP_URL: 'smtp://127.0.0.1:9',
      REKEY_ORG_NAME: 'Example',
    }
    const config = checkConfig({
      secrets: [secret],
      database: { url },
      mail: { url: env.SMTP_URL, deliver: false },
      http: { port: 0 },
      org: { name: 'Example' },
    })
    const engine = await openEngine(config, { log: createLogger({ level: 'silent' }) })
    close.push(() => engine.close())
    const finding = async (more: Record<string, string> = {}) => {
      const { stdout } = await callCommand(['doctor', '--json'], { folder, env: { ...env, ...more } })
      const findings: { id: string; result: string; why: string }[] = JSON.parse(stdout)
      return findings.find(({ id }) => id === 'configuration')
    }
    expect(await finding()).toMatchObject({
      result: 'met',
      why: expect.stringContaining(configurationHash(config)),
    })
    expect(await finding({ REKEY_ORG_NAME: 'Other', REKEY_MAIL_FROM: 'a@example.com' })).toMatchObject({
      result: 'deviates',
      why: expect.stringMatching(/differs in: mail\.from, org\.name$/),
    })
    expect(await finding({ REKEY_SECRET: '' })).toMatchObject({ result: 'not checked' })
  })
})

describe('the sender', () => {
  test('with a name is an envelope’s address and a header with both', async () => {
    const server = await startSmtpServer()
    close.push(server.close)
    const idp = await startEngine({
      settings: { mail: { url: server.url, from: 'Acme, Inc. <no-reply@acme.example>' } },
    })
    close.push(idp.close)
    await newVisitor(idp, {}).atTheCode()
    await idp.engine.delivery.idle()
    const [mail] = server.received
    expect(mail?.from).toBe('no-reply@acme.example')
    expect(mail?.source).toMatch(/^From: "Acme, Inc\." <no-reply@acme\.example>\r?$/m)
    const { from } = await simpleParser(mail?.source ?? '')
    expect(from?.value).toEqual([{ address: 'no-reply@acme.example', name: 'Acme, Inc.' }])
  })
})

describe('an address of magic links that an earlier version took unchecked', () => {
  test('shows the code instead of an error where it is relative', async () => {
    const idp = await startEngine()
    close.push(idp.close)
    const { storage, clock } = idp.engine
    const settings = {
      applicationType: 'web' as const,
      redirectUris: [idp.redirectUri],
      postLogoutRedirectUris: [],
      grantTypes: ['interaction_code', 'refresh_token'] as const,
      emailMagicLinkRedirectUri: '/login/callback',
    }
    await updateClient(storage.db, idp.clientId, { settings }, clock.now())
    const visitor = newVisitor(idp, {})
    await visitor.atTheCode()
    const { link, code } = await visitor.mail()
    const response = await fetch(link ?? '', { redirect: 'manual' })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain(code ?? 'no code')
  })
})
