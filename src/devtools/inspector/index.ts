/**
 * The flow inspector: every conversation as a picture, while somebody clicks through the app beside it. `recorder.ts`
 * keeps what the engine tells of its exchanges, `explain/` finds the cause, `story.ts` puts all in order, and the rest
 * are pages, rendered on the server and whole without JavaScript. No secret comes in, so none can come out.
 */
export { type Cause, type Explanation, explain, explainStray, plain } from './explain/index.ts'
export { type FlowFacts, type FlowReader, noFlows, type StrayFacts } from './facts.ts'
export { type ClockMove, createRecorder, type Recorder } from './recorder.ts'
export { flowRoutes } from './routes.ts'
