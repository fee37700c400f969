import { enrollmentsOfUsers, type Person, putEnrollment, updatePerson } from '../../directory/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import type { Fields } from '../input.ts'
import type { ManagementParts } from '../operation.ts'
import { type Reader, requiredText } from '../reader.ts'

/** A recovery question and its answer. Stored, but no authenticator asks it yet. */
export interface RecoveryQuestion {
  readonly question: string
  readonly answer: string
}

const authenticator = 'security_question'

/** Reads `credentials.recovery_question`. The answer must not be part of the question, which is public. */
export function readQuestion(reader: Reader, fields: Fields): RecoveryQuestion {
  const question = requiredText(reader, fields, 'question', { label: 'recovery_question.question', max: 255 })
  const answer = requiredText(reader, fields, 'answer', { label: 'recovery_question.answer', max: 100 })
  const plain = normalizedAnswer(answer)
  if (answer !== '' && [...plain].length < 4) {
    reader.problems.push('recovery_question.answer: must be at least 4 characters long')
  } else if (answer !== '' && normalizedAnswer(question).includes(plain)) {
    reader.problems.push('recovery_question.answer: must not be part of the question')
  }
  return { question, answer }
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
