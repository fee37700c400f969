import { expect, test } from 'vitest'
import { checkConfig, type Settings } from '../config/index.ts'
import type { InForce } from '../policies/index.ts'
import { registrationFrom, registrationRuleBody } from '../policies/index.ts'
import { signUpOf, withoutPasswordOf } from './doctor-sign-up.ts'

const policy = (changes: object = {}): NonNullable<InForce['signUps']>[number] => {
  const { actions } = registrationRuleBody('REGISTER') as {
    readonly actions: { readonly profileEnrollment: object }
  }
  const rule = { actions: { profileEnrollment: { ...actions.profileEnrollment, ...changes } } }
  return { policy: 'Shop', registration: registrationFrom({ policyId: 'rst1', rule }, {}) }
}
const resultsOf = (settings: Settings, signUps: InForce['signUps']) =>
  signUpOf(checkConfig(settings), signUps).map(({ result }) => result)
const whyOf = (settings: Settings, signUps: InForce['signUps']) =>
  signUpOf(checkConfig(settings), signUps).map(({ why }) => why)

test.each([
  [{ signUp: { open: false } }, [policy()], ['met', 'not applicable']],
  [{ signUp: { invitationOnly: true } }, [policy()], ['met', 'not applicable']],
  [{}, undefined, ['not checked', 'not checked']],
  [{}, [policy({ unknownUserAction: 'DENY' })], ['met', 'not applicable']],
  [{}, [policy({ unknownUserAction: 'DENY' }), policy()], ['deviates', 'met']],
] as const)('%j, %#', (settings, signUps, results) => {
  expect(resultsOf(settings, signUps)).toEqual(results)
})

test('where a taken address is told plainly, it says why, and which policy does so', () => {
  const unverified = policy({ activationRequirements: { emailVerification: false } })
  const withLogin = policy({ profileAttributes: [{ name: 'email' }, { name: 'login' }] })
  expect(whyOf({}, [unverified])[1]).toMatch(/need not be verified \(Shop\)/)
  expect(whyOf({}, [withLogin])[1]).toMatch(/login of its own \(Shop\)/)
  expect(whyOf({ recovery: { revealUnknown: true } }, [policy()])[1]).toMatch(/recovery\.revealUnknown/)
  expect(whyOf({}, [policy()])[0]).toMatch(/anyone can make an account, by the policy Shop/)
})

test.each([
  [undefined, 'not checked'],
  [{ passwordless: [], passwordFirst: ['Default'] }, 'not applicable'],
  [{ passwordless: ['Shop'], passwordFirst: [] }, 'met'],
  [{ passwordless: ['Shop'], passwordFirst: ['Default'] }, 'deviates'],
] as const)('an account without a password and %j: %s', (policies, result) => {
  const [finding] = withoutPasswordOf(policies)
  expect(finding?.result).toBe(result)
  if (result === 'deviates') expect(finding?.why).toMatch(/\(Shop\).*\(Default\).*signOn\.start: identifier/)
})
