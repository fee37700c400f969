import type { Client } from '../clients/index.ts'
import type { Profile } from '../directory/index.ts'
import type { Interaction } from '../interactions/index.ts'

/** What a visitor has filled in. Nothing is written of it yet, and nothing of it is proven. */
export interface RegistrationRequest {
  readonly client: Client
  readonly interaction: Interaction
  readonly profile: Profile
}

export type RegistrationVerdict =
  /**
   * The profile that the user will have. It may have attributes that the form does not ask for. It is checked as the form was, by policy
   * and schema: what is wrong in a field of the form is said there, and any other fault of it is an error of the hook (500, in the
   * log). Names that were changed are looked up as changed, and it is the changed address that is proven.
   */
  | { readonly allowed: true; readonly profile: Profile }
  /** The visitor reads this sentence above the form, as it is. */
  | { readonly allowed: false; readonly summary: string }

/**
 * Asked with every form of a sign-up that is good by itself, whether or not the address is taken: its answer and its time
 * must not depend on that, as nothing else does (A64). It is outside of any database transaction, and may take time. Where it throws, the
 * form is answered 500, and nothing is sent or written.
 */
export type BeforeRegistration = (request: RegistrationRequest) => Promise<RegistrationVerdict>
