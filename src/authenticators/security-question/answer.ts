import type { Person } from '../../directory/index.ts'
import { keyOfQuestion } from './questions.ts'

/** A question with the hash of its answer, as it is stored. */
export interface QuestionData {
  /** Absent in what was stored before the question was asked by an authenticator. */
  readonly questionKey?: string
  readonly question: string
  /** Of the answer as `comparableAnswer` returns it. */
  readonly hash: string
  /** Which form of the answer was hashed; absent: the earlier one, which changed less (`earlierForms`). */
  readonly form?: 2
}

/** The most characters of an answer, and of a question, as they are sent. */
export const longest = { answer: 100, question: 255 } as const

/** The least characters of an answer, as it is compared. */
export const shortestAnswer = 4

/**
 * An answer as it is hashed and compared, by every way in which it is set or given: users remember a word, not how they
 * typed it. Ignored are compatibility forms (full width, ligatures), composition, case in every language (ß and SS, final
 * sigma, the dotted and the dotless I of Turkish), characters that are not seen, and all white space but one space
 * between words. Applied twice it changes nothing.
 */
export const comparableAnswer = (answer: string): string =>
  answer
    .normalize('NFKC')
    // Three times: the capital ẞ becomes SS only as a small letter, and SS a small one only after that.
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    // İ is i with a dot above; after it the Turkish ı, whose capital is I, and the final sigma are as the others.
    .replace(/i\u0307/g, 'i')
    .replace(/ς/g, 'σ')
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/\p{White_Space}+/gu, ' ')
    .trim()

/** As answers were compared before: what is stored of them is the hash of this form. */
const earlierForm = (answer: string): string =>
  answer.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/**
 * What an answer may have been when it was hashed in its earlier form, likeliest first, four at most: as typed, as it is
 * compared today, and with the dot that the small letter of İ had, at the beginning of words or everywhere.
 */
export function earlierForms(answer: string): readonly string[] {
  const today = comparableAnswer(answer)
  const dotted = (letters: RegExp) => today.replace(letters, 'i\u0307')
  return [...new Set([earlierForm(answer), today, dotted(/(?<!\p{L})i/gu), dotted(/i/g)])]
}

export type AnswerProblem = 'too-short' | 'too-long' | 'in-question' | 'in-name'

/** What is wrong with a new answer, or undefined. The question is public, and so is the name that is typed at a sign-in. */
export function answerProblem(
  { question, answer }: { readonly question: string; readonly answer: string },
  names: readonly (string | undefined)[],
): AnswerProblem | undefined {
  if (answer.length > longest.answer) return 'too-long'
  const plain = comparableAnswer(answer)
  if ([...plain].length < shortestAnswer) return 'too-short'
  if (comparableAnswer(question).includes(plain)) return 'in-question'
  return names.flatMap((name) => (name === undefined ? [] : partsOf(name))).includes(plain)
    ? 'in-name'
    : undefined
}

/** A name whole, without its domain, and in its parts. */
const partsOf = (name: string): readonly string[] => {
  const whole = comparableAnswer(name)
  const [local = ''] = whole.split('@')
  return [whole, local, ...local.split(/[^\p{L}\p{M}\p{N}]+/u)]
}

/** The names of a user that an answer must not be. */
export const namesOf = ({ profile }: Pick<Person, 'profile'>): readonly string[] => [
  profile.login,
  profile.email,
]

export type QuestionProblem = 'too-long' | 'tags' | 'unreadable'

/** What is wrong with a question that a user has worded, or undefined. Pages show it, so it contains no markup. */
export function questionProblem(question: string): QuestionProblem | undefined {
  if (question.length > longest.question) return 'too-long'
  if (/<\s*[/!?a-z]/i.test(question)) return 'tags'
  const isSeen = /[\p{L}\p{N}]/u.test(question) && !/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(question)
  return isSeen ? undefined : 'unreadable'
}

/** A question as it is stored, with the hash of `comparableAnswer`. Without a key it is the one whose text it is. */
export const questionData = (
  question: string,
  hash: string,
  questionKey = keyOfQuestion(question),
): QuestionData => ({
  questionKey,
  question,
  hash,
  form: 2,
})

/** The question of an enrollment as it is shown. */
export const shownQuestion = ({ question, questionKey = keyOfQuestion(question) }: QuestionData) => ({
  questionKey,
  question,
})
