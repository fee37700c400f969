import type { Config, Finding } from '../config/index.ts'
import { textsOf } from '../engine/index.ts'

/**
 * Whether the service for texts and calls can be reached, and how far texts go. Asked now; nothing is sent.
 *
 * @param inForce.usesPhones whether the authenticator phone_number is active: without a service its users wait for codes that never come
 */
export async function telephonyOf(
  config: Config,
  { usesPhones = false }: { readonly usesPhones?: boolean } = {},
): Promise<readonly Finding[]> {
  const { hook, countries } = config.telephony
  const finding = {
    id: 'telephony',
    standard: 'Operation',
    asks: 'texts and calls leave by a service that answers, and only to countries that are meant',
  } as const
  if (hook.url === undefined && usesPhones) {
    const why =
      'the authenticator phone_number is active, and no service is configured (telephony.hook.url): no code reaches a phone'
    return [{ ...finding, result: 'deviates', why }]
  }
  if (hook.url === undefined) {
    const why =
      'no service is configured (telephony.hook.url): no text leaves, and the authenticator phone_number must stay inactive'
    return [{ ...finding, result: 'not applicable', why }]
  }
  const problem = await textsOf(config)
    .verify()
    .then(
      () => undefined,
      (error: Error) => `telephony.hook.url: ${error.message}`,
    )
  const open =
    countries.length === 0
      ? 'telephony.countries is empty: texts go to every country, where numbers may earn by them'
      : undefined
  const unsigned =
    hook.secret === undefined
      ? 'telephony.hook.secret is not set: the service cannot know who calls it'
      : undefined
  const why = [problem, unsigned, open].filter((one) => one !== undefined)
  return why.length > 0
    ? [{ ...finding, result: 'deviates', why: why.join('; ') }]
    : [{ ...finding, result: 'met', why: `the service answers; texts go to ${countries.join(', ')}` }]
}
