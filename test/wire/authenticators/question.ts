import type { Enrollment } from '../../../src/directory/index.ts'
import {
  type Authenticator,
  accountSubject,
  type Input,
  type Judgement,
  type Refusal,
  type Started,
  type StepContext,
  textAt,
} from '../../../src/flow/index.ts'

interface QuestionData {
  readonly questionKey: string
  readonly question: string
  readonly answerHash: string
}

const key = 'security_question'
const texts: Readonly<Record<string, string>> = {
  disliked_food: 'What is the food you least liked as a child?',
  name_of_first_plush_toy: 'What is the name of your first stuffed animal?',
  favorite_vacation_location: 'Where did you go for your favorite vacation?',
  favorite_sports_player: 'Who is your favorite sports player?',
}
const answerField = { name: 'answer', label: 'Answer', required: true, secret: true } as const

const opened = (purpose: 'verify' | 'enroll', { now, lifetimes }: StepContext): Started => ({
  challenge: {
    authenticator: key,
    method: key,
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
    subject: `question ${accountSubject(secrets, progress.subject?.identifier ?? '', person)}`,
  },
]
const comparable = (answer: string) => answer.trim().toLowerCase()
const enrolledIn = ({ enrollments }: Pick<StepContext, 'enrollments'>) =>
  enrollments.find(({ authenticator }) => authenticator === key) as Enrollment<QuestionData> | undefined
const shownOf = ({ questionKey, question }: QuestionData) => ({ questionKey, question })

/** An authenticator whose enrolment is one of two forms, and whose challenge is worded by its enrollment. */
export const questionAuthenticator: Authenticator = {
  key,
  type: 'security_question',
  displayName: 'Security Question',
  factors: ['knowledge'],
  traits: [],
  methods: [{ type: key, amr: ['kba'] }],
  first: false,
  recovers: false,
  initialStatus: 'INACTIVE',
  implicit: false,
  enrollmentPrefix: 'qae',
  challenge: {
    resends: false,
    start: async (context) => opened('verify', context),
    fields: (_, view) => {
      const { questionKey = '', question = '' } = enrolledIn(view)?.data ?? {}
      return [
        {
          name: 'credentials',
          type: 'object',
          required: true,
          fields: [
            { name: 'questionKey', label: question, required: true, fixed: questionKey, hidden: true },
            answerField,
          ],
        },
      ]
    },
    judge: judgeAnswer,
    profile: (_, enrollment) => enrollment && shownOf(enrollment.data as QuestionData),
    contextualData: (_, context) => {
      const enrollment = enrolledIn(context)
      return enrollment && { enrolledQuestion: shownOf(enrollment.data) }
    },
  },
  enroll: {
    resends: false,
    start: async (context) => opened('enroll', context),
    fields: () => [
      {
        name: 'credentials',
        type: 'object',
        required: true,
        options: [
          {
            label: 'Choose a security question',
            fields: [
              {
                name: 'questionKey',
                type: 'string',
                label: 'Choose a security question',
                required: true,
                values: Object.entries(texts).map(([value, label]) => ({ label, value })),
              },
              answerField,
            ],
          },
          {
            label: 'Create my own security question',
            fields: [
              { name: 'questionKey', required: true, fixed: 'custom' },
              { name: 'question', label: 'Create a security question', required: true },
              answerField,
            ],
          },
        ],
      },
    ],
    judge: judgeEnrolment,
    contextualData: () => ({
      questionKeys: [...Object.keys(texts), 'custom'],
      questions: Object.entries(texts).map(([questionKey, question]) => ({ questionKey, question })),
    }),
  },
  messages: {
    'securityQuestion.answer.tooShort.arg': {
      class: 'ERROR',
      text: 'The security question answer must be at least {0} characters in length',
    },
    'securityQuestion.answer.wrong': { class: 'ERROR', text: 'Your answer is wrong. Try again.' },
  },
}

async function judgeAnswer(input: Input, context: StepContext): Promise<Judgement> {
  const answer = textAt(input, 'credentials.answer')
  if (!answer) return { verdict: 'unreadable' }
  const enrollment = enrolledIn(context)
  const isRight = context.secrets.matches('answer', comparable(answer), enrollment?.data.answerHash ?? '')
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: budgetsOf(context),
    effects: [],
    ...(enrollment && { enrollmentId: enrollment.id }),
    refusal: { status: 401, key: 'securityQuestion.answer.wrong', field: 'credentials.answer' },
  }
}

async function judgeEnrolment(input: Input, context: StepContext): Promise<Judgement> {
  const { person, secrets } = context
  const answer = textAt(input, 'credentials.answer')
  const questionKey = textAt(input, 'credentials.questionKey')
  const question = questionKey === 'custom' ? textAt(input, 'credentials.question') : texts[questionKey ?? '']
  if (!answer || !question || !questionKey || person === undefined) return { verdict: 'unreadable' }
  const refusal: Refusal = {
    status: 400,
    key: 'securityQuestion.answer.tooShort.arg',
    params: ['4'],
    field: 'credentials.answer',
  }
  if (comparable(answer).length < 4) return { verdict: 'unreadable', refusal }
  const data: QuestionData = {
    questionKey,
    question,
    answerHash: secrets.hash('answer', comparable(answer)),
  }
  const enrollment = { personId: person.id, authenticator: key, prefix: 'qae', method: key, data }
  return {
    verdict: 'right',
    budgets: [],
    effects: [{ type: 'enrollment.put', enrollment }],
    refusal,
  }
}
