import { IdxFeature, type IdxTransaction } from '@okta/okta-auth-js'
import type { Captcha } from './captcha.ts'
import { passingStorage } from './okta.ts'
import type { Visit } from './visit.ts'

/** What the server offers on its first page, as far as an answer of it has said so. Of the server, not of a user. */
export interface Offers {
  /** Whether locked accounts can be opened here. */
  unlock?: boolean
  /** Whether there is a sign-up. */
  signUp?: boolean
  /** The captchas of the pages that begin a transaction, by step: they are shown before the server is asked. */
  captchas?: Readonly<Record<string, Captcha | undefined>>
  /** When the server was last asked, in epoch milliseconds. */
  askedAt?: number
}

/** Notes what the first page of the server offers. The SDK names what an app may link to: its enabled features. */
export function noteOffers({ offers }: Pick<Visit, 'offers'>, transaction: IdxTransaction): void {
  const { availableSteps, enabledFeatures } = transaction
  const isFirstPage = availableSteps?.some(({ name }) => name === 'identify') ?? false
  if (!isFirstPage || enabledFeatures === undefined) return
  offers.unlock = enabledFeatures.includes(IdxFeature.ACCOUNT_UNLOCK)
  offers.signUp = enabledFeatures.includes(IdxFeature.REGISTRATION)
}

/** How long the sign-in page waits for the answer, and how often it asks while there is nothing to link to. */
const patienceMs = 2000
const askAgainMs = 60_000

/**
 * Asks the server once what it offers, for the links of the sign-in page. The attempt that this takes is not stored. A server
 * that does not answer keeps no visitor waiting: the links are shown then, and their pages say what is closed.
 */
export async function learnOffers(visit: Visit): Promise<void> {
  const { offers } = visit
  if (offers.signUp === true || Date.now() - (offers.askedAt ?? 0) < askAgainMs) return
  offers.askedAt = Date.now()
  const asked = visit
    .client(passingStorage())
    .idx.start()
    .then((transaction) => noteOffers(visit, transaction))
    .catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs)
  })
  await Promise.race([asked, waited])
  clearTimeout(timer)
}
