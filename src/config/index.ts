/**
 * The configuration: one typed object, from a file, the environment and flags, checked as a whole. Collects each
 * folder's `options.ts`; explains every problem at once, and of every setting where it comes from. Reads no environment
 * by itself: the command line hands it in. `reference.ts` writes docs/configuration.md from the same schema.
 */
export { checkConfig, type Settings } from './check.ts'
export { type EffectiveSetting, effectiveSettings, maskUrl } from './effective.ts'
export { devVariables, type Environment, variables } from './environment.ts'
export { type Loaded, type LoadOptions, loadSettings } from './load.ts'
export { type ClientConfig, type Config, configOptions, type PersonConfig } from './options.ts'
export { insecureDevPrefix } from './production.ts'
export { configurationPage } from './reference.ts'
export { type Finding, findingsOf } from './requirements.ts'
