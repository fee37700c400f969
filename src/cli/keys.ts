import { openOidc } from '../engine/index.ts'
import { type Command, configOption, dataOption, jsonOption, refuseMore } from './command.ts'
import { withCore } from './with-core.ts'

export const keysRotate: Command = {
  about: [
    'Creates a new key for signing tokens. Running nodes use it within a minute, without a restart. The previous key stays published until the last token signed with it has expired, so no user is signed out.',
    'The master secret is rotated without a command: add a new secret before the old one (REKEY_SECRET=new,old, or a new first line in REKEY_SECRET_FILE) and restart the nodes one by one. New values use the first secret; existing codes, links and sessions stay valid. Then run this command, so that the signing key is encrypted under the new secret, and remove the old secret when the longest lifetime (default: 30 days) has passed.',
  ],
  options: { ...configOption, ...dataOption, ...jsonOption },
  examples: [['rekey keys rotate', 'print the id (kid) of the new key']],

  async run(call) {
    refuseMore(call, 0)
    await withCore(call, async (core) => {
      const oidc = openOidc(core, { issuer: core.config.issuer ?? '' })
      const kid = await oidc.rotateSigningKey()
      call.terminal.print(call.options.json ? JSON.stringify({ kid }) : kid)
    })
  },
}
