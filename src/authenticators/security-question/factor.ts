import { compareKey } from '../../directory/index.ts'
import type {
  FactorContext,
  FactorProblems,
  FactorVerdict,
  ManagedFactor,
  NewFactor,
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
import { customKey, questionTexts } from './questions.ts'

const blank = (member: string) => `profile.${member}: The field cannot be left blank`

const ofAnswer: Readonly<Record<AnswerProblem, string>> = {
  'too-short': `must be at least ${shortestAnswer} characters in length`,
  'too-long': `must not exceed ${longest.answer} characters in length`,
  'in-question': 'must not be part of the question',
  'in-name': 'must not be part of the username',
}

const ofQuestion: Readonly<Record<QuestionProblem, string>> = {
  'too-long': `must not exceed ${longest.question} characters in length`,
  tags: 'must not contain HTML tags',
  unreadable: 'must be made of letters or numbers that can be read',
}

/** The security question as a factor of the management API: active at once, and its answer is in no response. */
export const questionFactor = (hasher: PasswordHasher): ManagedFactor => ({
  kinds: [
    {
      factorType: 'question',
      provider: 'OKTA',
      vendorName: 'OKTA',
      method: 'security_question',
      idPrefix: 'ufs',
    },
  ],
  questions: Object.entries(questionTexts).map(([question, questionText]) => ({ question, questionText })),
  profile(data) {
    const { questionKey: question, question: questionText } = shownQuestion(data as QuestionData)
    return { question, questionText }
  },
  enroll: ({ profile }, context) => enroll(hasher, profile, context),
  async verify({ answer }, { data, enrollment }, context): Promise<FactorVerdict> {
    if (typeof answer !== 'string' || answer.trim() === '' || enrollment === undefined)
      return { verdict: 'unreadable', problems: ['answer: The field cannot be left blank'] }
    const stored = data as QuestionData
    const caller = callerOf(context)
    const matched = await formThatMatches(hasher, answer, stored, caller)
    if (matched === undefined) return { verdict: 'wrong', rule: 'wrong-answer' }
    const typed = { answer, matched }
    return {
      verdict: 'right',
      effects: await rehashed(hasher, typed, { ...enrollment, data: stored }, caller),
    }
  },
})

const callerOf = ({ caller: source, person }: FactorContext): HashCaller => ({
  source,
  account: compareKey(person.profile.login),
})

async function enroll(
  hasher: PasswordHasher,
  { question: key = '', questionText = '', answer }: Readonly<Record<string, unknown>>,
  context: FactorContext,
): Promise<FactorProblems | NewFactor> {
  const found = questionIn(key, questionText)
  if (typeof found === 'string') return { problems: [found] }
  if (typeof answer !== 'string' || answer.trim() === '') return { problems: [blank('answer')] }
  const problem = answerProblem({ question: found.question, answer }, namesOf(context.person))
  if (problem !== undefined) return { problems: [`profile.answer: ${ofAnswer[problem]}`] }
  const hash = await hasher.hash(comparableAnswer(answer), callerOf(context))
  return { isActive: true, data: questionData(found.question, hash, found.questionKey) }
}

/** The question of a body, or what is wrong with it. */
function questionIn(
  key: unknown,
  text: unknown,
): string | { readonly questionKey: string; readonly question: string } {
  if (typeof key !== 'string' || key === '') return blank('question')
  if (key !== customKey) {
    const question = Object.hasOwn(questionTexts, key) ? questionTexts[key] : undefined
    if (question !== undefined) return { questionKey: key, question }
    return `profile.question: must be a key of factors/questions, or ${customKey} with a questionText`
  }
  const worded = typeof text === 'string' ? text.trim() : ''
  if (worded === '') return blank('questionText')
  const problem = questionProblem(worded)
  return problem === undefined
    ? { questionKey: customKey, question: worded }
    : `profile.questionText: ${ofQuestion[problem]}`
}
