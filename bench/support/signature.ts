import { generateKeyPair, SignJWT } from 'jose'

/** The CPU time of RS256 signatures, as a measure of the current speed of the machine. */
export async function signatureCpuMs(signatures: number): Promise<number> {
  const { privateKey } = await generateKeyPair('RS256')
  const sign = () => new SignJWT({ sub: 'bench' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
  for (let index = 0; index < 20; index++) await sign()
  const before = process.cpuUsage()
  for (let index = 0; index < 100; index++) await sign()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 1000 / 100) * signatures
}
