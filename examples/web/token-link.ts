import { beginAttempt } from './okta.ts'
import { expiredLinkPage, tokenLinkPage } from './pages/stopped.ts'
import { csrfToken } from './security.ts'
import { redirectToNext } from './steps.ts'
import { type Handler, show } from './visit.ts'

/** The paths of the links, by what their token is for. */
export const tokenPaths = { recovery: '/recover/:token', activation: '/activate/:token' } as const

/** The step that asks for another activation mail. The SDK has no page for it: `register` throws, `start` goes on. */
const renewal = 'request-activation-email'

/** Asks for another activation mail, in place of one whose link has expired. */
export const renewTokenLink: Handler = async (visit) => {
  const token = String(visit.request.params.token)
  if (!/^[\w.~-]{1,256}$/.test(token)) return followTokenLink('activation')(visit)
  beginAttempt(visit.request)
  const client = visit.client()
  try {
    await client.idx.start({ activationToken: token })
    return await redirectToNext(visit, client, await client.idx.proceed({ step: renewal }), '/login')
  } catch (error) {
    if (!(error instanceof Error && /token is invalid/.test(error.message))) throw error
    return followTokenLink('activation')(visit)
  }
}

/**
 * The link in a mail of an administrator. Its token proves who may set a password; the password page follows. Opening the
 * link spends nothing, so programs that read mails may open it too.
 */
export const followTokenLink =
  (kind: keyof typeof tokenPaths): Handler =>
  async (visit) => {
    const { request, words } = visit
    const token = String(request.params.token)
    const dead = () => show(visit, tokenLinkPage(words, words.tokenLink[kind]), { status: 404 })
    if (!/^[\w.~-]{1,256}$/.test(token)) return dead()

    beginAttempt(request)
    const client = visit.client()
    try {
      const transaction =
        kind === 'recovery'
          ? await client.idx.recoverPassword({ recoveryToken: token })
          : // The password comes first, without a choice; what else is required follows.
            await client.idx.register({ activationToken: token, authenticators: ['okta_password'] })
      return await redirectToNext(visit, client, transaction, '/recover-password')
    } catch (error) {
      // A mailed link that has expired: all that the server offers is another mail. Nothing is asked for by opening the page.
      if (kind === 'activation' && error instanceof Error && error.message.includes(renewal)) {
        return show(visit, expiredLinkPage(words, csrfToken(request), `/activate/${token}`), { status: 410 })
      }
      // `interact` refuses the token: it never was, has expired, or has completed an account already.
      if (!(error instanceof Error && /token is invalid/.test(error.message))) throw error
      return dead()
    }
  }
