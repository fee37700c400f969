import { record } from '../audit/index.ts'
import { plainHash } from '../base/index.ts'
import { ownPagesId } from '../clients/index.ts'
import { findPersonToken, issuePersonToken, lockPerson } from '../directory/index.ts'
import { beginInteraction, type Origin } from '../interactions/index.ts'
import type { FlowParts } from './load.ts'
import { type OpenedLink, openLink } from './magic-link.ts'
import { endByLink, takenOver } from './transactions.store.ts'

/** Whether the owner of the mailbox may go on from a link in a recovery of the own: where the account of a user is what it is about. */
export const isOwnable = (link: OpenedLink): link is Extract<OpenedLink, { state: 'alive' }> =>
  link.state === 'alive' &&
  link.transaction.progress.intent === 'recovery' &&
  link.transaction.progress.subject?.userId !== undefined

/**
 * Begins a recovery by the owner of a mailbox, in the browser that has opened the link of a mail (A84). It takes nothing over from the
 * transaction that had the mail sent, which ends: neither address, state nor challenge, so that nothing of it reaches who asked for that.
 * That the mailbox is read is proven by the link, which no budget of guesses holds back. That proof is a recovery token, which is
 * handed out to no one: it is good once, and ends with the transaction, with a new password and with another mailbox. Undefined where the link is good for
 * nothing any more; of two that come at once one begins.
 *
 * @param begun.browser hash of the secret in the browser's cookie
 * @param begun.end the address of the pages, which no app is answered at
 */
export async function beginOwnRecovery(
  parts: FlowParts,
  { clientId, token }: { readonly clientId: string; readonly token: string },
  begun: { readonly browser: string; readonly end: string; readonly origin: Origin },
): Promise<{ readonly handle: string } | undefined> {
  const { storage, random, secrets, clock, lifetimes } = parts
  const link = await openLink(parts, clientId, token)
  if (!isOwnable(link)) return undefined
  const { transaction } = link
  const { subject, challenge } = transaction.progress
  const userId = subject?.userId
  if (userId === undefined || challenge === undefined) return undefined
  return storage.transaction(async (tx) => {
    const now = clock.now()
    // The user's row first, as in every transaction about a user (A50).
    const person = await lockPerson(tx, userId)
    const ended = await endByLink(tx, { id: transaction.id, linkHash: plainHash(token), now })
    if (person === undefined || !ended) return undefined
    const { authenticator, method } = challenge
    const { email } = person.profile
    const proves = parts.authenticators.get(authenticator)?.challenge?.provesMailbox?.(challenge) === true
    const lifetimeMs = lifetimes.transaction
    const text = await issuePersonToken(
      tx,
      { personId: userId, kind: 'recovery', lifetimeMs, ...(proves && { mailedTo: email }) },
      { random, secrets, now },
    )
    const issued = await findPersonToken(tx, text, { secrets, now })
    if (issued === undefined) return undefined
    const { handle } = await beginInteraction(
      tx,
      {
        // The engine's own pages, and not the app of the asker: the user may not be assigned to it, and nothing leads there.
        ...{ clientId: ownPagesId, issuer: 'org', redirectUri: begun.end, codeChallenge: '' },
        request: {
          ...{ scope: 'openid', state: '' },
          recoveryTokenId: issued.id,
          owner: { authenticator, method, at: now },
          hosted: { responseMode: 'query', browser: begun.browser },
        },
        origin: begun.origin,
      },
      { random, now, lifetimeMs },
    )
    await record(
      tx,
      {
        eventType: 'user.account.reset_password',
        displayMessage: 'The owner of the mailbox began a recovery in place of another one',
        outcome: { result: 'CHALLENGE' },
        actor: { id: person.id, type: 'User', alternateId: person.profile.login },
        target: [{ id: clientId, type: 'AppInstance' }],
        debugData: { rule: takenOver },
      },
      { random, now },
    )
    return { handle }
  })
}
