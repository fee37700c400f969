import { credentialsOfPeople, type Person, putCredential, updatePerson } from '../../directory/index.ts'
import type { Db, Tx } from '../../storage/index.ts'
import { type Reader, requiredText } from '../input.ts'
import type { Fields, ManagementParts } from '../operation.ts'

/** A question that its owner answered, for the authenticator that will ask it: there is none yet. */
export interface RecoveryQuestion {
  readonly question: string
  readonly answer: string
}

const authenticator = 'security_question'

/** As `credentials.recovery_question` has it. An answer that stands in the question would be known to whoever is asked. */
export function readQuestion(reader: Reader, fields: Fields): RecoveryQuestion {
  const question = requiredText(reader, fields, 'question', { label: 'recovery_question.question', max: 255 })
  const answer = requiredText(reader, fields, 'answer', { label: 'recovery_question.answer', max: 100 })
  const plain = plainAnswer(answer)
  if (answer !== '' && [...plain].length < 4) {
    reader.problems.push('recovery_question.answer: must be at least 4 characters long')
  } else if (answer !== '' && plainAnswer(question).includes(plain)) {
    reader.problems.push('recovery_question.answer: must not be part of the question')
  }
  return { question, answer }
}

/** What counts of an answer: neither case nor spaces. */
const plainAnswer = (answer: string): string =>
  answer.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/** Hashes an answer, outside of any database transaction, and gives what stores it in one. */
export async function questionToPut({ people }: ManagementParts, { question, answer }: RecoveryQuestion) {
  const data = { question, hash: await people.hashed(plainAnswer(answer)) }
  return async (tx: Tx, person: Person, now: number): Promise<void> => {
    await putCredential(tx, { personId: person.id, authenticator, data }, now)
    await updatePerson(tx, person.id, { secretChanged: true }, now)
  }
}

/** The questions that people have answered, by their ids; what they answered is known to nobody. */
export async function questionsOf(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await credentialsOfPeople<{ readonly question: string }>(db, ids, authenticator)
  return new Map([...found].map(([id, { question }]) => [id, question]))
}
