import { Type } from 'typebox'
import { invalid } from '../errors.ts'
import { type Operation, operation } from '../operation.ts'
import { activateFactor, pollFactor, verifyFactor } from './answer.ts'
import { enrollFactor, resendFactor } from './enroll.ts'
import { enrollmentIn, getFactor, loadFactors, managedOf } from './find.ts'
import { removeFactor, resetFactors } from './remove.ts'
import {
  enrolling,
  factor,
  factorAnswer,
  factorQuestion,
  factorResult,
  newFactor,
  removing,
  resending,
  resentFactor,
  supportedFactor,
  verifying,
} from './schema.ts'
import { renderFactor, renderSupported } from './wire.ts'

const all = '/users/:userId/factors'
const one = `${all}/:factorId`

export const factorOperations: readonly Operation[] = [
  operation({
    method: 'GET',
    path: all,
    role: 'read',
    summary: 'List the factors of a user, of the authenticators that an enrolment policy of the user has',
    response: Type.Array(factor),
    async handle(call) {
      const loaded = await loadFactors(call)
      const listed = loaded.factors.filter(
        (each) => !each.managed.isUnlisted && enrollmentIn(loaded, each) !== undefined,
      )
      return { body: listed.map((each) => renderFactor(call, loaded, each)) }
    },
  }),
  operation({
    method: 'GET',
    path: `${all}/catalog`,
    role: 'read',
    summary: 'List the factors that can be enrolled for a user, and which of them are',
    response: Type.Array(supportedFactor),
    async handle(call) {
      return { body: renderSupported(call, await loadFactors(call)) }
    },
  }),
  operation({
    method: 'GET',
    path: `${all}/questions`,
    role: 'read',
    summary: 'List the security questions that a user may choose from',
    response: Type.Array(factorQuestion),
    async handle(call) {
      await loadFactors(call)
      return { body: managedOf(call).flatMap(({ managed }) => managed.questions ?? []) }
    },
  }),
  operation({
    method: 'POST',
    path: all,
    role: 'users',
    summary:
      'Enrol a factor for a user: pending until a code confirms it, or with `activate=true` active at once',
    body: newFactor,
    query: enrolling,
    response: factor,
    handle: enrollFactor,
  }),
  operation({
    method: 'GET',
    path: one,
    role: 'read',
    summary: 'Get a factor of a user; the secret of one that is pending is shown once, when it is enrolled',
    response: factor,
    async handle(call) {
      const loaded = await loadFactors(call)
      return { body: renderFactor(call, loaded, getFactor(call, loaded)) }
    },
  }),
  operation({
    method: 'POST',
    path: `${one}/lifecycle/activate`,
    role: 'users',
    summary: 'Confirm an enrolment that is pending',
    body: factorAnswer,
    response: factor,
    handle: activateFactor,
  }),
  operation({
    method: 'POST',
    path: `${one}/lifecycle/activate/poll`,
    role: 'users',
    summary: 'Not supported: no factor is confirmed by polling',
    response: factor,
    async handle(call) {
      getFactor(call, await loadFactors(call), 'PENDING_ACTIVATION')
      throw invalid(['factor: is not confirmed by polling; use lifecycle/activate'])
    },
  }),
  operation({
    method: 'POST',
    path: `${one}/resend`,
    role: 'users',
    summary: 'Send the code of an enrolment that is pending again',
    body: resentFactor,
    query: resending,
    response: factor,
    handle: resendFactor,
  }),
  operation({
    method: 'POST',
    path: `${one}/verify`,
    role: 'users',
    summary: 'Verify a factor: an empty body issues a challenge; begins no session',
    body: factorAnswer,
    query: verifying,
    response: factorResult,
    handle: verifyFactor,
  }),
  operation({
    method: 'GET',
    path: `${one}/transactions/:transactionId`,
    role: 'read',
    summary: 'Poll a challenge of a factor',
    response: factorResult,
    handle: pollFactor,
  }),
  operation({
    method: 'DELETE',
    path: one,
    role: 'users',
    summary: 'Remove a factor of a user',
    query: removing,
    handle: removeFactor,
  }),
  operation({
    method: 'POST',
    path: '/users/:userId/lifecycle/reset_factors',
    role: 'users',
    summary: 'Remove all factors of a user; the password and a security question that only recovers stay',
    query: removing,
    handle: resetFactors,
  }),
]
