import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { currentState } from '../management/index.ts'
import { type Command, jsonOption, refuseMore } from './command.ts'
import { onSystem, systemOptions } from './system.ts'

export const pull: Command = {
  takes: '[FILE]',
  about: [
    'Writes the state of a running system as the "resources" that rekey apply reads: groups, policies with their rules, apps, trusted origins, and users with --people. Resources are referred to by name instead of id. The file contains no secrets and no passwords.',
    'Writes to FILE, or to standard output.',
  ],
  options: {
    people: { type: 'boolean', description: 'include users: their profiles and groups' },
    ...systemOptions,
    ...jsonOption,
  },
  examples: [
    ['rekey pull resources.yaml', 'rekey apply resources.yaml then finds nothing to change'],
    [
      'rekey pull --url https://id.example.com > resources.yaml',
      'read over HTTP, with the token in REKEY_API_TOKEN',
    ],
  ],
  async run(call) {
    const { terminal, options, args } = call
    refuseMore(call, 1)
    await onSystem(call, async ({ api }) => {
      const resources = await currentState(api, { people: options.people === true })
      const text = options.json
        ? JSON.stringify({ resources }, null, 2)
        : stringify({ resources }, { aliasDuplicateObjects: false, lineWidth: 110 }).trimEnd()
      const [file] = args
      if (file === undefined) return terminal.print(text)
      await writeFile(resolve(terminal.folder, file), `${text}\n`)
      terminal.note(`written: ${file}`)
    })
  },
}
