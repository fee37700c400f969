import { plainHash } from '../../../src/base/index.ts'
import type { Enrollment } from '../../../src/directory/index.ts'
import {
  type Authenticator,
  accountSubject,
  attempt,
  type Field,
  type Input,
  identify,
  type Judgement,
  type Progress,
  proofOf,
  prove,
  type RenderContext,
  type Started,
  type Step,
  type StepContext,
  textAt,
  type View,
  versionOf,
} from '../../../src/flow/index.ts'

interface PasskeyData {
  readonly credentialId: string
  readonly transports: readonly string[]
}

const key = 'webauthn'

const hidden = (name: string, label: string, required = true): Field => ({
  name,
  label,
  required,
  hidden: true,
})
const credentials = (...fields: readonly Field[]): readonly Field[] => [
  { name: 'credentials', type: 'object', required: true, fields },
]
const assertion = [
  hidden('authenticatorData', 'Authenticator Data'),
  hidden('clientData', 'Client Data'),
  hidden('signatureData', 'Signature Data'),
]

/** What stands for a signature here: nothing of these tests depends on how WebAuthn signs. */
export const signatureOf = (credentialId: string, challenge: string): string =>
  Buffer.from(plainHash(`${credentialId} ${challenge}`)).toString('base64')

/** Another one after each wrong answer, and none of them stored: the transaction and what has happened in it make it. */
const challengeIn = ({ transaction, progress }: Pick<View, 'transaction' | 'progress'>): string =>
  transaction.derived(`passkey ${progress.challenge?.startedAt} ${progress.misses}`).replace(/^.*\./, '')

const challengeData = (context: Pick<View, 'transaction' | 'progress'>, appid: string) => ({
  challengeData: {
    challenge: challengeIn(context),
    userVerification: 'preferred',
    extensions: { appid },
    hints: [],
  },
})

const opened = (purpose: 'verify' | 'enroll', { now, lifetimes }: StepContext): Started => ({
  challenge: {
    authenticator: key,
    method: 'webauthn',
    purpose,
    startedAt: now,
    expiresAt: now + lifetimes.code,
    data: null,
  },
  effects: [],
})

const budgetsOf = ({ budgets, person, progress, secrets }: StepContext) => [
  {
    budget: budgets.codesPerDay,
    subject: `passkey ${accountSubject(secrets, progress.subject?.identifier ?? '', person)}`,
  },
]

const answered = (input: Input): boolean =>
  ['authenticatorData', 'clientData', 'signatureData'].every((name) => textAt(input, `credentials.${name}`))

/** An answer names no credential: each of the user's is tried. */
async function judge(input: Input, context: StepContext): Promise<Judgement> {
  if (!answered(input)) return { verdict: 'unreadable' }
  const own = await context.directory.enrollments<PasskeyData>(context.person?.id ?? '', key)
  const signature = textAt(input, 'credentials.signatureData')
  const used = own.find(({ data }) => signature === signatureOf(data.credentialId, challengeIn(context)))
  const counter = Number(textAt(input, 'credentials.authenticatorData'))
  const isRight = used !== undefined && counter > used.counter
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: budgetsOf(context),
    ...(used && { enrollmentId: used.id }),
    effects: isRight ? [{ type: 'enrollment.advance', id: used.id, counter }] : [],
    refusal: { status: 401, key: 'authfactor.webauthn.error.assertion_validation_failure' },
    rule: 'wrong-assertion',
  }
}

/** The first page: the browser offers the passkeys it has, before a name is typed. */
function autofill(name: string, authenticator: () => Authenticator): Step {
  return {
    name,
    path: 'challenge/answer/webauthn-autofillui',
    place: 'remediation',
    stages: ['identify'],
    about: () => ({ part: 'webauthnAutofillUIChallenge' }),
    offered: ({ policy }) => policy.signOn.active.includes(key),
    parts: (view) => ({
      webauthnAutofillUIChallenge: { type: 'object', value: challengeData(view, 'https://id.example.com') },
    }),
    fields: () => credentials(...assertion, hidden('userHandle', 'User Handle', false)),
    async accept(input, context) {
      const { progress, now } = context
      const handle = textAt(input, 'credentials.userHandle') ?? ''
      const person = await context.directory.find(Buffer.from(handle, 'base64').toString())
      const named: Progress = identify(progress, {
        identifier: person?.profile.login ?? '',
        ...(person && { userId: person.id }),
      })
      const outcome = await attempt(
        await context.about(named),
        {
          key,
          judge,
          before: progress,
          right: (judgement) => prove(named, proofOf(authenticator(), 'webauthn', judgement, now)),
        },
        input,
      )
      const missing = { status: 400, key: 'model.validation.field.blank' }
      return {
        ...(outcome ?? { progress, refused: missing }),
        user: versionOf(context.transaction.id, person),
      }
    },
  }
}

/** An authenticator with a challenge that the page's browser answers, several credentials in one option, and steps of its own. */
export const passkeyAuthenticator: Authenticator = {
  key,
  type: 'security_key',
  displayName: 'Security Key or Biometric',
  factors: ['possession', 'inherence'],
  traits: ['phishingResistant', 'userPresence', 'userVerification'],
  methods: [{ type: 'webauthn', amr: ['hwk', 'user'] }],
  first: false,
  recovers: false,
  initialStatus: 'INACTIVE',
  implicit: false,
  enrollmentPrefix: 'fwf',
  challenge: {
    about: 'authenticator',
    optionAbout: 'authenticator',
    resends: false,
    start: async (context) => opened('verify', context),
    fields: () => credentials(...assertion),
    judge,
    details: ({ data }) => ({ ...(data as PasskeyData) }),
    contextualData: (_, context) => challengeData(context, context.org.baseUrl),
  },
  enroll: {
    several: true,
    resends: false,
    start: async (context) => opened('enroll', context),
    fields: () =>
      credentials(
        hidden('attestation', 'Attestation'),
        hidden('clientData', 'Client Data'),
        hidden('transports', 'Transports', false),
        hidden('clientExtensions', 'clientExtensions', false),
      ),
    judge: judgeEnrolment,
    contextualData: (_, context) => ({ activationData: activationData(context) }),
  },
  steps: [
    autofill('launch-passkeys-authenticator', () => passkeyAuthenticator),
    autofill('challenge-webauthn-autofillui-authenticator', () => passkeyAuthenticator),
  ],
  messages: {
    'authfactor.webauthn.error.assertion_validation_failure': {
      class: 'ERROR',
      text: 'None of the WebAuthn authenticators the user has enrolled for was able to validate the assertion',
    },
    'authfactor.webauthn.error.attestation_validation_failure': {
      class: 'ERROR',
      text: 'The security key could not be set up. Try again.',
    },
  },
}

const activationData = (context: RenderContext) => ({
  rp: { name: context.org.name },
  user: {
    id: Buffer.from(context.user?.id ?? '').toString('base64url'),
    name: context.user?.profile.login,
    displayName: context.user?.profile.firstName ?? context.user?.profile.login,
  },
  pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
  challenge: challengeIn(context),
  attestation: 'direct',
  authenticatorSelection: { userVerification: 'discouraged', requireResidentKey: false },
  u2fParams: { appid: context.org.baseUrl },
  excludeCredentials: [],
  hints: [],
})

async function judgeEnrolment(input: Input, context: StepContext): Promise<Judgement> {
  const attestation = textAt(input, 'credentials.attestation')
  const clientData = textAt(input, 'credentials.clientData')
  const { person } = context
  if (!attestation || !clientData || person === undefined) return { verdict: 'unreadable' }
  const isRight = clientData === challengeIn(context)
  const data: PasskeyData = { credentialId: attestation, transports: ['internal'] }
  const enrollment = { personId: person.id, authenticator: key, prefix: 'fwf', method: 'webauthn', data }
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: budgetsOf(context),
    effects: isRight
      ? [{ type: 'enrollment.put', enrollment: { ...enrollment, name: 'MacBook Touch ID', several: true } }]
      : [],
    refusal: { status: 400, key: 'authfactor.webauthn.error.attestation_validation_failure' },
    rule: 'wrong-attestation',
  }
}

export type PasskeyEnrollment = Enrollment<PasskeyData>
