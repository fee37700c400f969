import { randomUUID } from 'node:crypto'
import { type IdxTransaction, OktaAuth } from '@okta/okta-auth-js'
import { type NextRequest, NextResponse } from 'next/server'

/** What the SDK stores of a transaction, by visitor. Several servers share it in Redis or a database instead. */
const transactions = new Map<string, Map<string, string>>()

const steps: Record<string, (auth: OktaAuth, body: Record<string, string>) => Promise<IdxTransaction>> = {
  forgot: (auth, { username }) => auth.idx.recoverPassword({ username, authenticators: ['okta_email'] }),
  code: (auth, { code }) => auth.idx.proceed({ verificationCode: code }),
  password: (auth, { password }) => auth.idx.proceed({ password }),
}

/** POST /api/recover/forgot, then /code, then /password. */
export async function POST(request: NextRequest, { params }: { params: Promise<{ step: string }> }) {
  const take = steps[(await params).step]
  if (take === undefined) return NextResponse.json({ error: 'not found' }, { status: 404 })
  const visitor = request.cookies.get('visitor')?.value ?? randomUUID()
  const items = transactions.get(visitor) ?? new Map<string, string>()
  transactions.set(visitor, items)

  const auth = new OktaAuth({
    issuer: process.env.OKTA_ISSUER,
    clientId: process.env.OKTA_CLIENT_ID,
    clientSecret: process.env.OKTA_CLIENT_SECRET,
    redirectUri: process.env.OKTA_REDIRECT_URI,
    idx: { enableLegacyMode: true },
    storageManager: {
      transaction: {
        storageProvider: {
          getItem: (key) => items.get(key) ?? null,
          setItem: (key, value) => void items.set(key, value),
          removeItem: (key) => void items.delete(key),
        },
      },
    },
  })
  const { status, nextStep, tokens } = await take(auth, await request.json())
  const answer = NextResponse.json({ status, step: nextStep?.name, email: tokens?.idToken?.claims.email })
  answer.cookies.set('visitor', visitor, { httpOnly: true, sameSite: 'lax' })
  return answer
}
