/**
 * Builds an engine from a checked configuration: the one place where the parts meet. `core.ts` is an engine without its
 * doors (no port, no mail), for the command line; `seed.ts` and `resources.ts` bring a database to what the
 * configuration says; `metrics.ts` and `maintenance.ts` run beside the requests.
 */
export { type Core, type CorePorts, lifetimesOf, offsetOf, openCore, openOidc } from './core.ts'
export { type Engine, type EnginePorts, openEngine } from './engine.ts'
export { apiOn, inOneTransaction } from './resources.ts'
