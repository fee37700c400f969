import { createHash, randomBytes } from 'node:crypto'
import type { Kit, KitOptions } from '../../src/testing/index.ts'
import { atTheCode, atTheReset, mailTo, newPassword, visit, wrongCode } from '../support/attacks.ts'
import { newBrowser, openLink, sdk } from '../support/sdk.ts'

/** Something that goes wrong, driven for real, and what the flow inspector must say of it. */
export interface Failure {
  readonly what: string
  readonly cause: string
  /** In the words of the page. */
  readonly says: RegExp
  /** What the engine is started with, besides what is usual. */
  readonly options?: KitOptions
  /** Makes it go wrong. The conversation in question is the first that begins. */
  drive(idp: Kit): Promise<unknown>
}

const login = 'mary@example.com'

const control = (idp: Kit, path: string, body: object) =>
  fetch(`${idp.controlUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const openIn = (link: string | null, userAgent: string) =>
  fetch(link ?? '', { redirect: 'manual', headers: { 'user-agent': userAgent } })

const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A recovery that came as far as the interaction code. */
async function granted(idp: Kit) {
  const visitor = await atTheReset(idp, login)
  const done = await visitor.answers(newPassword)
  return { visitor, code: done.interactionCode ?? '' }
}

const redeem = (idp: Kit, parameters: Readonly<Record<string, string>>) =>
  fetch(`${idp.issuer}/v1/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'interaction_code', ...parameters }),
  })

const interact = (idp: Kit, parameters: Readonly<Record<string, string>>) =>
  fetch(`${idp.issuer}/v1/interact`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: idp.clientId,
      client_secret: idp.clientSecret,
      scope: 'openid',
      redirect_uri: idp.redirectUri,
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'state',
      ...parameters,
    }),
  })

export const failures: readonly Failure[] = [
  {
    what: 'a code that has expired',
    cause: 'code-expired',
    says: /^The code expired at .+, 5 minutes after it was mailed; it was entered at .+\. The clock was moved ahead by 7 minutes in between\.$/,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      idp.clock.advance('7m')
      await visitor.answers(code)
    },
  },
  {
    what: 'a wrong code',
    cause: 'code-wrong',
    says: /is not that of the newest mail\. It is wrong answer 1 of 5\.$/,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      await visitor.answers(wrongCode(code))
    },
  },
  {
    what: 'a link that was used',
    cause: 'link-used',
    says: /^The link that was opened at .+ was used before: its code was accepted at /,
    async drive(idp) {
      await atTheReset(idp, login)
      await openIn((await mailTo(idp, login)).link, firefox)
    },
  },
  {
    what: 'a link that a resend superseded',
    cause: 'link-superseded',
    says: /is from an earlier mail, which was replaced by a newer one at /,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const first = await mailTo(idp, login)
      await visitor.submits('challenge/resend')
      await mailTo(idp, login)
      await openIn(first.link, firefox)
    },
  },
  {
    what: 'a link opened after its time',
    cause: 'link-expired',
    says: /^The link expired at .+, 5 minutes after it was mailed; it was opened at /,
    async drive(idp) {
      await atTheCode(idp, login)
      const { link } = await mailTo(idp, login)
      idp.clock.advance('6m')
      await openIn(link, firefox)
    },
  },
  {
    what: 'a link opened in another browser, whose code nobody typed',
    cause: 'link-in-other-browser',
    says: /in another browser \(Firefox 140 on Windows\) than the one that requested it.+the code was not entered\.$/,
    async drive(idp) {
      await atTheCode(idp, login)
      await openIn((await mailTo(idp, login)).link, firefox)
    },
  },
  {
    what: 'five wrong answers',
    cause: 'guesses-spent',
    says: /^Too many wrong answers: the fifth one, at .+, closed the transaction\.$/,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      for (const step of [1, 2, 3, 4, 5]) await visitor.answers(wrongCode(code, step))
    },
  },
  {
    what: 'the day’s budget of wrong codes, spent',
    cause: 'guesses-of-the-day-spent',
    says: /^Too many wrong codes were entered for this account, so all short codes are refused/,
    options: { settings: { limits: { codesPerDay: 2 } } },
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      for (const step of [1, 2]) await visitor.answers(wrongCode(code, step))
      await visitor.answers(code)
    },
  },
  {
    what: 'the budget of mails, spent',
    cause: 'mails-spent',
    says: /^Too many mails were requested for this user \(the limit is 1\): none was sent at /,
    options: { settings: { limits: { mailsPerRecipient: 1 } } },
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      await visitor.submits('challenge/resend')
    },
  },
  {
    what: 'a suspended person',
    cause: 'person-suspended',
    says: /^The user was authenticated at .+, but the account is suspended\.$/,
    async drive(idp) {
      await idp.people.add({ login: 'sue@example.com', status: 'SUSPENDED' })
      const visitor = await atTheCode(idp, 'sue@example.com')
      await visitor.answers((await mailTo(idp, 'sue@example.com')).code)
    },
  },
  {
    what: 'a staged person',
    cause: 'person-staged',
    says: /^The account is staged: it has not been activated yet, so no mail was sent at /,
    async drive(idp) {
      await idp.people.add({ login: 'stu@example.com', status: 'STAGED' })
      await atTheCode(idp, 'stu@example.com')
    },
  },
  {
    what: 'a person whom nobody knows',
    cause: 'person-unknown',
    says: /^There is no user with the name that was entered, so no mail was sent at /,
    drive: (idp) => atTheCode(idp, 'nobody@example.com'),
  },
  {
    what: 'a person who is not assigned to the app',
    cause: 'person-not-assigned',
    says: /^The user was authenticated at .+, but is not assigned to rekey-web\.$/,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      await idp.engine.storage.db.deleteFrom('client_groups').execute()
      await visitor.answers(code)
    },
  },
  {
    what: 'the interaction code of another client',
    cause: 'client-wrong',
    says: /^The interaction code was redeemed at .+ by rekey-public; it was issued to rekey-web\.$/,
    async drive(idp) {
      const { visitor, code } = await granted(idp)
      await redeem(idp, {
        interaction_code: code,
        code_verifier: visitor.verifier,
        client_id: idp.publicClientId,
      })
    },
  },
  {
    what: 'a redirect URI that is not registered',
    cause: 'redirect-uri-wrong',
    says: /^interact was refused at .+: http:\/\/localhost:3000\/callback is not registered for Sample Web App \(registered: http:\/\/localhost:8080\/login\/callback\)\.$/,
    drive: (idp) => interact(idp, { redirect_uri: 'http://localhost:3000/callback' }),
  },
  {
    what: 'a client id that nobody has registered',
    cause: 'client-unknown',
    says: /^interact was refused at .+: there is no client with this client id\.$/,
    drive: (idp) => interact(idp, { client_id: 'rekey-wed' }),
  },
  {
    what: 'a client secret that is wrong',
    cause: 'client-secret-wrong',
    says: /^interact was refused at .+: the client secret is not that of Sample Web App\.$/,
    drive: (idp) => interact(idp, { client_secret: 'not-the-secret' }),
  },
  {
    what: 'an interaction handle of another engine',
    cause: 'handle-unknown',
    says: /^The interaction handle sent at .+ was not issued by this engine/,
    drive: (idp) =>
      fetch(`${idp.engineUrl}/idp/idx/introspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ interactionHandle: randomBytes(32).toString('base64url') }),
      }),
  },
  {
    what: 'a transaction that has expired',
    cause: 'transaction-expired',
    says: /^The transaction expired at .+, 30 minutes after it began; the next request came at /,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      idp.clock.advance('31m')
      await visitor.answers('123456')
    },
  },
  {
    what: 'a visitor who cancelled',
    cause: 'cancelled',
    says: /^The user cancelled at .+; the app continues with a new transaction\.$/,
    async drive(idp) {
      const visitor = await atTheCode(idp, login)
      await visitor.submits('cancel')
    },
  },
  {
    what: 'tokens whose times are ahead of the app’s clock',
    cause: 'clock-skew',
    says: /^The times in the tokens issued at .+ are 10 minutes ahead of the clock of this machine, and the SDK accepts at most 5 minutes\.$/,
    options: { tokens: 'virtual' },
    async drive(idp) {
      idp.clock.advance('10m')
      const auth = sdk(idp)
      const { login: username, password } = idp.person
      const refused = await auth.idx.authenticate({ username, password }).catch((error: Error) => error)
      if (!String(refused).includes('issued in the future')) {
        throw new Error(`the SDK took tokens from the future: ${JSON.stringify(refused)}`)
      }
    },
  },
  {
    what: 'a mail server that takes nothing',
    cause: 'mail-undelivered',
    says: /^The mail queued at .+ is in the outbox: the mail server did not accept it after one attempt \(.+\)\.$/,
    async drive(idp) {
      await control(idp, '/faults', { smtp: 'refuse', times: 50 })
      await atTheCode(idp, login)
      await idp.engine.delivery.idle()
    },
  },
  {
    what: 'a new password that the policy refuses',
    cause: 'password-refused',
    says: /^The new password of .+ does not meet the policy\. Required: .*at least 12 characters/,
    async drive(idp) {
      const visitor = await atTheReset(idp, login)
      await visitor.answers('short')
    },
  },
  {
    what: 'a recovery that is switched off',
    cause: 'recovery-off',
    says: /^A recovery was refused at /,
    options: { settings: { policies: { password: { recovery: { authenticators: [] } } } } },
    async drive(idp) {
      const visitor = await visit(idp)
      await visitor.submits('recover')
    },
  },
  {
    what: 'a password that was changed elsewhere meanwhile',
    cause: 'password-changed-elsewhere',
    says: /^The password of the user was changed elsewhere at .+, which ends all other transactions/,
    async drive(idp) {
      const first = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      await granted(idp)
      await first.answers(code)
    },
  },
  {
    what: 'a step that is not on offer',
    cause: 'step-not-on-offer',
    says: /^The step challenge\/answer was sent at .+, when the transaction was at the stage “identify” and offered identify, recover, cancel\.$/,
    async drive(idp) {
      const visitor = await visit(idp)
      await visitor.answers('123456')
    },
  },
  {
    what: 'an interaction code redeemed twice',
    cause: 'code-used-twice',
    says: /^The interaction code was redeemed at .+ and again at .+, so the tokens of the first redemption were revoked\.$/,
    async drive(idp) {
      const { visitor, code } = await granted(idp)
      await visitor.redeems(code)
      await visitor.redeems(code)
    },
  },
  {
    what: 'an interaction code redeemed too late',
    cause: 'code-redeemed-late',
    says: /^The interaction code was issued at .+ and redeemed at .+: it had expired\.$/,
    async drive(idp) {
      const { visitor, code } = await granted(idp)
      idp.clock.advance('2m')
      await visitor.redeems(code)
    },
  },
  {
    what: 'the code verifier of another attempt',
    cause: 'verifier-wrong',
    says: /^The code verifier sent at .+ does not match the code challenge of the interaction\.$/,
    async drive(idp) {
      const { code } = await granted(idp)
      await redeem(idp, {
        interaction_code: code,
        code_verifier: randomBytes(32).toString('base64url'),
        client_id: idp.clientId,
        client_secret: idp.clientSecret,
      })
    },
  },
  {
    what: 'a failure that a test asked for',
    cause: 'failure-asked-for',
    says: /^The answer 503 at .+ was requested with POST \/faults\.$/,
    async drive(idp) {
      idp.faults.next('/idp/idx/introspect', { status: 503 })
      await interact(idp, {})
      await fetch(`${idp.engineUrl}/idp/idx/introspect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    },
  },
  {
    what: 'a wrong password',
    cause: 'password-wrong',
    says: /^The password at .+ is wrong\. It is wrong answer 1 of 5\.$/,
    async drive(idp) {
      await sdk(idp, { browser: newBrowser() }).idx.authenticate({ username: login, password: 'wrong' })
    },
  },
]

/** A recovery in which all goes well, by the link, in the person's own browser. */
export async function recoversByLink(idp: Kit): Promise<void> {
  const browser = newBrowser()
  const auth = sdk(idp, { browser })
  await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  const { search } = await openLink((await mailTo(idp, login)).link ?? '')
  const tab = sdk(idp, { browser })
  await tab.idx.handleEmailVerifyCallback(search)
  await tab.idx.recoverPassword({ password: newPassword })
}
