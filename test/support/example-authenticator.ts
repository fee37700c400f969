import {
  type Authenticator,
  type Choice,
  type Field,
  type StepContext,
  textAt,
  type View,
} from '../../src/flow/index.ts'

/** The code that the example expects. */
export const exampleCode = '424242'

const code: readonly Field[] = [
  {
    name: 'credentials',
    type: 'object',
    fields: [{ name: 'passcode', label: 'Enter code', required: true }],
  },
]
const methods = (view: View): Field => ({
  name: 'methodType',
  values: view.methodsOf(exampleAuthenticator).map(({ type: value }) => ({
    label: value === 'sms' ? 'SMS' : 'Voice call',
    value,
  })),
})
const number: Field = { name: 'phoneNumber', label: 'Phone number' }

const open = (purpose: 'verify' | 'enroll') => async (context: StepContext, choice: Choice) => ({
  challenge: {
    authenticator: 'example_phone',
    method: choice.method,
    purpose,
    startedAt: context.now,
    expiresAt: context.now + context.lifetimes.code,
    data: null,
  },
  effects: [],
})

const verdict = (input: Readonly<Record<string, unknown>>) => ({
  verdict: textAt(input, 'credentials.passcode') === exampleCode ? ('right' as const) : ('wrong' as const),
  budgets: [],
  effects: [],
  refusal: { status: 401, key: 'api.authn.error.PASSCODE_INVALID' },
})

/** An authenticator of two methods that asks for more than a choice, for the stages that no built-in one reaches. */
export const exampleAuthenticator: Authenticator = {
  key: 'example_phone',
  type: 'phone',
  displayName: 'Phone',
  factors: ['possession'],
  traits: [],
  methods: [
    { type: 'sms', amr: ['sms'] },
    { type: 'voice', amr: ['tel'] },
  ],
  first: false,
  recovers: false,
  initialStatus: 'INACTIVE',
  implicit: false,
  enrollmentPrefix: 'sms',
  challenge: {
    resends: true,
    optionFields: (view) => [methods(view)],
    dataFields: (view) => [methods(view)],
    isComplete: ({ isMethodChosen }) => isMethodChosen,
    start: open('verify'),
    fields: () => code,
    judge: async (input) => verdict(input),
  },
  enroll: {
    resends: true,
    optionFields: (view) => [methods(view), number],
    dataFields: (view) => [methods(view), number],
    isComplete: ({ input }) => typeof input.phoneNumber === 'string',
    start: open('enroll'),
    fields: () => code,
    judge: async (input, { person }) => {
      const judged = verdict(input)
      const personId = person?.id ?? ''
      const enrollment = {
        personId,
        authenticator: 'example_phone',
        prefix: 'sms',
        method: 'sms',
        data: null,
      }
      return judged.verdict === 'wrong'
        ? judged
        : { ...judged, effects: [{ type: 'enrollment.put', enrollment }] }
    },
  },
}
