import { enrollmentsOfUsers, type Person, putEnrollment, updatePerson } from '../../directory/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import { invalid } from '../errors.ts'
import type { ManagementParts } from '../operation.ts'

/** A recovery question and its answer. Stored, but no authenticator asks it yet. */
export interface RecoveryQuestion {
  readonly question: string
  readonly answer: string
}

const authenticator = 'security_question'

/** A question with its answer, which must not be part of the question: that is public. Throws 400. */
export function readQuestion({ question = '', answer = '' }: Partial<RecoveryQuestion>): RecoveryQuestion {
  const problems = questionProblems({ question, answer })
  if (problems.length > 0) throw invalid(problems)
  return { question, answer }
}

export function questionProblems({ question, answer }: RecoveryQuestion): readonly string[] {
  const blank = Object.entries({ question, answer }).filter(([, text]) => text.trim() === '')
  if (blank.length > 0) {
    return blank.map(([name]) => `recovery_question.${name}: The field cannot be left blank`)
  }
  const plain = normalizedAnswer(answer)
  if ([...plain].length < 4) return ['recovery_question.answer: must be at least 4 characters long']
  return normalizedAnswer(question).includes(plain)
    ? ['recovery_question.answer: must not be part of the question']
    : []
}

/** An answer as it is compared: case and extra spaces are ignored. */
const normalizedAnswer = (answer: string): string =>
  answer.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/** Hashes an answer before the database transaction, and returns the function that stores it within one. */
export async function prepareQuestion(
  { people, random }: ManagementParts,
  { question, answer }: RecoveryQuestion,
) {
  const data = { question, hash: await people.hashed(normalizedAnswer(answer)) }
  return async (tx: Tx, person: Person, now: number): Promise<void> => {
    const enrollment = { personId: person.id, authenticator, prefix: 'qae', method: authenticator, data }
    await putEnrollment(tx, enrollment, { random, now })
    await updatePerson(tx, person.id, { secretChanged: true }, now)
  }
}

/** The recovery questions of users, by user id. Answers are stored as hashes. */
export async function questionsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await enrollmentsOfUsers<{ readonly question: string }>(db, ids, authenticator)
  return new Map([...found].map(([id, { question }]) => [id, question]))
}
