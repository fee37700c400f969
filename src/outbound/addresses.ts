import { BlockList, isIP } from 'node:net'

type Range = readonly [network: string, prefix: number]

const listOf = (ranges: readonly Range[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList()
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family)
  return list
}

/** What of IPv4 is no public host (RFC 6890 and its successors): the registry of special purposes, multicast, the rest. */
const notPublic4 = listOf(
  [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  'ipv4',
)

/** Global unicast. What is not in it (mapped, NAT64, link-local, unique local, multicast) leads to other networks. */
const global6 = listOf([['2000::', 3]], 'ipv6')

/** What of global unicast is a tunnel to an IPv4 address, or no host: Teredo and ORCHID, documentation, 6to4. */
const notPublic6 = listOf(
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ],
  'ipv6',
)

/** This machine, and the addresses of private networks: for development, tests and a gateway beside the engine. */
const near4 = listOf(
  [
    ['10.0.0.0', 8],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ],
  'ipv4',
)
const near6 = listOf(
  [
    ['::1', 128],
    ['fc00::', 7],
  ],
  'ipv6',
)
const loopback4 = listOf([['127.0.0.0', 8]], 'ipv4')

/** Whether an address is that of a public host. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !notPublic4.check(address, 'ipv4')
  return family === 6 && global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6')
}

/** Whether an address is of this machine or of a private network. Link-local ones, which answer with a cloud's credentials, are not. */
export function isNearAddress(address: string): boolean {
  const family = isIP(address)
  return family === 4 ? near4.check(address, 'ipv4') : family === 6 && near6.check(address, 'ipv6')
}

export const isLoopbackAddress = (address: string): boolean =>
  address === '::1' || (isIP(address) === 4 && loopback4.check(address, 'ipv4'))
