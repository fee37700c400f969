/**
 * Builds an engine from a checked configuration: the composition root. `core.ts` is an engine without its network (no
 * port, no mail), for the command line; `seed.ts` and `resources.ts` write what the configuration asks for into the
 * database; `drift.ts` notes a difference between nodes; `metrics.ts` and `maintenance.ts` run beside the requests.
 */
export { type Core, type CorePorts, lifetimesOf, openCore, openOidc, refuseUnfit } from './core.ts'
export { findDrift, isDriftKnown } from './drift.ts'
export {
  type Engine,
  type EnginePorts,
  mailTransportOf,
  openEngine,
  shutdownDelayOf,
  textsOf,
} from './engine.ts'
export { apiOn, inOneTransaction } from './resources.ts'
export type { Announcement, Shared } from './shared.ts'
export { tokenPageOf } from './token-page.ts'
