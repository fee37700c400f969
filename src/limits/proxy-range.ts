import { isIP, isIPv4 } from 'node:net'

/** A network of IP addresses. */
export interface Network {
  readonly address: string
  /** The bits of the address that all of the network have. */
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

/** The names of ranges that the framework knows. */
const ranges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** Whether a text names a proxy: an IP address, a range in CIDR notation (or with a netmask), or one of three names. */
export const isProxyRange = (text: string): boolean => networksOfProxy(text).length > 0

/** The networks that such a text names; none where it names no proxy. */
export function networksOfProxy(text: string): readonly Network[] {
  const texts = Object.hasOwn(ranges, text) ? (ranges[text] ?? []) : [text]
  return texts.flatMap((one) => networkOf(one) ?? [])
}

function networkOf(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return undefined
  const width = version === 4 ? 32 : 128
  const prefix = bits === undefined ? width : version === 4 && isIPv4(bits) ? onesOf(bits) : numberOf(bits)
  return prefix >= 1 && prefix <= width
    ? { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
    : undefined
}

const numberOf = (text: string): number => (/^\d{1,3}$/.test(text) ? Number(text) : 0)

/** How many ones a netmask has; 0 where they do not all stand in front of the zeros. */
function onesOf(netmask: string): number {
  const bits = netmask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1+0*$/.test(bits) ? bits.replaceAll('0', '').length : 0
}
