import { BlockList, isIP } from 'node:net'

/** The names that `trustedProxies` may contain besides addresses and CIDR ranges. */
const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** The networks of a list of addresses and CIDR ranges. What is neither is left out: the configuration refuses it. */
export function networksOf(texts: readonly string[]): BlockList {
  const networks = new BlockList()
  for (const text of texts.flatMap((one) => named[one] ?? [one])) {
    const [address = '', bits] = text.split('/')
    const version = isIP(address)
    if (version === 0) continue
    const family = version === 4 ? 'ipv4' : 'ipv6'
    const width = version === 4 ? 32 : 128
    const prefix = bits === undefined ? width : Number(bits)
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= width)
      networks.addSubnet(address, prefix, family)
  }
  return networks
}

/** Whether the address of a connection is in one of the networks. */
export function isAmong(networks: BlockList, address: string | undefined): boolean {
  const [text = ''] = (address ?? '').split('%')
  const version = isIP(text)
  return version !== 0 && networks.check(text, version === 4 ? 'ipv4' : 'ipv6')
}
