import type { Policy } from '../../policies/index.ts'

const requirements = ['DISCOURAGED', 'PREFERRED', 'REQUIRED'] as const
type Requirement = (typeof requirements)[number]

const attachments = ['ANY', 'BUILT_IN', 'ROAMING', 'PLATFORM', 'CROSS_PLATFORM'] as const
const attestations = ['NONE', 'DIRECT'] as const

/** What administrators may set of passkeys, with its defaults. */
export interface PasskeySettings {
  /** Whether a user is verified (by a PIN, a finger) when a passkey is made. */
  readonly userVerification: Requirement
  /** … and when it is used. */
  readonly userVerificationForVerify: Requirement
  readonly attachment: (typeof attachments)[number]
  /** Whether a passkey is stored so that it can be used without a name. */
  readonly residentKeyRequirement: Requirement
  readonly attestation: (typeof attestations)[number]
  /** Whether passkeys that are copied to other devices may be enrolled. */
  readonly allowSyncablePasskeys: boolean
  /** Whether the first page fills passkeys in. */
  readonly enableAutofillUI: boolean
  /** Whether the first page has a button for passkeys. */
  readonly showSignInWithAPasskeyButton: boolean
}

const defaults: PasskeySettings = {
  userVerification: 'PREFERRED',
  userVerificationForVerify: 'PREFERRED',
  attachment: 'ANY',
  residentKeyRequirement: 'PREFERRED',
  attestation: 'NONE',
  allowSyncablePasskeys: true,
  enableAutofillUI: false,
  showSignInWithAPasskeyButton: false,
}

/** The settings in force, the same for every user. What is required of making a passkey is required of using it. */
export function passkeySettings({
  authenticatorSettings,
}: Pick<Policy, 'authenticatorSettings'>): PasskeySettings {
  const set: PasskeySettings = { ...defaults, ...authenticatorSettings.webauthn }
  return set.userVerification === 'REQUIRED' ? { ...set, userVerificationForVerify: 'REQUIRED' } : set
}

const oneOf =
  (values: readonly string[]) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && values.includes(value) ? undefined : `must be one of ${values.join(', ')}`

const flag = (value: unknown): string | undefined =>
  typeof value === 'boolean' ? undefined : 'must be true or false'

/** What is wrong with a value of each, for the management API. */
export const settingsChecks: Readonly<Record<keyof PasskeySettings, (value: unknown) => string | undefined>> =
  {
    userVerification: oneOf(requirements),
    userVerificationForVerify: oneOf(requirements),
    attachment: oneOf(attachments),
    residentKeyRequirement: oneOf(requirements),
    attestation: oneOf(attestations),
    allowSyncablePasskeys: flag,
    enableAutofillUI: flag,
    showSignInWithAPasskeyButton: flag,
  }

/** As the browser's interface has it; undefined: any. */
export const attachmentOf = ({ attachment }: PasskeySettings): 'platform' | 'cross-platform' | undefined => {
  if (attachment === 'ANY') return undefined
  return attachment === 'BUILT_IN' || attachment === 'PLATFORM' ? 'platform' : 'cross-platform'
}

export const lower = (requirement: Requirement): 'discouraged' | 'preferred' | 'required' =>
  requirement.toLowerCase() as Lowercase<Requirement>
