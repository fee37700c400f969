/**
 * The workers of a node: engines in processes of their own on one port, and the primary that starts them, replaces those that
 * crash, and holds what they share. Owns the processes and the messages between them; what is shared is named by the engine
 * (`Shared`), and counted by the same code as in one process.
 */
export { type End, joinNode, type Member } from './member.ts'
export { type Plan, type Primary, startPrimary, WorkerNotReady, waitAfter } from './primary.ts'
