'use server'

import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { getToken } from 'next-auth/jwt'
import { signOut } from '../auth.js'

/** Of the app, and of the browser's session at the engine: else the next sign-in would ask for nothing. */
export async function signOutEverywhere() {
  const url = new URL(process.env.AUTH_URL)
  const request = { headers: await headers() }
  const token = await getToken({
    req: request,
    secret: process.env.AUTH_SECRET,
    secureCookie: url.protocol === 'https:',
  })
  await signOut({ redirect: false })
  if (!token?.idToken) redirect('/')
  const query = new URLSearchParams({
    id_token_hint: token.idToken,
    post_logout_redirect_uri: `${url.origin}/`,
  })
  redirect(`${process.env.AUTH_OKTA_ISSUER}/v1/logout?${query}`)
}
