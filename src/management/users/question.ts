import {
  answerProblem,
  comparableAnswer,
  type QuestionData,
  questionData,
  questionKey,
} from '../../authenticators/index.ts'
import { enrollmentsOfUsers, type Person, putEnrollment, updatePerson } from '../../directory/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import { invalid } from '../errors.ts'
import type { ManagementParts } from '../operation.ts'

/** A question and its answer, as callers send them: the user's security question. */
export interface RecoveryQuestion {
  readonly question: string
  readonly answer: string
}

/** The names of the user that it is for, as far as they are sent or known. */
type Names = readonly (string | undefined)[]

/** A question with its answer, which must not be part of the question: that is public. Throws 400. */
export function readQuestion(
  { question = '', answer = '' }: Partial<RecoveryQuestion>,
  names: Names = [],
): RecoveryQuestion {
  const problems = questionProblems({ question, answer }, names)
  if (problems.length > 0) throw invalid(problems)
  return { question, answer }
}

export function questionProblems(
  { question, answer }: RecoveryQuestion,
  names: Names = [],
): readonly string[] {
  const blank = Object.entries({ question, answer }).filter(([, text]) => text.trim() === '')
  if (blank.length > 0) {
    return blank.map(([name]) => `recovery_question.${name}: The field cannot be left blank`)
  }
  const problem = answerProblem({ question, answer }, names)
  return problem === undefined ? [] : [`recovery_question.answer: ${words[problem]}`]
}

const words: Readonly<Record<NonNullable<ReturnType<typeof answerProblem>>, string>> = {
  'too-short': 'must be at least 4 characters long',
  'too-long': 'must be at most 100 characters long',
  'in-question': 'must not be part of the question',
  'in-name': 'must not be part of the username',
}

/** Hashes an answer before the database transaction, and returns the function that stores it within one. */
export async function prepareQuestion(
  { people, random }: ManagementParts,
  { question, answer }: RecoveryQuestion,
) {
  const data = questionData(question, await people.hashed(comparableAnswer(answer)))
  return async (tx: Tx, person: Person, now: number): Promise<void> => {
    const enrollment = {
      personId: person.id,
      authenticator: questionKey,
      prefix: 'qae',
      method: questionKey,
      data,
    }
    await putEnrollment(tx, enrollment, { random, now })
    await updatePerson(tx, person.id, { secretChanged: true }, now)
  }
}

/** The questions of users, by user id. Answers are stored as hashes. */
export async function questionsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await enrollmentsOfUsers<QuestionData>(db, ids, questionKey)
  return new Map([...found].map(([id, { question }]) => [id, question]))
}
