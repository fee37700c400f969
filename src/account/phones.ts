import { Type } from 'typebox'
import { apiError } from '../base/index.ts'
import { type Enrollment, findEnrollments } from '../directory/index.ts'
import { removeFactor } from './authenticators.ts'
import { type Call, link, type Operation, operation, text } from './operation.ts'

const key = 'phone_number'

/** The phones of the user. */
const phonesOf = async ({ parts, caller }: Call<unknown>): Promise<readonly Enrollment[]> =>
  (await findEnrollments(parts.storage.db, caller.person.id)).filter(
    ({ authenticator }) => authenticator === key,
  )

const noPhone = () =>
  apiError('E0000008', {
    causes: [
      "This operation couldn't be completed as requested due to an issue with the specified authenticator.",
    ],
  })

async function find(call: Call<unknown>): Promise<Enrollment> {
  const found = (await phonesOf(call)).find(({ id }) => id === call.params.id)
  if (found === undefined) throw noPhone()
  return found
}

const numberOf = ({ data }: Enrollment): string | undefined => {
  const { phoneNumber, number } = (data ?? {}) as {
    readonly phoneNumber?: unknown
    readonly number?: unknown
  }
  const found = phoneNumber ?? number
  return typeof found === 'string' ? found : undefined
}

const shown = (call: Call<unknown>, enrollment: Enrollment) => ({
  id: enrollment.id,
  status: 'VERIFIED',
  profile: { phoneNumber: numberOf(enrollment) ?? null },
  _links: {
    self: link(call, `/phones/${enrollment.id}`, 'GET', 'DELETE'),
    challenge: link(call, `/phones/${enrollment.id}/challenge`, 'POST'),
  },
})

/** A number is added in an enrolment, where its code is sent and checked: `enroll_amr_values=sms`. */
const notHere = (call: Call<unknown>) => {
  const isInUse = call.caller.policy.signOn.active.includes(key)
  return apiError(isInUse ? 'E0000015' : 'E0000038')
}

const path = '/phones/:id'
const manage = { scope: 'phone.manage' } as const
const method = Type.Union([Type.Literal('SMS'), Type.Literal('CALL')])

export const phoneOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/phones', scope: 'phone.read', summary: 'List the phones of the user' },
    handle: async (call) => ({ body: (await phonesOf(call)).map((one) => shown(call, one)) }),
  }),
  operation({
    ...{ method: 'POST', path: '/phones', ...manage, stepUp: true, status: 201 },
    summary: 'Add a phone',
    body: Type.Object({
      profile: Type.Object({ phoneNumber: text(32) }),
      sendCode: Type.Optional(Type.Boolean()),
      method: Type.Optional(method),
    }),
    async handle(call) {
      throw notHere(call)
    },
  }),
  operation({
    ...{ method: 'GET', path, scope: 'phone.read', summary: 'Get a phone' },
    handle: async (call) => ({ body: shown(call, await find(call)) }),
  }),
  operation({
    ...{ method: 'DELETE', path, ...manage, stepUp: true, answers: false },
    summary: 'Remove a phone; 202 where the removal waits',
    handle: async (call) => removeFactor(call, await find(call)),
  }),
]
