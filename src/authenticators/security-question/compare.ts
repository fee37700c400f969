import type { Enrollment } from '../../directory/index.ts'
import type { Effect } from '../../flow/index.ts'
import type { HashCaller, PasswordHasher } from '../../passwords/index.ts'
import { comparableAnswer, earlierForms, longest, type QuestionData, questionData } from './answer.ts'

/** The form of an answer whose hash is stored. What was stored in the earlier form takes a hash for each that it may be. */
export async function formThatMatches(
  hasher: PasswordHasher,
  answer: string,
  stored: QuestionData | undefined,
  caller: HashCaller,
): Promise<string | undefined> {
  // What is longer than any answer that can be set is hashed as nothing, for the same time.
  const isTooLong = answer.length > longest.answer
  const forms = isTooLong ? [''] : stored?.form === 2 ? [comparableAnswer(answer)] : earlierForms(answer)
  for (const form of stored === undefined ? forms.slice(0, 1) : forms) {
    if ((await hasher.verify(form, stored?.hash, caller)) && !isTooLong) return form
  }
  return undefined
}

/** The same answer hashed as one is today, where what is stored is of an earlier form or of other parameters. */
export async function rehashed(
  hasher: PasswordHasher,
  { answer, matched }: { readonly answer: string; readonly matched: string },
  { id, stored: from, data }: Pick<Enrollment<QuestionData>, 'id' | 'stored' | 'data'>,
  caller: HashCaller,
): Promise<readonly Effect[]> {
  if (data.form === 2 && !hasher.isOutdated(data.hash, matched)) return []
  const hash = await hasher.hash(comparableAnswer(answer), { ...caller, recheck: undefined })
  return [{ type: 'enrollment.rehash', id, from, data: questionData(data.question, hash, data.questionKey) }]
}
