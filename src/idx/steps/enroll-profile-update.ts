import { completeProfile, type Effect, type Step } from '../../flow/index.ts'
import { readProfile } from '../../registration/index.ts'
import { profileRefused, userProfileField } from './profile-form.ts'

/**
 * The attributes that the app's policy requires and the user does not have, behind all factors. Only what is asked for is
 * written; a profile that another request changes meanwhile keeps what that wrote.
 */
export const enrollProfileUpdate: Step = {
  // As the first form of a sign-up: clients show both by the same page.
  name: 'enroll-profile',
  path: 'enroll/update',
  place: 'remediation',
  stages: ['enroll-profile-update'],
  fields: ({ missing = [] }) => [userProfileField(missing)],
  parts: () => ({
    uiDisplay: { type: 'object', value: { label: 'Sign in', buttonLabel: 'Submit' } },
  }),
  async accept(input, { progress, person, missing = [], now }) {
    if (person === undefined) return { progress: completeProfile(progress) }
    const read = readProfile(missing, input.userProfile)
    if ('refusals' in read) return { progress, refused: profileRefused(read.refusals) }
    const { terms } = read
    // The form has neither, and both stay as they are.
    const { login: _, email: __, ...profile } = read.profile
    const names = Object.keys(profile)
    const effects: readonly Effect[] = [
      {
        type: 'person.update',
        personId: person.id,
        changes: {
          ...(names.length > 0 && { profile }),
          ...(terms && { terms: { version: terms.version, at: now } }),
        },
      },
      {
        type: 'audit.record',
        event: {
          eventType: 'user.account.update_profile',
          displayMessage: 'Update user profile for Okta',
          outcome: { result: 'SUCCESS' },
          actor: { id: person.id, type: 'User', alternateId: person.profile.login },
          target: [{ id: person.id, type: 'User' }],
          debugData: {
            changedAttributes: names.join(','),
            ...(terms && { termsVersion: terms.version, termsUrl: terms.url }),
          },
        },
      },
    ]
    return { progress: completeProfile(progress), effects }
  },
}
