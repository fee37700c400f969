/**
 * The configuration: one typed object, from values, a file and the environment, checked as a whole. Collects each
 * folder's `options.ts`; explains every problem at once. Reads no environment by itself: the command line hands it in.
 */
export { checkConfig, type Settings } from './check.ts'
export { type ClientConfig, type Config, configOptions, type PersonConfig } from './options.ts'
