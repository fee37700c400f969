import type { CommandEntry } from './command.ts'

/** All commands, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'start engine, mail inbox and sample app on this machine',
    load: async () => (await import('./dev.ts')).dev,
  },
  {
    name: 'serve',
    summary: 'run the engine in production',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'migrate',
    summary: 'bring the database up to date',
    load: async () => (await import('./migrate.ts')).migrate,
  },
  {
    name: 'user add',
    summary: 'add a user',
    load: async () => (await import('./user.ts')).userAdd,
  },
  {
    name: 'user list',
    summary: 'list users',
    load: async () => (await import('./user.ts')).userList,
  },
  {
    name: 'user remove',
    summary: 'remove a user with all credentials and sessions',
    load: async () => (await import('./user.ts')).userRemove,
  },
  {
    name: 'user erase',
    summary: 'remove a user, and the user’s data from the log and all tables',
    load: async () => (await import('./user.ts')).userErase,
  },
  {
    name: 'user activate',
    summary: 'print a token with which a new user completes the account',
    load: async () => (await import('./user.ts')).userActivate,
  },
  {
    name: 'invite',
    summary: 'make a user and mail the link by which the account is completed',
    load: async () => (await import('./invite.ts')).invite,
  },
  {
    name: 'user set-password',
    summary: 'set a new password for a user and end all sessions',
    load: async () => (await import('./user.ts')).userSetPassword,
  },
  {
    name: 'user factors list',
    summary: 'list what a user signs in with besides the password',
    load: async () => (await import('./user-factors.ts')).userFactorsList,
  },
  {
    name: 'user factors remove',
    summary: 'remove a factor of a user, such as a lost phone',
    load: async () => (await import('./user-factors.ts')).userFactorsRemove,
  },
  {
    name: 'user factors reset',
    summary: 'remove all factors of a user; the password stays',
    load: async () => (await import('./user-factors.ts')).userFactorsReset,
  },
  {
    name: 'user factors keep',
    summary: 'stop the removal of a factor that its user has asked for',
    load: async () => (await import('./user-factors.ts')).userFactorsKeep,
  },
  {
    name: 'user factors settle',
    summary: 'have a factor that its user has added count at once',
    load: async () => (await import('./user-factors.ts')).userFactorsSettle,
  },
  {
    name: 'token add',
    summary: 'create a token for the management API',
    load: async () => (await import('./token.ts')).tokenAdd,
  },
  {
    name: 'token list',
    summary: 'list the tokens of the management API',
    load: async () => (await import('./token.ts')).tokenList,
  },
  {
    name: 'token revoke',
    summary: 'revoke a token of the management API',
    load: async () => (await import('./token.ts')).tokenRevoke,
  },
  {
    name: 'apply',
    summary: 'apply the resources of a file to a running system',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'pull',
    summary: 'write the resources of a running system to a file',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'export',
    summary: 'write users, groups, apps and policies to a file',
    load: async () => (await import('./export.ts')).exporting,
  },
  {
    name: 'import',
    summary: 'import such a file, or the users of an Okta org',
    load: async () => (await import('./import.ts')).importing,
  },
  {
    name: 'config',
    summary: 'print the effective settings and their sources',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'doctor',
    summary: 'check the settings against ASVS, NIST and RFC 9700',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'events',
    summary: 'print the system log, newest first',
    load: async () => (await import('./events.ts')).events,
  },
  {
    name: 'trace',
    summary: 'print one sign-in or recovery as a timeline',
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'mail list',
    summary: 'list mails that wait or were refused, with the reason',
    load: async () => (await import('./mail.ts')).mailList,
  },
  {
    name: 'mail show',
    summary: 'print one mail of the outbox',
    load: async () => (await import('./mail.ts')).mailShow,
  },
  {
    name: 'mail retry',
    summary: 'make mails due at once, refused ones too',
    load: async () => (await import('./mail.ts')).mailRetry,
  },
  {
    name: 'mail suppressions list',
    summary: 'list the addresses that get no mail for a while',
    load: async () => (await import('./mail.ts')).mailSuppressions,
  },
  {
    name: 'mail suppressions remove',
    summary: 'let mails go to an address again',
    load: async () => (await import('./mail.ts')).mailSuppressionsRemove,
  },
  {
    name: 'keys rotate',
    summary: 'start signing tokens with a new key',
    load: async () => (await import('./keys.ts')).keysRotate,
  },
  {
    name: 'keys list',
    summary: 'list the keys for signing tokens',
    load: async () => (await import('./keys.ts')).keysList,
  },
  {
    name: 'keys revoke',
    summary: 'end a key for signing tokens that has leaked',
    load: async () => (await import('./keys.ts')).keysRevoke,
  },
  {
    name: 'clock',
    summary: "print the engine's time beside the host's, and set it right",
    load: async () => (await import('./clock.ts')).clock,
  },
  {
    name: 'completion',
    summary: 'print the script for shell completion',
    load: async () => (await import('./completion.ts')).completionOf(commands),
  },
]
