import { beginAttempt } from './okta.ts'
import { tokenLinkPage } from './pages/stopped.ts'
import { redirectToNext } from './steps.ts'
import { type Handler, show } from './visit.ts'

/** The paths of the links, by what their token is for. */
export const tokenPaths = { recovery: '/recover/:token', activation: '/activate/:token' } as const

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
          : // The one authenticator that a new user chooses is the password: nothing is asked before it.
            await client.idx.register({ activationToken: token, authenticators: ['okta_password'] })
      return await redirectToNext(visit, client, transaction, '/recover-password')
    } catch (error) {
      // `interact` refuses the token: it never was, has expired, or has set a password already.
      if (!(error instanceof Error && /token is invalid/.test(error.message))) throw error
      return dead()
    }
  }
