import { authenticatorId, type Step, type View } from '../../flow/index.ts'
import { challengedBy } from './challenge-authenticator.ts'
import { choose } from './select-authenticator-authenticate.ts'

/** What must be known before a code is sent: by which method. */
export const authenticatorVerificationData: Step = {
  name: 'authenticator-verification-data',
  path: 'challenge',
  place: 'remediation',
  stages: ['verify-data'],
  about: () => 'enrollment',
  fields: (view) => [dataForm(view, challengedBy(view).challenge.dataFields?.(view) ?? [])],
  accept: choose,
}

/** The form of an authenticator that was chosen, with what it still asks for. */
export function dataForm(view: View, fields: ReturnType<Step['fields']>): ReturnType<Step['fields']>[number] {
  const { key, displayName } = challengedBy(view)
  return {
    name: 'authenticator',
    label: displayName,
    fields: [{ name: 'id', required: true, fixed: authenticatorId(key) }, ...fields],
  }
}
