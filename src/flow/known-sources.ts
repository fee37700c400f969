import type { Secrets } from '../base/index.ts'
import type { Interaction } from '../interactions/index.ts'
import { sourceOf } from '../limits/index.ts'

/** How many sources and browsers are remembered of a user. */
export const mostKnownSources = 10

/**
 * Keyed hashes of the source of a request and of the browser, where an app distinguishes them. Addresses are not
 * readable from a database dump. An app that vouches for no address is no source that only its user comes from.
 */
function keysOf(hashesOf: (text: string) => readonly string[], interaction: Interaction): readonly string[] {
  const source = sourceOf(interaction)
  const { deviceToken } = interaction.origin
  const own = [
    ...(source.kind === 'address' ? [source.key] : []),
    ...(deviceToken === undefined ? [] : [`device:${interaction.clientId} ${deviceToken}`]),
  ]
  return own.flatMap((key) => hashesOf(key).map((hash) => hash.slice(0, 22)))
}

const purpose = 'known source'

/** Whether this user has signed in from there, or with this browser, before (A56). */
export const isKnownSource = (
  known: string | undefined,
  secrets: Secrets,
  interaction: Interaction,
): boolean => {
  const before = (known ?? '').split(' ')
  // Under each of the secrets: while one is being rotated, users keep their share of their own budgets (A56).
  return keysOf((key) => secrets.hashes(purpose, key), interaction).some((key) => before.includes(key))
}

/** What is remembered after a sign-in: the newest first. */
export function rememberSource(
  known: string | undefined,
  secrets: Secrets,
  interaction: Interaction,
): string {
  const own = keysOf((key) => [secrets.hash(purpose, key)], interaction)
  const keys = [...own, ...(known ?? '').split(' ').filter(Boolean)]
  return [...new Set(keys)].slice(0, mostKnownSources).join(' ')
}
