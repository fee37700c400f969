import { setDefaultCACertificates } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { atTheCode, manyMails } from '../support/attacks.ts'
import { type Node, startNode } from '../support/nodes.ts'
import { noPostfix, type Postfix, startPostfix } from '../support/postfix.ts'
import { testCertificate } from '../support/smtp-server.ts'

if (noPostfix) console.warn(`skipped: ${noPostfix}`)
let postfix: Postfix
let node: Node
afterEach(async () => {
  await node?.close()
  await postfix?.stop()
})

async function started(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  setDefaultCACertificates([testCertificate.cert])
  postfix = await startPostfix(settings)
  node = await startNode({
    settings: {
      mail: { url: postfix.url, spreadMs: 0, from: 'no-reply@acme.example' },
      limits: manyMails,
      people: [
        { login: 'mary@example.com' },
        { login: 'gone@example.com' },
        { login: 'ada@elsewhere.example' },
      ],
    },
  })
}
const tried = async (login: string) => {
  await atTheCode(node, login)
  await node.engine.delivery.idle()
}
const rows = () =>
  node.engine.storage.db
    .selectFrom('outbox')
    .select(['recipient', 'status', 'error'])
    .orderBy('created_at')
    .execute()

test.skipIf(noPostfix)('Postfix takes a mail over STARTTLS, and delivers it with its code', async () => {
  await started()
  await tried('mary@example.com')
  expect(await rows()).toEqual([{ recipient: 'mary@example.com', status: 'sent', error: null }])
  await expect.poll(() => postfix.received()).toHaveLength(1)
  const [source = ''] = await postfix.received()
  expect(source).toMatch(/Enter a code instead: \d{6}/)
  expect(source).toMatch(/^Return-Path: <no-reply@acme\.example>/m)
  expect(source).toMatch(/^Received: from acme\.example /m)
})

test.skipIf(noPostfix)('an unknown mailbox is final for Postfix, a denied relay is not', async () => {
  await started()
  await tried('gone@example.com')
  await tried('ada@elsewhere.example')
  expect(await rows()).toEqual([
    { recipient: 'gone@example.com', status: 'dead', error: expect.stringContaining('550 5.1.1') },
    { recipient: 'ada@elsewhere.example', status: 'queued', error: expect.stringContaining('554 5.7.1') },
  ])
  await tried('gone@example.com')
  expect((await rows()).at(-1)).toMatchObject({
    status: 'dead',
    error: expect.stringContaining('no mail is sent to the address'),
  })
})

test.skipIf(noPostfix)('an unknown user has a session with Postfix, and no mail', async () => {
  await started()
  await tried('unknown@example.com')
  await expect.poll(() => postfix.log()).toContain('connect from')
  expect(await postfix.log()).not.toContain('unknown@example.com')
  expect(await rows()).toMatchObject([{ recipient: null, status: 'dropped' }])
})
