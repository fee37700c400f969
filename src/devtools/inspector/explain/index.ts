/**
 * Explanations: pure functions from the facts of a transaction to the one cause that matters to a developer, and a
 * sentence about it. `ended.ts` explains closed transactions, `refused.ts` refused answers, `tokens.ts` and `link.ts`
 * interaction codes and mailed links, `waiting.ts` open transactions, `stray.ts` exchanges without a transaction. The
 * last exchange is checked first: it is what a developer asks about.
 */
export type { Cause, Explanation, Sentence } from './cause.ts'
export { plain } from './cause.ts'
export { explain } from './explain.ts'
export { explainStray } from './stray.ts'
