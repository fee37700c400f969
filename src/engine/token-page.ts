import type { Config } from '../config/index.ts'
import type { PersonTokenKind } from '../directory/index.ts'

/** The page of an app that takes a token of a mail, by the configuration. */
export const tokenPageOf =
  ({ management: { recoveryPage, activationPage = recoveryPage } }: Config) =>
  (kind: PersonTokenKind): string | undefined =>
    kind === 'activation' ? activationPage : recoveryPage
