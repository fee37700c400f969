import { authenticatorId, type Step, type View } from '../../flow/index.ts'
import { enrollChosen } from './select-authenticator-enroll.ts'

/** What must be known before the first code is sent: a phone number. */
export const authenticatorEnrollmentData: Step = {
  name: 'authenticator-enrollment-data',
  path: 'credential/enroll',
  place: 'remediation',
  stages: ['enroll-data'],
  about: () => 'authenticator',
  fields: (view) => {
    const { key, displayName, enroll } = enrolling(view)
    return [
      {
        name: 'authenticator',
        label: displayName,
        fields: [
          { name: 'id', required: true, fixed: authenticatorId(key) },
          ...(enroll.dataFields?.(view) ?? []),
        ],
      },
    ]
  },
  accept: enrollChosen,
}

/** The authenticator that is being enrolled. */
export function enrolling({ progress, authenticators }: View) {
  const authenticator = authenticators.get(progress.challenge?.authenticator ?? '')
  if (authenticator?.enroll === undefined) throw new Error('nothing is being enrolled')
  return { ...authenticator, enroll: authenticator.enroll }
}
