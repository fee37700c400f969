import { ConfigError, createSecrets, systemClock } from '../base/index.ts'
import type { Config, Finding } from '../config/index.ts'
import { recordedSecrets, refuseWrongSecret, type Storage, usesOfSecret } from '../storage/index.ts'

interface CheckedSecret {
  readonly findings: readonly Finding[]
  /** Why no node would start with these secrets; undefined where they are right, or there are none. */
  readonly wrong?: string
}

const finding = {
  id: 'REKEY_SECRET',
  standard: 'Operation',
  asks: 'what the database holds can be read with the configured secrets',
} as const

/** Whether the configured secrets are those of the database. Works on any schema. */
export async function checkSecret(storage: Storage, { secrets: masters }: Config): Promise<CheckedSecret> {
  if (masters.length === 0) return { findings: [] }
  try {
    await refuseWrongSecret(storage, createSecrets(masters))
    return { findings: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const wrong = error.problems.join('; ')
    return { findings: [{ ...finding, result: 'deviates', why: wrong }], wrong }
  }
}

/** What the current secret is, and what of the database still needs one that has been replaced. */
export async function secretFindings(
  storage: Storage,
  { secrets: masters }: Config,
): Promise<readonly Finding[]> {
  if (masters.length === 0) return []
  const configured = createSecrets(masters).versions
  const [current, ...replaced] = await recordedSecrets(storage)
  if (current === undefined) return []
  const needed = new Map<string, string>()
  for (const version of replaced) {
    const uses = await usesOfSecret(storage.db, version, systemClock.now())
    const counts = Object.entries(uses).filter(([, count]) => count > 0)
    if (counts.length > 0) needed.set(version, counts.map(([kind, count]) => `${kind} ${count}`).join(', '))
  }
  const notes = [...needed].map(([version, uses]) =>
    configured.includes(version)
      ? `keep the secret ${version} behind it, which is still needed (${uses})`
      : `put the secret ${version} back behind it, which is still needed (${uses})`,
  )
  for (const version of configured) {
    if (version === current || needed.has(version)) continue
    notes.push(
      replaced.includes(version)
        ? `nothing needs the secret ${version} any more: remove it from REKEY_SECRET`
        : `the secret ${version} can be put first once all nodes have it`,
    )
  }
  const isLost = [...needed.keys()].some((version) => !configured.includes(version))
  const why = [`the secret ${current} is the current one`, ...notes].join('; ')
  return [{ ...finding, result: isLost ? 'deviates' : 'met', why }]
}
