/**
 * The public API: an engine from a configuration. Tests start one with `rekey-engine/testing`; on a machine of its own
 * it is started by the command line (`rekey dev`, `rekey serve`).
 */
export { ConfigError, ProtocolError } from './base/index.ts'
export { type Config, checkConfig, type Settings } from './config/index.ts'
export { type Engine, openEngine } from './engine/index.ts'
