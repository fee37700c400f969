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
