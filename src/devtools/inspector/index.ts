/**
 * The flow inspector: shows every transaction live while an app is used. `recorder.ts` records the exchanges that the
 * engine reports, `explain/` finds the cause, `story.ts` builds the history, and the rest are pages, rendered on the
 * server and complete without JavaScript. The engine reports no secrets, so none can be shown.
 */
export { type Cause, type Explanation, explain, explainStray, plain } from './explain/index.ts'
export { type FlowFacts, type FlowReader, noFlows, type StrayFacts } from './facts.ts'
export { type ClockMove, createRecorder, type Recorded, type Recorder } from './recorder.ts'
export { flowRoutes } from './routes.ts'
