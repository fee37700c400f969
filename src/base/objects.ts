/** Whether a value is an object as in JSON: neither null nor an array. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether all texts of a JSON value are such: its strings and the names of its members, at any depth. */
export function everyText(value: unknown, is: (text: string) => boolean): boolean {
  if (typeof value === 'string') return is(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, member]) => is(name) && everyText(member, is))
}
