/**
 * The cause finder: pure functions from what is known of a conversation to the one cause that matters to whoever
 * develops the app, and a sentence about it. `ended.ts` for what is over, `refused.ts` for an answer that was not
 * accepted, `tokens.ts` and `link.ts` for codes and links, `waiting.ts` for what is still to come, `stray.ts` for what
 * never became a conversation. The last thing that happened is what people ask about, so it is looked at first.
 */
export type { Cause, Explanation, Sentence } from './cause.ts'
export { plain } from './cause.ts'
export { explain } from './explain.ts'
export { explainStray } from './stray.ts'
