import type { Config } from './options.ts'
import { leavesOf, type Schema, valueAt } from './schema.ts'

/** An effective setting for display: secrets are masked. */
export interface EffectiveSetting {
  readonly option: string
  readonly value: unknown
  readonly source: string
}

const hidden = '[hidden]'

/** All effective settings with their sources; secrets are masked. */
export const effectiveSettings = (
  config: Config,
  sourceOf: (path: string) => string | undefined,
): readonly EffectiveSetting[] =>
  leavesOf().flatMap(([option, schema]) => {
    const value = valueAt(config, option)
    if (value === undefined) return []
    return [{ option, value: masked(value, schema), source: sourceOf(option) ?? 'default' }]
  })

function masked(value: unknown, schema: Schema | undefined): unknown {
  if (schema?.secret) return Array.isArray(value) ? value.map(() => hidden) : hidden
  if (Array.isArray(value)) return value.map((item) => masked(item, schema?.items))
  if (typeof value === 'string') return maskUrl(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, masked(child, schema?.properties?.[name])]),
  )
}

/** Masks the password within the address of a database or a mail server, also of one with several hosts. */
export function maskUrl(text: string): string {
  const [, scheme = '', authority = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/is.exec(text) ?? []
  if (scheme === '') return text
  const at = authority.lastIndexOf('@')
  const url = `${scheme}${authority.slice(at + 1).split(',')[0]}${rest}`
  // An address that cannot be parsed is masked as a whole: any part of it may be secret.
  if (!URL.canParse(url) || rest.includes('#')) return hidden
  const user = authority.slice(0, Math.max(at, 0)).replace(/:.*$/s, ':hidden')
  const query = rest.replace(/([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&]*/gi, '$1hidden')
  return `${scheme}${user}${authority.slice(Math.max(at, 0))}${query}`
}
