import { MailRefused } from '../email/transport.ts'
import type { OutgoingText, TextTransport } from './transport.ts'

/** Captures texts and calls instead of sending them: in development and tests. */
export const createMemoryTexts = (onText: (text: OutgoingText) => void | Promise<void>): TextTransport => ({
  name: 'memory',
  async send(text) {
    await onText(text)
  },
  verify: async () => {},
})

/** Where nothing is configured that could send: each text is dead at once, with the reason, and stays to be retried. */
export const createNoTexts = (): TextTransport => {
  const refuse = async () => {
    throw new MailRefused('no service for texts and calls is configured (telephony.hook.url)', {
      reason: 'policy',
    })
  }
  return { name: 'none', send: refuse, rehearse: refuse, verify: refuse }
}
