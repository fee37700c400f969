import { authenticatorId, type Field, type Step, type View } from '../../flow/index.ts'
import { enrolling } from './authenticator-enrollment-data.ts'
import { enrollChosen } from './select-authenticator-enroll.ts'

/** The ways in which the present enrolment begins on another device; undefined: there are none. */
const channelsOf = (view: View) => enrolling(view).enroll.channels

/** What the chosen way still asks for: an address or a number. */
const asked = (view: View): Field | undefined => channelsOf(view)?.asks(view.progress.challenge)

/** Waiting for another device to finish an enrolment. Charges and writes nothing. */
const enrollPoll: Step = {
  name: 'enroll-poll',
  path: 'challenge/poll',
  place: 'remediation',
  stages: ['enroll'],
  offered: (view) => channelsOf(view) !== undefined && asked(view) === undefined,
  refresh: () => 4000,
  fields: () => [],
  accept: async (_, { progress }) => ({ progress }),
}

/** What must be known before a link can be sent to the other device. */
const enrollmentChannelData: Step = {
  name: 'enrollment-channel-data',
  path: 'challenge/send',
  place: 'remediation',
  stages: ['enroll'],
  offered: (view) => asked(view) !== undefined,
  fields: (view) => [asked(view) ?? []].flat(),
  async accept(input, context) {
    const channels = channelsOf(context)
    if (channels === undefined) throw new Error('the enrolment has no channels')
    return channels.send(input, context)
  },
}

/** Another way to begin. The SDK reads exactly the first value of the first field, below `value`. */
const selectEnrollmentChannel: Step = {
  name: 'select-enrollment-channel',
  path: 'credential/enroll',
  place: 'remediation',
  stages: ['enroll'],
  offered: (view) => channelsOf(view) !== undefined,
  fields: (view) => {
    const { key, displayName, enroll } = enrolling(view)
    return [
      {
        name: 'authenticator',
        type: 'object',
        label: displayName,
        fieldsBelow: 'value',
        fields: [
          { name: 'id', required: true, fixed: authenticatorId(key) },
          { name: 'channel', type: 'string', required: false, values: enroll.channels?.values ?? [] },
        ],
      },
    ]
  },
  accept: enrollChosen,
}

/** The steps of an enrolment that another device finishes, in the order of their forms. */
export const channelSteps: readonly Step[] = [enrollPoll, enrollmentChannelData, selectEnrollmentChannel]
