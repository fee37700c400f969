import { qrCode } from '../../base/index.ts'
import {
  type Authenticator,
  type Challenge,
  type Field,
  type Input,
  type Outcome,
  type StepContext,
  textAt,
} from '../../flow/index.ts'

const key = 'okta_verify'

/** Where the picture of an enrolment leads: a page of the engine. */
export const oktaVerifyPath = '/okta-verify'

const channels = ['qrcode', 'email', 'sms'] as const
type Channel = (typeof channels)[number]

interface VerifyData {
  readonly channel: Channel
}

/** What a channel asks for before a link could be sent. */
const asks: Partial<Readonly<Record<Channel, Field>>> = {
  email: { name: 'email', label: 'Email', required: true },
  sms: { name: 'phoneNumber', label: 'Phone Number', required: true },
}

const channelIn = (challenge: Challenge | undefined): Channel =>
  ((challenge?.data ?? {}) as Partial<VerifyData>).channel ?? 'qrcode'

/**
 * Okta Verify as far as its enrolment page: apps and widgets that know the page can be tried with it. Only Okta's own app
 * could finish an enrolment, and it talks to Okta alone. So it proves nothing, is off by default, no policy may require
 * it, no link is sent, and the page behind the picture says so.
 */
export const oktaVerifyAuthenticator: Authenticator = {
  key,
  type: 'app',
  displayName: 'Okta Verify',
  // It can prove nothing here: a rule that asks for it is one that no user meets.
  factors: [],
  traits: [],
  methods: [{ type: 'push', amr: ['swk'] }],
  first: false,
  recovers: false,
  initialStatus: 'INACTIVE',
  implicit: false,
  finishedElsewhere: true,
  enrollmentPrefix: 'opf',
  enroll: {
    resends: false,
    channels: {
      values: channels.map((value) => ({ label: value.toUpperCase(), value })),
      asks: (challenge) => asks[channelIn(challenge)],
      send,
    },
    optionFields: () => [
      {
        name: 'channel',
        type: 'string',
        required: false,
        values: channels.map((value) => ({ label: value.toUpperCase(), value })),
      },
    ],
    fields: () => [],
    async start({ now, lifetimes }, choice) {
      const channel = channels.find((one) => one === choice.input.channel) ?? 'qrcode'
      const challenge: Challenge = {
        authenticator: key,
        method: 'push',
        purpose: 'enroll',
        startedAt: now,
        expiresAt: now + lifetimes.code * 6,
        data: { channel } satisfies VerifyData,
      }
      return { challenge, effects: [] }
    },
    judge: async () => ({ verdict: 'unreadable' }),
    async contextualData(challenge, { org }) {
      const selectedChannel = channelIn(challenge)
      if (selectedChannel !== 'qrcode') return { selectedChannel }
      const href = await qrCode(`${org.baseUrl}${oktaVerifyPath}`)
      return { qrcode: { method: 'embedded', href, type: 'image/png' }, selectedChannel }
    },
  },
  settings: {},
  messages: {
    'oktaVerify.notSent': {
      class: 'ERROR',
      text: 'No link was sent: Okta Verify works with Okta alone. Please choose another security method.',
    },
  },
}

/** No link is sent, and it is not answered as if one were. */
async function send(input: Input, { progress }: StepContext): Promise<Outcome> {
  const field = asks[channelIn(progress.challenge)]?.name ?? 'email'
  const isBlank = (textAt(input, field) ?? '').trim() === ''
  return {
    progress,
    refused: isBlank
      ? { status: 400, key: 'model.validation.field.blank', field }
      : { status: 400, key: 'oktaVerify.notSent', field },
  }
}
