/**
 * Factors of users over HTTP, after Okta's Factors API, and what users have of each authenticator. Owns who may enrol, confirm,
 * verify and remove what for another user, with which budgets. What a factor is, and whether an answer is right, is its
 * authenticator's (`ManagedFactor` in `flow/`); what a change causes, `people/`'s.
 */
export { enrollmentOperations } from './enrollments.ts'
export { factorOperations } from './operations.ts'
export { sparedByReset } from './remove.ts'
