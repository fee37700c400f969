import { isIP, isIPv4 } from 'node:net'

/** The names of ranges that the framework knows. */
const ranges = ['loopback', 'linklocal', 'uniquelocal']

/** Whether a text names a proxy: an IP address, a range in CIDR notation (or with a netmask), or one of three names. */
export function isProxyRange(text: string): boolean {
  if (ranges.includes(text)) return true
  const [address = '', ...rest] = text.split('/')
  const [prefix] = rest
  const version = isIP(address)
  if (version === 0 || rest.length > 1) return false
  if (prefix === undefined) return true
  if (version === 4 && isIPv4(prefix)) return isNetmask(prefix)
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= (version === 4 ? 32 : 128)
}

/** Whether all ones of a netmask stand in front of all zeros. */
const isNetmask = (text: string): boolean =>
  /^1+0*$/.test(
    text
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join(''),
  )
