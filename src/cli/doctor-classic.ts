import type { Config, Finding } from '../config/index.ts'

/** Whether apps with a login form of their own are served, whose servers and scripts see the passwords of their users. */
export const classicOf = ({ classic }: Config): Finding => ({
  id: 'classic',
  standard: 'Operation',
  asks: 'the classic authentication API is off: no app without a transaction takes passwords, and no session token stands in an address',
  shownBy: 'settings',
  ...(classic.enabled
    ? {
        result: 'deviates',
        why: 'classic.enabled is set: /api/v1/authn takes passwords from any caller, for older apps alone (docs/classic.md)',
      }
    : { result: 'met', why: 'classic.enabled is not set' }),
})
