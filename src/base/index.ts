/**
 * What every folder may import, without knowledge of the product: the clock, randomness, keyed hashes and sealing, the
 * logger, the error classes and the escaping `html` tag. The only folder that uses `node:crypto` and `Date`.
 */
export * from './accept.ts'
export * from './clock.ts'
export * from './derivation.ts'
export * from './duration.ts'
export * from './empty-body.ts'
export * from './error-description.ts'
export * from './errors.ts'
export * from './files.ts'
export * from './html.ts'
export * from './log-sampler.ts'
export * from './logger.ts'
export * from './objects.ts'
export * from './pattern.ts'
export * from './random.ts'
export * from './sampler.ts'
export * from './secrets.ts'
export * from './suggest.ts'
export * from './trace.ts'
export * from './unfilled.ts'
export * from './user-agent.ts'
