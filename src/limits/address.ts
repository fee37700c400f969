import { isIP, isIPv4, isIPv6 } from 'node:net'

/**
 * What a network address is counted as. An IPv6 subscriber holds at least a /64 and may call from any address in it,
 * so all of them are one; an IPv4 address in IPv6 clothes is the IPv4 address.
 */
export function addressKey(address: string | undefined): string {
  const [text = ''] = (address ?? '').split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!isIPv6(text)) return isIPv4(text) ? text : 'unknown'
  const [head = '', tail] = text.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  // An IPv4 tail takes the place of two groups; it is never among the first four.
  const width = right.at(-1)?.includes('.') ? 7 : 8
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, width - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`
}

/** The network of an `addressKey`: whom a provider hands a /24, or of IPv6 a /48, has all its addresses. */
export function networkOf(key: string): string {
  if (isIPv4(key)) return `${key.split('.').slice(0, 3).join('.')}.0/24`
  const groups = key.split('::')[0]?.split(':') ?? []
  return groups.length === 4 ? `${groups.slice(0, 3).join(':')}::/48` : key
}

/**
 * The addresses of a header X-Forwarded-For, each without the port and the brackets that some proxies add: Azure's send
 * `203.0.113.7:51234`, others `[2001:db8::1]:443`, and with RFC 7239's quotes. What is no address is left out with all before it, which a proxy behind it has
 * not seen: only addresses are counted and stored.
 */
export function bareAddresses(header: string): string {
  const parts = header.split(',').map((part) => bareAddress(part.trim()))
  return parts.slice(parts.findLastIndex((part) => isIP(part) === 0) + 1).join(', ')
}

function bareAddress(part: string): string {
  const text = part.replace(/^"([^"]*)"$/, '$1')
  const bracketed = /^\[([^\]]+)\](?::\d{0,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined && isIPv6(bracketed)) return bracketed
  const withPort = /^([\d.]+):\d{0,5}$/.exec(text)?.[1]
  return withPort !== undefined && isIPv4(withPort) ? withPort : text
}
