import type { Step } from '../../flow/index.ts'
import { challengedBy } from './challenge-authenticator.ts'
import { started } from './select-authenticator-authenticate.ts'

/** Another mail. The earlier code and link end; the wrong answers that were counted stay counted. */
export const resend: Step = {
  name: 'resend',
  path: 'challenge/resend',
  place: 'authenticator',
  stages: ['verify'],
  offered: (view) => challengedBy(view).verify.resends,
  fields: () => [],
  accept: (_, context) => started(challengedBy(context), context),
}
