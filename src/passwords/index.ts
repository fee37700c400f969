/**
 * Passwords as such: hashing with argon2id behind a bounded queue, hashes that other systems made, common passwords, and
 * the rules of a policy. Owns what a stored password is and what a new one must be; does not own who may set one, nor the
 * protocol around it (`authenticators/password`, `people`). Follows NIST SP 800-63B-4 and RFC 9106.
 */
export { isCommonPassword } from './common.ts'
export { encodeHash, importableHashes } from './foreign.ts'
export {
  createHasher,
  type HasherOptions,
  type HashParameters,
  insecureFastHash,
  type PasswordHasher,
  standardHash,
} from './hash.ts'
export {
  changeProblem,
  newPassword,
  type PasswordData,
  passwordEnrollment,
  passwordKey,
  passwordProblems,
  wasUsed,
} from './new-password.ts'
export { passwordOptions } from './options.ts'
export { createHashQueue, type HashCaller, type HashLoad, type HashQueue } from './queue.ts'
export { meetsRules, requirementsSentence, tooLongSentence, unmetRequirements } from './rules.ts'
