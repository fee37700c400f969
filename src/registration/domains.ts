import { compareKey } from '../directory/index.ts'
import type { DomainRules } from '../policies/index.ts'

/** A domain as it is compared: lower case, in ASCII, without the dot of the root at its end, which mail servers ignore. */
const asciiDomain = (domain: string): string => compareKey(`a@${domain}`).slice(2).replace(/\.+$/, '')

const isBelow = (domain: string, parent: string): boolean => domain.endsWith(`.${parent}`)

/**
 * Whether an address may sign up by its domain. A blocked domain blocks those below it; an allowed one stands for itself, and
 * `*.example.com` for those below it. Where there are rules, a domain that cannot be put into ASCII may not.
 */
export function mayRegister(address: string, { allowed, blocked }: DomainRules): boolean {
  const domain = asciiDomain(address.slice(address.lastIndexOf('@') + 1))
  if (!/^[\w.-]+$/.test(domain)) return false
  const names = (entry: string): readonly [name: string, below: boolean] =>
    entry.startsWith('*.') ? [asciiDomain(entry.slice(2)), true] : [asciiDomain(entry), false]
  const isBlocked = blocked.some((entry) => {
    const [name] = names(entry)
    return domain === name || isBelow(domain, name)
  })
  if (isBlocked) return false
  if (allowed.length === 0) return true
  return allowed.some((entry) => {
    const [name, below] = names(entry)
    return below ? isBelow(domain, name) : domain === name
  })
}
