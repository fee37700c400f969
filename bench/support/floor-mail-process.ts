// The least that delivering a mail can cost: a finished message, handed to the pool of nodemailer.
import nodemailer from 'nodemailer'
import type { Question, Usage } from './engine.ts'

const { smtpUrl, mails } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly smtpUrl: string
  readonly mails: number
}

const [from, to] = ['bench@engine.example', 'person@example.com']
/** As long as a mail of a recovery, with a text and a page. */
const raw = [
  `From: ${from}`,
  `To: ${to}`,
  'Subject: Reset your password',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  ...Array.from({ length: 60 }, () => 'x'.repeat(70)),
].join('\r\n')

const pool = nodemailer.createTransport({
  url: smtpUrl,
  pool: true,
  maxConnections: 5,
  maxMessages: Infinity,
})

async function sendAll(): Promise<void> {
  await Promise.all(Array.from({ length: mails }, () => pool.sendMail({ envelope: { from, to }, raw })))
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rss, heapUsed, hashes: 0 }
}

process.on('disconnect', () => process.exit(0))
process.on('message', async (question: Question) => {
  if (question === 'collect') globalThis.gc?.()
  if (question === 'idle') await sendAll()
  if (question === 'close') process.exit(0)
  process.send?.(usage())
})
process.send?.({ url: '' })
