import { type Clock, isoTime } from '../base/index.ts'
import { type Core, openOidc } from '../engine/index.ts'
import {
  type Command,
  CommandError,
  configOption,
  dataOption,
  jsonOption,
  onlyArgument,
  refuseMore,
} from './command.ts'
import { columns } from './terminal.ts'
import { withCore } from './with-core.ts'

const common = { ...configOption, ...dataOption, ...jsonOption } as const

const by = { id: 'cli', type: 'SystemPrincipal' } as const

const oidcOf = (core: Core) => openOidc(core, { issuer: core.config.issuer ?? '' })

export const keysRotate: Command = {
  about: [
    'Creates a new key for signing tokens. It is published at once and signs a minute later, on all nodes at the same time and without a restart: by then every verifier can have fetched it. The previous key stays published until the last token signed with it has expired, so no user is signed out. With --now it signs at once, and a verifier that fetched the keys a moment before may refuse new tokens for half a minute.',
    'A key that has leaked is ended by rekey keys revoke.',
    'The master secret is rotated without a command, in three steps; restart all nodes one by one at each step. First add the new secret behind the old one: REKEY_SECRET=old,new (in REKEY_SECRET_FILE a line each). When all nodes have it, put it first: REKEY_SECRET=new,old. New values use the new secret from then on; existing codes, links, sessions and tokens stay valid. Signing keys and authenticator apps are encrypted again by the restart, secrets of apps and API tokens are hashed again when they are next used. When rekey doctor shows that nothing needs the old secret any more, remove it: REKEY_SECRET=new.',
    'A node that was left out of the first step is not ready and answers 503 for what it cannot read; nothing is lost, and it recovers when it is restarted with both secrets.',
  ],
  options: {
    now: { type: 'boolean', description: 'sign with the new key at once' },
    ...common,
  },
  examples: [
    ['rekey keys rotate', 'print the id (kid) of the new key'],
    ['rekey keys rotate --now', 'do not wait until verifiers have fetched it'],
  ],

  async run(call) {
    refuseMore(call, 0)
    await withCore(call, async (core) => {
      const oidc = oidcOf(core)
      const kid = await oidc.rotateSigningKey({ now: call.options.now === true, by })
      const signsFrom = (await oidc.signingKeys()).find((key) => key.kid === kid)?.signsFrom
      const from = isoTime(signsFrom ?? core.clock.now())
      call.terminal.print(call.options.json ? JSON.stringify({ kid, signsFrom: from }) : kid)
      if (signsFrom !== undefined)
        call.terminal.note(`published now; it signs in ${secondsTo(signsFrom, core.clock)} s`)
    })
  },
}

const secondsTo = (time: number, clock: Clock): number => Math.max(0, Math.ceil((time - clock.now()) / 1000))

export const keysList: Command = {
  about: [
    'Lists the keys for signing tokens that are published: the current one, which signs; the next one, which will; and retired ones, which verify tokens that have not expired.',
  ],
  options: common,
  examples: [['rekey keys list', 'find the id (kid) of a key']],

  async run(call) {
    refuseMore(call, 0)
    await withCore(call, async (core) => {
      const keys = (await oidcOf(core).signingKeys()).map(({ kid, state, createdAt, signsFrom }) => ({
        kid,
        state,
        created: isoTime(createdAt),
        ...(signsFrom !== undefined && { signsFrom: isoTime(signsFrom) }),
      }))
      if (call.options.json) return call.terminal.print(JSON.stringify(keys, null, 2))
      const rows = keys.map(({ kid, state, created }) => [kid, state, created])
      for (const line of columns([['kid', 'state', 'created'], ...rows])) call.terminal.print(line)
    })
  },
}

export const keysRevoke: Command = {
  takes: 'KID',
  about: [
    'Ends a key for signing tokens at once, on all nodes: for a key that has leaked. It is published no more, and every token signed with it is refused at userinfo, introspect, logout and the management API. If it was the current key, the next one, or a new one, signs from now on. Sessions and refresh tokens stay: apps get new tokens with them.',
    'An API that verifies tokens by itself accepts those of the revoked key until it fetches the keys again: restart it, or empty its cache.',
  ],
  options: common,
  examples: [
    ['rekey keys list', 'find the id (kid); it is also in the header of each token'],
    [
      'rekey keys revoke LkYVDFJyp5ghQcd1kbyHYvUNTrV7hZAJ-PjgcLcMTZM',
      'print the id of the key that signs now',
    ],
  ],

  async run(call) {
    const kid = onlyArgument(call, 'the id of the key')
    refuseMore(call, 1)
    await withCore(call, async (core) => {
      const signs = await oidcOf(core).revokeSigningKey(kid, { by })
      if (signs === undefined) throw new CommandError(`there is no key "${kid}"; see: rekey keys list`)
      call.terminal.print(call.options.json ? JSON.stringify({ revoked: kid, kid: signs }) : signs)
      call.terminal.note(`revoked ${kid}; APIs that verify tokens by themselves must fetch the keys again`)
    })
  },
}
