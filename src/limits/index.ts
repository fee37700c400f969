/**
 * Budgets: how often something may happen to somebody in a window of time. What must hold on all nodes and outlive them
 * (guesses by account, wrong answers by address, mails by recipient) is counted in the database inside the transaction
 * that acts; plain requests are counted by each node for itself. Owns the counting and the figures; which budget
 * applies to what is decided by those who charge it.
 */

export * from './address.ts'
export * from './budgets.store.ts'
export * from './budgets.ts'
export * from './options.ts'
export { type Endpoint, type RequestBudget, type RequestSource, requestBudgetsFrom } from './presets.ts'
export { createRequestLimits, type RequestLimits, type Violation } from './requests.ts'
