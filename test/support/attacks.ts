import { expect, vi } from 'vitest'
import {
  type Answer,
  type Kit,
  type KitOptions,
  newVisitor,
  startEngine,
  type Visitor,
  type VisitorOptions,
  type VisitorTarget,
} from '../../src/testing/index.ts'
import { manyRequests } from './nodes.ts'

/** `npm run attacks -- --full`: the figures of the corpus instead of those that keep the default run short. */
export const isFull = process.env.REKEY_ATTACKS_FULL === '1'
export const scale = (short: number, full: number): number => (isFull ? full : short)

// A flood takes as long as it takes: how fast the machine is decides nothing here.
vi.setConfig({ testTimeout: scale(480_000, 4 * 3_600_000), hookTimeout: 240_000 })

export const newPassword = 'Lighthouse-Biscuit-77'

/** An engine whose clock stands still, so that only the test moves it. */
export const startTarget = (options: KitOptions = {}): Promise<Kit> =>
  startEngine({
    clock: 'frozen',
    ...options,
    settings: { ...options.settings, limits: { ...manyRequests, ...options.settings?.limits } },
  })

/** Budgets that let a guess through as often as the attacker likes to ask for another mail. */
export const manyMails = { mailsPerRecipient: 1_000_000 } as const

/** An engine with its mails. */
export type Attacked = VisitorTarget & Pick<Kit, 'engine' | 'outbox'>

/** A visitor whose transaction has begun. */
export async function visit(idp: VisitorTarget, options: VisitorOptions = {}): Promise<Visitor> {
  const visitor = newVisitor(idp, options)
  await visitor.begins()
  return visitor
}

/** A visitor whose recovery waits for the mailed code. */
export async function atTheCode(
  idp: VisitorTarget & Partial<Pick<Kit, 'engine'>>,
  identifier: string,
  options: VisitorOptions = {},
): Promise<Visitor> {
  // Mails that are delivered side by side arrive in any order: the earlier ones first.
  await idp.engine?.delivery.idle()
  return newVisitor(idp, options).atTheCode(identifier)
}

/** A visitor who may set a new password. */
export async function atTheReset(idp: Attacked, identifier: string): Promise<Visitor> {
  const visitor = await atTheCode(idp, identifier)
  await visitor.answers((await mailTo(idp, identifier)).code)
  expect(visitor.remediations).toEqual(['reset-authenticator'])
  return visitor
}

/** The newest mail to an address, or the newest of some templates, once everything that is due has been delivered. */
export async function mailTo(idp: Attacked, address: string, template?: readonly string[]) {
  await idp.engine.delivery.idle()
  if (template !== undefined) return idp.outbox.waitFor({ to: address, template, timeoutMs: 0 })
  const mail = idp.outbox.latest({ to: address })
  if (mail === undefined) throw new Error(`no mail went to ${address}`)
  return mail
}

/** How many mails went out, once everything that is due has been delivered. */
export async function mailCount(idp: Attacked): Promise<number> {
  await idp.engine.delivery.idle()
  return idp.outbox.all().length
}

/** A code that is not this one, of the same kind. */
export const wrongCode = (code: string | null | undefined, step = 1): string => {
  if (code === undefined || code === null || !/^\d{6}$/.test(code)) return 'AAAAAAAAAA'
  return String((Number(code) + step) % 1_000_000).padStart(6, '0')
}

/** Starts everything at once. */
export const parallel = <T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => work(index)))

/** What an answer says when ids, handles and times are masked: equal texts tell an attacker nothing. */
export function masked({ status, headers, body }: Answer, identifier: string): string {
  const text = JSON.stringify(body)
    // What is drawn comes first: a short name stands in some of it by chance.
    .replace(/02\.id\.[\w-]{43}/g, '<state handle>')
    .replace(/"(eae|lae)\w{17}"/g, '"<enrollment>"')
    .replaceAll(identifier, '<identifier>')
    .replace(/"m?\w?\*\*\*\w?@/g, '"<masked>@')
    .replace(/"expiresAt":"[^"]+"/g, '"expiresAt":"<time>"')
    .replace(/"oae\w{17}"/g, '"<error id>"')
  const lines = [...headers].map(([name, value]) =>
    ['x-okta-request-id', 'date', 'x-rate-limit-reset'].includes(name)
      ? `${name}: <masked>`
      : `${name}: ${value}`,
  )
  return [status, ...lines.sort(), text].join('\n')
}
