import { Type } from 'typebox'
import { authenticatorId } from '../../flow/index.ts'
import { invalid, notFound } from '../errors.ts'
import { type Answer, type Call, type Context, type Operation, operation } from '../operation.ts'
import { enrollFactor } from './enroll.ts'
import { type Factor, loadFactors, type UserFactors } from './find.ts'
import { removeOne } from './remove.ts'
import { authenticatorEnrollment, disclosing, type PhoneEnrollmentBody, phoneEnrollment } from './schema.ts'
import { renderEnrollment } from './wire.ts'

const all = '/users/:userId/authenticator-enrollments'

const idOf = ({ enrollment, authenticator }: Factor, { person }: UserFactors): string =>
  enrollment?.id ?? `${authenticator.enrollmentPrefix}${person.id.slice(3)}`

/** What a user has, one of each enrollment: a phone is one, whatever it is used for. */
function enrollmentsIn(loaded: UserFactors): readonly Factor[] {
  const active = loaded.factors.filter(({ status }) => status === 'ACTIVE')
  return active.filter(
    (factor, index) => active.findIndex((one) => idOf(one, loaded) === idOf(factor, loaded)) === index,
  )
}

function getEnrollment({ params }: Context, loaded: UserFactors): Factor {
  const id = params.enrollmentId ?? ''
  const found = enrollmentsIn(loaded).find((factor) => idOf(factor, loaded) === id)
  if (found === undefined) throw notFound(id, 'AuthenticatorEnrollment')
  return found
}

const discloses = ({ discloseIdentifiers = '' }: { readonly discloseIdentifiers?: string | undefined }) => ({
  discloses: discloseIdentifiers.split(',').includes('phone'),
})

/** A phone that is active at once, on the word of the caller. */
async function addPhone(call: Call<PhoneEnrollmentBody>): Promise<Answer> {
  const { authenticatorId: wanted, profile } = call.body
  const authenticator = call.parts.authenticators.find(({ key }) => authenticatorId(key) === wanted)
  if (authenticator?.type !== 'phone' || authenticator.factor === undefined)
    throw invalid(['authenticatorId: must be the id of the phone authenticator'])
  const [{ factorType, provider }] = authenticator.factor.kinds
  const { body } = await enrollFactor({
    ...call,
    body: { factorType, provider, profile },
    query: { activate: true, updatePhone: false },
  })
  const { id } = body as { readonly id: string }
  const loaded = await loadFactors(call)
  const made = loaded.factors.find((factor) => factor.id === id)
  if (made === undefined) throw notFound(id, 'AuthenticatorEnrollment')
  return { body: renderEnrollment(call, loaded, made, { discloses: false }) }
}

export const enrollmentOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List what a user has of each authenticator; numbers of phones are masked',
    query: disclosing,
    response: Type.Array(authenticatorEnrollment),
    async handle(call) {
      const loaded = await loadFactors(call)
      const body = enrollmentsIn(loaded).map((one) =>
        renderEnrollment(call, loaded, one, discloses(call.query)),
      )
      return { body }
    },
  }),
  operation({
    method: 'GET',
    path: `${all}/:enrollmentId`,
    role: 'read',
    summary: 'Get what a user has of an authenticator',
    query: disclosing,
    response: authenticatorEnrollment,
    async handle(call) {
      const loaded = await loadFactors(call)
      return { body: renderEnrollment(call, loaded, getEnrollment(call, loaded), discloses(call.query)) }
    },
  }),
  operation({
    method: 'POST',
    path: `${all}/phone`,
    role: 'users',
    summary: 'Enrol a phone for a user, active at once',
    body: phoneEnrollment,
    response: authenticatorEnrollment,
    handle: addPhone,
  }),
  operation({
    method: 'POST',
    path: `${all}/:enrollmentId/lifecycle/settle`,
    role: 'users',
    summary: 'Have what a user has added count at once, also for recoveries, which `settlesAt` puts off',
    response: authenticatorEnrollment,
    async handle(call) {
      const { parts, actor } = call
      const before = await loadFactors(call)
      const { enrollment } = getEnrollment(call, before)
      if (enrollment !== undefined)
        await parts.people.settleEnrollment(before.person.id, enrollment.id, { by: actor })
      const loaded = await loadFactors(call)
      return { body: renderEnrollment(call, loaded, getEnrollment(call, loaded), { discloses: false }) }
    },
  }),
  operation({
    method: 'DELETE',
    path: `${all}/:enrollmentId`,
    role: 'users',
    summary: 'Remove what a user has of an authenticator',
    async handle(call) {
      const loaded = await loadFactors(call)
      return removeOne(call, loaded, wholly(getEnrollment(call, loaded)))
    },
  }),
]

/** All of an enrollment, not one of its methods. */
const wholly = (factor: Factor): Factor => ({
  ...factor,
  managed: { ...factor.managed, without: () => undefined },
})
