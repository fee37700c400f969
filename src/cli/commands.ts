import type { CommandEntry } from './command.ts'

/** The commands, in the order of the help text. */
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
    summary: 'add a person',
    load: async () => (await import('./user.ts')).userAdd,
  },
  {
    name: 'user list',
    summary: 'list people',
    load: async () => (await import('./user.ts')).userList,
  },
  {
    name: 'user remove',
    summary: 'remove a person with everything that is hers',
    load: async () => (await import('./user.ts')).userRemove,
  },
  {
    name: 'user set-password',
    summary: 'give a person a new password and end her sessions',
    load: async () => (await import('./user.ts')).userSetPassword,
  },
  {
    name: 'token add',
    summary: 'make a token for the management API',
    load: async () => (await import('./token.ts')).tokenAdd,
  },
  {
    name: 'token list',
    summary: 'list the tokens of the management API',
    load: async () => (await import('./token.ts')).tokenList,
  },
  {
    name: 'token revoke',
    summary: 'end a token of the management API',
    load: async () => (await import('./token.ts')).tokenRevoke,
  },
  {
    name: 'apply',
    summary: 'bring a running system to what a file says',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'pull',
    summary: 'write down what a running system holds',
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'export',
    summary: 'write people, groups, apps and policies to a file',
    load: async () => (await import('./export.ts')).exporting,
  },
  {
    name: 'import',
    summary: 'take in such a file, or the users of an Okta org',
    load: async () => (await import('./import.ts')).importing,
  },
  {
    name: 'config',
    summary: 'show the settings in force and where each comes from',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'doctor',
    summary: 'hold the settings against ASVS, NIST and RFC 9700',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'events',
    summary: 'show what happened, newest first',
    load: async () => (await import('./events.ts')).events,
  },
  {
    name: 'trace',
    summary: 'show one sign-in or recovery from its start to its end',
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'keys rotate',
    summary: 'sign tokens with a new key from now on',
    load: async () => (await import('./keys.ts')).keysRotate,
  },
  {
    name: 'completion',
    summary: 'print what teaches a shell to complete commands and options',
    load: async () => (await import('./completion.ts')).completionOf(commands),
  },
]
