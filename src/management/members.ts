import type { Fields } from './input.ts'

/**
 * The members of a body that are neither supported nor set by the engine itself, for the log: `prefix.name`. Null ones ask
 * for nothing and are left out.
 */
export const unsupportedMembers = (body: Fields, known: readonly string[], prefix = ''): readonly string[] =>
  Object.entries(body)
    .filter(([name, value]) => !known.includes(name) && value !== null)
    .slice(0, 20)
    .map(([name]) => prefix + name.slice(0, 64))

/** The members that are not null: null is the same as absent. */
export const withoutNulls = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
