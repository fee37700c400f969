import { apiError, isoTime } from '../base/index.ts'
import { type Enrollment, findEnrollments } from '../directory/index.ts'
import { removeFactor } from './authenticators.ts'
import { type Call, link, notFound, type Operation, operation } from './operation.ts'

const key = 'webauthn'

const passkeysOf = async ({ parts, caller }: Call<unknown>): Promise<readonly Enrollment[]> =>
  (await findEnrollments(parts.storage.db, caller.person.id)).filter(
    ({ authenticator }) => authenticator === key,
  )

async function find(call: Call<unknown>): Promise<Enrollment> {
  const { id = '' } = call.params
  const found = (await passkeysOf(call)).find((one) => one.id === id)
  if (found === undefined) throw notFound(id, 'WebAuthn')
  return found
}

const shown = (call: Call<unknown>, enrollment: Enrollment) => ({
  id: enrollment.id,
  status: enrollment.status,
  name: enrollment.name,
  created: isoTime(enrollment.createdAt),
  lastUpdated: isoTime(enrollment.updatedAt),
  _links: { self: link(call, `/webauthn/${enrollment.id}`, 'GET', 'DELETE') },
})

const path = '/webauthn/:id'

export const webauthnOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/webauthn', scope: 'webauthn.read', summary: 'List the passkeys of the user' },
    handle: async (call) => ({ body: (await passkeysOf(call)).map((one) => shown(call, one)) }),
  }),
  operation({
    ...{ method: 'GET', path, scope: 'webauthn.read', summary: 'Get a passkey' },
    handle: async (call) => ({ body: shown(call, await find(call)) }),
  }),
  operation({
    ...{ method: 'POST', path: '/webauthn/registration', scope: 'webauthn.manage', stepUp: true },
    summary: 'Not here: a passkey is added in an enrolment (`enroll_amr_values=webauthn`)',
    // The challenge of a registration is made and checked by the authenticator, in a transaction.
    async handle() {
      throw apiError('E0000015')
    },
  }),
  operation({
    ...{ method: 'DELETE', path, scope: 'webauthn.manage', stepUp: true, answers: false },
    summary: 'Remove a passkey; 202 where the removal waits',
    handle: async (call) => removeFactor(call, await find(call)),
  }),
]
