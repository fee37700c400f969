import NextAuth from 'next-auth'
import Okta from 'next-auth/providers/okta'

/** AUTH_OKTA_ISSUER, AUTH_OKTA_ID and AUTH_OKTA_SECRET say which engine and which app; AUTH_SECRET seals the session. */
export const { handlers, auth, signIn, signOut } = NextAuth({
  providers: [Okta],
  callbacks: {
    // The ID token tells the engine later who signs out. It stays in the sealed cookie: no page gets it.
    jwt: ({ token, account }) => (account ? { ...token, idToken: account.id_token } : token),
  },
})
