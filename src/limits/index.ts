/**
 * Budgets: how often something may happen in a window of time, and what a source is. What must hold on all nodes and
 * outlive them (guesses by account, wrong answers by source, mails by recipient) is counted in the database, inside the
 * transaction that acts; requests, and how many mails a source causes, are counted by each node for itself, all its workers together. Owns the
 * counting and the limits; the callers decide which budget applies to what.
 */

export * from './address.ts'
export * from './budgets.store.ts'
export * from './budgets.ts'
export { type Counted, type CounterUse, createRequestCounters, type RequestCounters } from './counters.ts'
export * from './options.ts'
export { type Endpoint, type RequestBudget, type RequestSource, requestBudgetsFrom } from './presets.ts'
export { isProxyRange, networksOfProxy } from './proxy-range.ts'
export { createRefusals, type Refusals } from './refusals.ts'
export { createRequestLimits, type RequestLimits, type Violation } from './requests.ts'
export * from './source.ts'
