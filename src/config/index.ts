/**
 * The configuration: one typed object from a file, the environment and flags, validated as a whole. Collects the
 * `options.ts` of each folder, reports all problems at once, and knows the source of every setting. Does not read the
 * environment itself: the command line passes it in. `reference.ts` generates docs/configuration.md from the same schema.
 */
export { checkConfig, type Settings } from './check.ts'
export { type EffectiveSetting, effectiveSettings, maskUrl } from './effective.ts'
export { devVariables, type Environment, variables } from './environment.ts'
export { type Loaded, type LoadOptions, loadSettings } from './load.ts'
export { type ClientConfig, type Config, configOptions, type PersonConfig } from './options.ts'
export { insecureDevPrefix, isShortSecret, shortSecret } from './production.ts'
export { configurationPage } from './reference.ts'
export { type Asked, type Finding, findingsOf, type SystemFacts } from './requirements.ts'
export { readSecretLine } from './secret-file.ts'
export { configurationHash, isShared, type SharedSetting, sharedSettings } from './shared.ts'
