import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { currentState } from '../management/index.ts'
import { type Command, jsonOption, refuseMore } from './command.ts'
import { onSystem, systemOptions } from './system.ts'

export const pull: Command = {
  takes: '[FILE]',
  about: [
    'Writes what a running system holds as the "resources" that rekey apply takes: groups, policies with their rules, apps, trusted origins, and people where they are asked for. Names stand in place of ids. No secret and no password is in it.',
    'To standard output, or to FILE.',
  ],
  options: {
    people: { type: 'boolean', words: 'people too: their profiles and groups' },
    ...systemOptions,
    ...jsonOption,
  },
  examples: [
    ['rekey pull resources.yaml', 'then rekey apply resources.yaml finds nothing to do'],
    [
      'rekey pull --url https://id.example.com > resources.yaml',
      'over HTTP, with the token in REKEY_API_TOKEN',
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
