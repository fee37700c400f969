import { compareKey, type Enrollment } from '../../directory/index.ts'
import {
  type Authenticator,
  type Challenge,
  codeBudgets,
  codeSuccess,
  type Field,
  type Input,
  type Judgement,
  type Refusal,
  type Started,
  type StepContext,
  textAt,
} from '../../flow/index.ts'
import type { HashCaller, PasswordHasher } from '../../passwords/index.ts'
import {
  type AnswerProblem,
  answerProblem,
  comparableAnswer,
  longest,
  namesOf,
  type QuestionData,
  type QuestionProblem,
  questionData,
  questionProblem,
  shortestAnswer,
  shownQuestion,
} from './answer.ts'
import { formThatMatches, rehashed } from './compare.ts'
import { questionFactor } from './factor.ts'
import { customKey, questionTexts } from './questions.ts'

export * from './answer.ts'
export { keyOfQuestion, questionTexts } from './questions.ts'

/** The key of the authenticator that questions belong to. */
export const questionKey = 'security_question'

const key = questionKey
const answerField = 'credentials.answer'
const questionField = 'credentials.question'

/**
 * The security question: one of a list, or one that the user has worded. Owns the texts, how answers are compared (one
 * function for all ways in which one is set or given), and the rules for new ones. Answers are stored like passwords, as they
 * are as short and as often used elsewhere. It is knowledge, so it is no second factor beside a password, and is asked for
 * behind a proof alone: the question would show who has an account, and how they worded it (A53).
 */
export function questionAuthenticator(hasher: PasswordHasher): Authenticator {
  return {
    key,
    type: 'security_question',
    displayName: 'Security Question',
    factors: ['knowledge'],
    traits: [],
    methods: [{ type: 'security_question', amr: ['kba'] }],
    first: false,
    recovers: false,
    initialStatus: 'INACTIVE',
    implicit: false,
    enrollmentPrefix: 'qae',
    challenge: {
      opensAtOnce: true,
      resends: false,
      start: async (context) => opened(context, 'verify'),
      fields: (_, view) => {
        const shown = shownOf(view)
        return [
          {
            name: 'credentials',
            type: 'object',
            required: true,
            fields: [
              {
                name: 'questionKey',
                label: shown?.question ?? '',
                required: true,
                fixed: shown?.questionKey ?? '',
                hidden: true,
              },
              answerOf,
            ],
          },
        ]
      },
      // Spent, no answer is hashed (A51). Only who has proven something already learns that it is.
      admit: (input, context) => ({
        isReadable: isReadable(input),
        uses: codeBudgets(context, key),
        refusal: { status: 401, key: 'authfactor.challenge.suspended_factor', field: answerField },
      }),
      judge: (input, context) => judgeAnswer(hasher, input, context),
      profile: (_, enrollment) => enrollment && shownQuestion(enrollment.data as QuestionData),
      // Without it clients take the form for that of an enrolment.
      contextualData: (_, context) => {
        const shown = shownOf(context)
        return shown && { enrolledQuestion: shown }
      },
    },
    enroll: {
      resends: false,
      start: async (context) => opened(context, 'enroll'),
      fields: () => enrolmentForm,
      // A source that may answer nothing causes no hash either (A51).
      admit: () => ({ isReadable: true, uses: [], refusal: blank(answerField) }),
      judge: (input, context) => judgeEnrolment(hasher, input, context),
      contextualData: () => ({
        questionKeys: [...Object.keys(questionTexts), customKey],
        questions: Object.entries(questionTexts).map(([questionKey, question]) => ({
          questionKey,
          question,
        })),
      }),
    },
    factor: questionFactor(hasher),
    settings: {},
    messages: {
      'errors.E0000087': { class: 'ERROR', text: 'The recovery question answer did not match our records.' },
      'authfactor.challenge.suspended_factor': {
        class: 'ERROR',
        text: 'This factor is suspended for your account due to too many failed attempts',
      },
      'securityQuestion.answer.tooShort.arg': {
        class: 'ERROR',
        text: 'The security question answer must be at least {0} characters in length',
      },
      'securityQuestion.answer.tooLong.arg': {
        class: 'ERROR',
        text: 'The security question answer must not exceed {0} characters in length',
      },
      'securityQuestion.answer.inQuestion': {
        class: 'ERROR',
        text: 'The security question answer must not be part of the question',
      },
      'securityQuestion.answer.inUsername': {
        class: 'ERROR',
        text: 'The security question answer must not be part of your username',
      },
      'securityQuestion.question.tooLong.arg': {
        class: 'ERROR',
        text: 'The security question must not exceed {0} characters in length',
      },
      'securityQuestion.question.unreadable': {
        class: 'ERROR',
        text: 'The security question must be made of letters or numbers that can be read',
      },
      tagsNotAllowed: { class: 'ERROR', text: 'The field must not contain HTML tags' },
    },
  }
}

const answerOf: Field = { name: 'answer', label: 'Answer', required: true, secret: true }

/** Two forms of which a user fills one, in this order: clients find them by their place. */
const enrolmentForm: readonly Field[] = [
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
            values: Object.entries(questionTexts).map(([value, label]) => ({ label, value })),
          },
          answerOf,
        ],
      },
      {
        label: 'Create my own security question',
        fields: [
          { name: 'questionKey', required: true, fixed: customKey },
          { name: 'question', label: 'Create a security question', required: true },
          answerOf,
        ],
      },
    ],
  },
]

const opened = ({ now, lifetimes }: StepContext, purpose: Challenge['purpose']): Started => ({
  challenge: {
    authenticator: key,
    method: 'security_question',
    purpose,
    startedAt: now,
    expiresAt: now + lifetimes.code * 6,
    data: null,
  },
  effects: [],
})

const enrolledIn = ({ enrollments }: Pick<StepContext, 'enrollments'>) =>
  enrollments.find(({ authenticator }) => authenticator === key) as Enrollment<QuestionData> | undefined

const shownOf = (view: Pick<StepContext, 'enrollments'>) => {
  const enrollment = enrolledIn(view)
  return enrollment && shownQuestion(enrollment.data)
}

const isReadable = (input: Input): boolean => {
  const answer = textAt(input, answerField)
  return answer !== undefined && answer.trim() !== ''
}

const blank = (field: string): Refusal => ({ status: 400, key: 'model.validation.field.blank', field })

const callerOf = ({ progress, recheck, signal, source }: StepContext): HashCaller => ({
  source: source.key,
  account: compareKey(progress.subject?.identifier ?? ''),
  signal,
  recheck,
})

async function judgeAnswer(hasher: PasswordHasher, input: Input, context: StepContext): Promise<Judgement> {
  const answer = textAt(input, answerField)
  if (answer === undefined || !isReadable(input)) return { verdict: 'unreadable' }
  context.claim()
  const caller = callerOf(context)
  const enrollment = enrolledIn(context)
  const matched = await formThatMatches(hasher, answer, enrollment?.data, caller)
  const isRight = matched !== undefined && enrollment !== undefined
  return {
    verdict: isRight ? 'right' : 'wrong',
    budgets: codeBudgets(context, key),
    ...(isRight && { enrollmentId: enrollment.id }),
    effects: [
      ...(isRight ? await rehashed(hasher, { answer, matched }, enrollment, caller) : []),
      ...(isRight ? [{ type: 'enrollment.use', id: enrollment.id } as const] : []),
      ...(isRight ? codeSuccess(context, key) : []),
    ],
    refusal: { status: 401, key: 'errors.E0000087', field: answerField },
    rule: 'wrong-answer',
  }
}

const refusalOfAnswer: Readonly<Record<AnswerProblem, Refusal>> = {
  'too-short': {
    status: 400,
    key: 'securityQuestion.answer.tooShort.arg',
    params: [shortestAnswer],
    field: answerField,
  },
  'too-long': {
    status: 400,
    key: 'securityQuestion.answer.tooLong.arg',
    params: [longest.answer],
    field: answerField,
  },
  'in-question': { status: 400, key: 'securityQuestion.answer.inQuestion', field: answerField },
  'in-name': { status: 400, key: 'securityQuestion.answer.inUsername', field: answerField },
}

const refusalOfQuestion: Readonly<Record<QuestionProblem, Refusal>> = {
  'too-long': {
    status: 400,
    key: 'securityQuestion.question.tooLong.arg',
    params: [longest.question],
    field: questionField,
  },
  tags: { status: 400, key: 'tagsNotAllowed', field: questionField },
  unreadable: { status: 400, key: 'securityQuestion.question.unreadable', field: questionField },
}

/**
 * The question that was sent. A text beside a key is the user's own, and an empty one beside a key is none: apps send all
 * fields of both forms.
 */
function questionIn(
  input: Input,
): { readonly refused: Refusal } | { readonly questionKey: string; readonly question: string } {
  const chosen = textAt(input, 'credentials.questionKey') ?? ''
  const worded = textAt(input, questionField)?.trim() ?? ''
  if (worded === '' && chosen !== '' && chosen !== customKey) {
    const question = Object.hasOwn(questionTexts, chosen) ? questionTexts[chosen] : undefined
    if (question !== undefined) return { questionKey: chosen, question }
    return { refused: { status: 400, key: 'E0000020', field: 'credentials.questionKey' } }
  }
  if (worded === '')
    return { refused: blank(chosen === customKey ? questionField : 'credentials.questionKey') }
  const problem = questionProblem(worded)
  return problem === undefined
    ? { questionKey: customKey, question: worded }
    : { refused: refusalOfQuestion[problem] }
}

async function judgeEnrolment(
  hasher: PasswordHasher,
  input: Input,
  context: StepContext,
): Promise<Judgement> {
  const { person } = context
  const found = questionIn(input)
  if ('refused' in found) return { verdict: 'unreadable', refusal: found.refused }
  const answer = textAt(input, answerField)
  if (answer === undefined || !isReadable(input) || person === undefined) {
    return { verdict: 'unreadable', refusal: blank(answerField) }
  }
  const problem = answerProblem({ question: found.question, answer }, namesOf(person))
  if (problem !== undefined) return { verdict: 'unreadable', refusal: refusalOfAnswer[problem] }
  context.claim()
  const hash = await hasher.hash(comparableAnswer(answer), callerOf(context))
  const data = questionData(found.question, hash, found.questionKey)
  return {
    verdict: 'right',
    budgets: [],
    effects: [
      {
        type: 'enrollment.put',
        enrollment: {
          personId: person.id,
          authenticator: key,
          prefix: 'qae',
          method: 'security_question',
          data,
        },
      },
    ],
    refusal: blank(answerField),
  }
}
