import { startEngine } from '../../src/testing/index.ts'
import { manyRequests } from '../../test/support/nodes.ts'
import { challengeOf, enrolsPasskey, newPasskey, passkeyEngine, sends } from '../../test/wire/passkeys.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors } from '../../test/wire/totp.ts'
import { newVisitor, type Visitor } from '../../test/wire/visitor.ts'

/** What a sign-in costs, engine and caller together, in milliseconds of CPU. */
export interface SecondFactorFigures {
  readonly factor: 'none' | 'google_otp' | 'webauthn'
  readonly cpuMsPerSignIn: number
}

/**
 * Sign-ins by the password alone, with a code of an app, and with a passkey, one after the other, in this process: what a second
 * factor adds is the difference.
 */
export async function secondFactorCpuMs(count: number): Promise<readonly SecondFactorFigures[]> {
  const figures: SecondFactorFigures[] = []
  for (const factor of ['none', 'google_otp', 'webauthn'] as const) {
    const idp = await startEngine({
      clock: 'frozen',
      ...passkeyEngine,
      settings: { ...passkeyEngine.settings, limits: manyRequests },
    })
    const { login, password } = idp.person
    const signsIn = async (): Promise<Visitor> => {
      const visitor = newVisitor(idp)
      await visitor.begins()
      await visitor.signsIn(login, password)
      return visitor
    }
    let prove = async (_: Visitor): Promise<unknown> => undefined
    if (factor === 'google_otp') {
      await enrollmentPolicy(idp, { google_otp: 'REQUIRED' })
      const visitor = await signsIn()
      const secret = secretIn(await visitor.enrolls('google_otp'))
      await visitor.answers(codeAt(secret, idp.clock.now()))
      prove = async (next) => {
        await next.selects('google_otp')
        await next.answers(codeAt(secret, idp.clock.now()))
      }
    }
    if (factor === 'webauthn') {
      await enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
      const { passkey } = await enrolsPasskey(newVisitor(idp), { login, password }, newPasskey())
      prove = async (next) => {
        const { challenge } = challengeOf(await next.selects('webauthn'))
        await sends(next, passkey.get(challenge))
      }
    }
    if (factor !== 'none') await twoFactors(idp)
    const rounds = async (times: number) => {
      for (let round = 0; round < times; round++) {
        // Each code of an app is good once.
        idp.clock.advance(2 * period)
        const visitor = await signsIn()
        await prove(visitor)
        if (visitor.response.interactionCode === undefined) {
          throw new Error(`the sign-in with ${factor} did not end: ${visitor.response.text.slice(0, 300)}`)
        }
      }
    }
    // As often as it is measured: the first sign-ins of a process are slower.
    await rounds(count)
    const before = process.cpuUsage()
    await rounds(count)
    const { user, system } = process.cpuUsage(before)
    await idp.close()
    figures.push({ factor, cpuMsPerSignIn: (user + system) / 1000 / count })
  }
  return figures
}
