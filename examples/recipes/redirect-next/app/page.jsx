import { auth, signIn } from '../auth.js'
import { signOutEverywhere } from './sign-out.js'

export default async function Page() {
  const session = await auth()
  if (!session) {
    const start = async () => {
      'use server'
      await signIn('okta')
    }
    return (
      <form action={start}>
        <button type="submit">Sign in</button>
      </form>
    )
  }
  return (
    <form action={signOutEverywhere}>
      <h1>Hello {session.user.name}</h1>
      <button type="submit">Sign out</button>
    </form>
  )
}
