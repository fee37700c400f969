import { openOidc } from '../engine/index.ts'
import { type Command, configOption, dataOption, jsonOption, refuseMore } from './command.ts'
import { withCore } from './with-core.ts'

export const keysRotate: Command = {
  about: [
    'Makes a new key that tokens are signed with. Nodes that run take it up within a minute, without a restart. The key before stays published until the last token that it signed is over, so nobody is signed out.',
    'The master secret is rotated without a command: put a new one in front of the old one (REKEY_SECRET=new,old, or a first line in REKEY_SECRET_FILE) and restart the nodes one after the other. New values are made with the first; codes, links and sessions under way stay good. Run this command afterwards, so that the signing key is sealed under the new secret, and take the old one out when the longest lifetime (30 days otherwise) is over.',
  ],
  options: { ...configOption, ...dataOption, ...jsonOption },
  examples: [['rekey keys rotate', 'prints the id (kid) of the new key']],

  async run(call) {
    refuseMore(call, 0)
    await withCore(call, async (core) => {
      const oidc = openOidc(core, { issuer: core.config.issuer ?? '' })
      const kid = await oidc.rotateSigningKey()
      call.terminal.print(call.options.json ? JSON.stringify({ kid }) : kid)
    })
  },
}
