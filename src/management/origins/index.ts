/** Trusted origins over HTTP, after Okta's Trusted Origins API: where browsers may call from and be redirected to. */
export { originOperations } from './operations.ts'
export { newTrustedOrigin } from './schema.ts'
export { toOrigin } from './wire.ts'
