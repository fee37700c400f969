import { type Random, systemClock, systemRandom } from '../../base/index.ts'
import { type ComposedMail, compose } from './compose.ts'
import { rfcTimeouts, SmtpDialogue, type SmtpTimeouts } from './smtp-dialogue.ts'
import { heloNameFrom, parseSmtpUrl } from './smtp-url.ts'
import { type Mailbox, MailRefused, type Transport } from './transport.ts'

export interface SmtpOptions {
  /** `smtp://user:password@host:port` or `smtps://…`, as `parseSmtpUrl` reads it. */
  readonly url: string
  readonly from: Mailbox
  /** The name for EHLO; default: `?name=` of the URL, else the sender's domain. */
  readonly name?: string | undefined
  /** Allows a server that is not on this machine to be spoken to without TLS, or with a certificate that is not valid. */
  readonly insecurePlain?: boolean
  /** Open connections; see `slowFactor`. */
  readonly connections?: number
  /** Limits that differ from those of RFC 5321: for tests. */
  readonly timeouts?: Partial<SmtpTimeouts>
  readonly random?: Random
}

/**
 * How many times as many connections there may be once the server is slow: mails that it takes its time over must not
 * hold back those that it would take at once.
 */
export const slowFactor = 5

/** Mails in one session, rehearsals included: Postfix delays a session after a hundred RSET without a mail. */
const mailsPerDialogue = 50
/** Below the five minutes that a server waits at least (RFC 5321, section 4.5.3.2.7). */
const idleMs = 4 * 60_000
const verifyMs = 15_000
/** How many of the latest deliveries a rehearsal takes its time from. */
const remembered = 32

/** Sends mails over SMTP (RFC 5321), with connections that stay open between mails. */
export function createSmtpTransport(options: SmtpOptions): Transport {
  const { url, from, connections = 5, random = systemRandom } = options
  const target = parseSmtpUrl(url)
  const dialogueOptions = {
    target,
    name:
      options.name ?? target.name ?? heloNameFrom([from.address.slice(from.address.lastIndexOf('@') + 1)]),
    insecurePlain: options.insecurePlain ?? false,
    timeouts: { ...rfcTimeouts, ...options.timeouts },
  }
  const idle: SmtpDialogue[] = []
  const open = new Set<SmtpDialogue>()
  const waiting: (() => void)[] = []
  /** Milliseconds from MAIL to the last reply, of mails that were accepted. */
  const durations: number[] = []
  let opening = 0
  let closed = false

  async function acquire(signal?: AbortSignal): Promise<SmtpDialogue> {
    for (;;) {
      const free = idle.pop()
      if (free?.isAlive) return free
      if (free !== undefined) continue
      if (closed || signal?.aborted)
        throw new MailRefused('this node is shutting down', { reason: 'connection' })
      if (open.size + opening < connections * slowFactor) break
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    opening++
    try {
      const dialogue = await SmtpDialogue.open(dialogueOptions, signal)
      open.add(dialogue)
      dialogue.onEnd = () => {
        open.delete(dialogue)
        waiting.shift()?.()
      }
      return dialogue
    } catch (error) {
      waiting.shift()?.()
      throw error
    } finally {
      opening--
    }
  }

  function release(dialogue: SmtpDialogue): void {
    if (!dialogue.isAlive) return
    if (closed || dialogue.mails >= mailsPerDialogue || idle.length >= connections) {
      dialogue.quit()
      return
    }
    idle.push(dialogue)
    waiting.shift()?.()
    const { mails } = dialogue
    setTimeout(() => {
      const at = idle.indexOf(dialogue)
      if (at === -1 || dialogue.mails !== mails) return
      idle.splice(at, 1)
      dialogue.quit()
    }, idleMs).unref()
  }

  /** Does something in a session; once more in a new one where a session that had been idle was gone. */
  async function within(
    signal: AbortSignal | undefined,
    work: (dialogue: SmtpDialogue) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const dialogue = await acquire(signal)
      const wasIdle = dialogue.mails > 0
      try {
        await work(dialogue)
        release(dialogue)
        return
      } catch (error) {
        const lost = error instanceof MailRefused && error.reason === 'connection' && !dialogue.isAlive
        if (dialogue.isAlive)
          void dialogue.reset().then(
            () => release(dialogue),
            () => dialogue.close(),
          )
        if (!(lost && wasIdle && signal?.aborted !== true)) throw error
      }
    }
  }

  async function deliver(dialogue: SmtpDialogue, mail: ComposedMail, signal?: AbortSignal): Promise<void> {
    const began = performance.now()
    await dialogue.send(mail, signal)
    durations.push(performance.now() - began)
    if (durations.length > remembered) durations.shift()
  }

  return {
    name: 'smtp',

    async send(mail, signal) {
      // The reader's mail program goes by it: the real time, whatever a test's clock says.
      const composed = compose(mail, from, systemClock.now())
      await within(signal, (dialogue) => deliver(dialogue, composed, signal))
    },

    // A62: how long a mail is in hand, whether it opens a connection, and whether it fails with the server are metrics
    // that anyone may read who reads /metrics. One for an unknown user therefore holds a session for as long as
    // one of the latest mails did.
    rehearse: (signal) =>
      within(signal, async (dialogue) => {
        await dialogue.reset(signal)
        dialogue.mails++
        const [byte = 0] = random.bytes(1)
        const spent = durations[Math.floor((byte / 256) * durations.length)] ?? 4 * dialogue.replyMs
        await pause(Math.max(0, spent - dialogue.replyMs), signal)
      }),

    async verify() {
      const signal = AbortSignal.timeout(verifyMs)
      const dialogue = await SmtpDialogue.open(dialogueOptions, signal).catch((error) => {
        if (!signal.aborted) throw error
        throw new MailRefused(`${target.host}:${target.port}: no answer within ${verifyMs / 1000} s`, {})
      })
      dialogue.quit()
    },

    async close() {
      closed = true
      const free = idle.splice(0)
      // What is still in hand was given up by the worker.
      for (const dialogue of open) if (!free.includes(dialogue)) dialogue.close()
      for (const dialogue of free) dialogue.quit()
    },
  }
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      signal?.removeEventListener('abort', abort)
      resolve()
    }
    function abort(): void {
      clearTimeout(timer)
      reject(new MailRefused('this node is shutting down', { reason: 'connection' }))
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
