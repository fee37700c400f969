import { BlockList, isIP } from 'node:net'
import { networksOfProxy } from '../limits/index.ts'

/** The networks of `trustedProxies`. What names none is left out: the configuration refuses it. */
export function networksOf(texts: readonly string[]): BlockList {
  const networks = new BlockList()
  for (const { address, prefix, family } of texts.flatMap(networksOfProxy)) {
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
