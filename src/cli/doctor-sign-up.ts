import type { Config, Finding } from '../config/index.ts'
import type { InForce } from '../policies/index.ts'

/**
 * Whether visitors can make accounts, and whether a sign-up reveals which addresses have one.
 *
 * @param signUps what the profile enrollment policies of the database say; undefined: it did not answer
 */
export function signUpOf(
  { signUp, recovery }: Pick<Config, 'signUp' | 'recovery'>,
  signUps: InForce['signUps'],
): readonly Finding[] {
  const open = {
    id: 'sign-up',
    standard: 'Operation',
    asks: 'visitors can make accounts only where that is meant',
  } as const
  const silent = {
    id: 'sign-up of a known address',
    standard: 'Operation',
    asks: 'a sign-up does not reveal which addresses have an account',
  } as const
  const nowhere = 'no visitor can sign up'
  if (signUp.open === false || signUp.invitationOnly) {
    const why =
      signUp.open === false
        ? `signUp.open is false: ${nowhere}, whatever policies say`
        : `signUp.invitationOnly is true: ${nowhere} without an invitation`
    return [
      { ...open, result: 'met', why },
      { ...silent, result: 'not applicable', why },
    ]
  }
  if (signUps === undefined) {
    const why = 'the database did not answer, in which the profile enrollment policies are'
    return [
      { ...open, result: 'not checked', why },
      { ...silent, result: 'not checked', why },
    ]
  }
  const where = signUps.filter(({ registration }) => registration.isOpen)
  if (where.length === 0) {
    const why = `${nowhere}: no profile enrollment policy lets unknown users register`
    return [
      { ...open, result: 'met', why },
      { ...silent, result: 'not applicable', why },
    ]
  }
  const names = (policies: readonly (typeof where)[number][]): string =>
    [...new Set(policies.map(({ policy }) => policy))].join(', ')
  const unverified = where.filter(({ registration }) => !registration.emailVerification)
  const withLogin = where.filter(({ registration }) =>
    registration.attributes.some(({ name }) => name === 'login'),
  )
  const why = [
    unverified.length > 0 &&
      `the email need not be verified (${names(unverified)}), so the form says that an address is taken`,
    withLogin.length > 0 &&
      `the form asks for a login of its own (${names(withLogin)}), of which it says that it is taken`,
    recovery.revealUnknown && 'recovery.revealUnknown is true: the form says that an address is taken',
  ].filter((one) => one !== false)
  return [
    {
      ...open,
      result: 'deviates',
      why: `anyone can make an account, by the policy ${names(where)}; signUp.open: false closes it everywhere`,
    },
    why.length > 0
      ? { ...silent, result: 'deviates', why: why.join('; ') }
      : { ...silent, result: 'met', why: 'a taken address goes on as a new one, and its owner gets a mail' },
  ]
}

/**
 * Whether a user whose account has no password can come back. The first page asks every name for a password where a policy says so,
 * whatever the account has, since any other page would reveal it (A02).
 *
 * @param policies what the policies of the database say; undefined: it did not answer
 */
export function withoutPasswordOf(
  policies: Pick<InForce, 'passwordless' | 'passwordFirst'> | undefined,
): readonly Finding[] {
  const finding = {
    id: 'accounts without a password',
    standard: 'Operation',
    asks: 'a user whose account has no password can sign in again',
  } as const
  const { passwordless, passwordFirst } = policies ?? {}
  if (passwordless === undefined || passwordFirst === undefined) {
    const why = 'the database did not answer, in which the policies are'
    return [{ ...finding, result: 'not checked', why }]
  }
  if (passwordless.length === 0) {
    return [{ ...finding, result: 'not applicable', why: 'every account needs a password' }]
  }
  const names = passwordless.join(', ')
  if (passwordFirst.length === 0) {
    const why = `an account can do without a password (${names}), and the first page asks for the name alone`
    return [{ ...finding, result: 'met', why }]
  }
  const why = `an account can do without a password (${names}), and the first page asks for one (${passwordFirst.join(', ')}): such a user can only recover a password, where that is allowed; signOn.start: identifier, or primaryFactor PASSWORD_IDP_ANY_FACTOR in the policy, asks for the name first`
  return [{ ...finding, result: 'deviates', why }]
}
