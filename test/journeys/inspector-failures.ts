import type { Kit, KitOptions } from '../../src/testing/index.ts'
import { atTheCode, atTheReset, mailTo, newPassword, visit, wrongCode } from '../support/attacks.ts'
import { newBrowser, openLink, sdk } from '../support/sdk.ts'

/** Something that goes wrong, driven for real, and what the flow inspector must say of it. */
interface Failure {
  readonly what: string
  readonly cause: string
  /** In the words of the page. */
  readonly says: RegExp
  /** What the engine is started with, besides what is usual. */
  readonly options?: KitOptions
  /** Makes it go wrong. The transaction in question is the first that begins. */
  drive(idp: Kit): Promise<unknown>
}

const login = 'mary@example.com'

const openIn = (link: string | null, userAgent: string) =>
  fetch(link ?? '', { redirect: 'manual', headers: { 'user-agent': userAgent } })

const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'

/**
 * One failure of each source of facts: the log, the outbox, the row of the transaction, recorded exchanges of each
 * endpoint, the moves of the clock. All other causes are unit tests (src/devtools/inspector/explain).
 */
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
    what: 'a link that was used',
    cause: 'link-used',
    says: /^The link that was opened at .+ was used before: its code was accepted at /,
    async drive(idp) {
      await atTheReset(idp, login)
      await openIn((await mailTo(idp, login)).link, firefox)
    },
  },
  {
    what: 'a link opened in another browser, whose code was not typed',
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
    what: 'a user who is not assigned to the app',
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
      const visitor = await atTheReset(idp, login)
      await visitor.answers(newPassword)
      await visitor.redeems(undefined, idp.publicClientId)
    },
  },
  {
    what: 'a redirect URI that is not registered',
    cause: 'redirect-uri-wrong',
    says: /^interact was refused at .+: http:\/\/localhost:3000\/callback is not registered for Sample Web App \(registered: http:\/\/localhost:8080\/login\/callback\)\.$/,
    drive: (idp) => idp.visitor().interacts({ redirect_uri: 'http://localhost:3000/callback' }),
  },
  {
    what: 'a client id that is not registered',
    cause: 'client-unknown',
    says: /^interact was refused at .+: there is no client with this client id\.$/,
    drive: (idp) => idp.visitor({ client: 'rekey-wed' }).interacts(),
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
      await fetch(`${idp.controlUrl}/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ smtp: 'refuse', times: 50 }),
      })
      await atTheCode(idp, login)
      await idp.engine.delivery.idle()
    },
  },
  {
    what: 'a password that was changed elsewhere meanwhile',
    cause: 'password-changed-elsewhere',
    says: /^The password of the user was changed elsewhere at .+, which ends all other transactions/,
    async drive(idp) {
      const first = await atTheCode(idp, login)
      const { code } = await mailTo(idp, login)
      await (await atTheReset(idp, login)).answers(newPassword)
      await first.answers(code)
    },
  },
  {
    what: 'a step that is not on offer',
    cause: 'step-not-on-offer',
    says: /^The step challenge\/answer was sent at .+, when the transaction was at the stage “identify” and offered identify, select-enroll-profile, recover, cancel\.$/,
    async drive(idp) {
      const visitor = await visit(idp)
      await visitor.answers('123456')
    },
  },
  {
    what: 'a limit that a test requested',
    cause: 'failure-asked-for',
    says: /^The answer 429 at .+ was requested with POST \/faults\.$/,
    async drive(idp) {
      idp.faults.next('/idp/idx/introspect', { status: 429 })
      await idp.visitor().begins()
    },
  },
]

/** A recovery in which all goes well, by the link, in the user's own browser. */
export async function recoversByLink(idp: Kit): Promise<void> {
  const browser = newBrowser()
  const auth = sdk(idp, { browser })
  await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  const { search } = await openLink((await mailTo(idp, login)).link ?? '')
  const tab = sdk(idp, { browser })
  await tab.idx.handleEmailVerifyCallback(search)
  await tab.idx.recoverPassword({ password: newPassword })
}
