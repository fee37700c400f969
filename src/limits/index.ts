/**
 * Budgets: how often something may happen to somebody in a window of time. Guesses per person, mails per address,
 * requests per network address. Counted in the database inside the transaction that acts, so that neither a restart
 * nor a second node buys more. Owns the counting; which budget applies to what is decided by those who charge it.
 */

export * from './budgets.ts'
export * from './options.ts'
export * from './store.ts'
