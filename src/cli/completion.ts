import { type Command, type CommandEntry, UsageError } from './command.ts'

/** The completions by what is typed so far: `''` gives the first words, `user` its second words, `dev` its options. */
async function wordsByBeginning(
  commands: readonly CommandEntry[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const words = new Map<string, string[]>()
  const put = (beginning: string, word: string) => {
    const known = words.get(beginning) ?? []
    if (!known.includes(word)) words.set(beginning, [...known, word])
  }
  for (const { name, load } of commands) {
    const parts = name.split(' ')
    for (const [at, part] of parts.entries()) put(parts.slice(0, at).join(' '), part)
    const { options } = await load()
    for (const option of [...Object.keys(options), 'help']) put(name, `--${option}`)
  }
  return words
}

type Words = ReadonlyMap<string, readonly string[]>

// Names of commands and options contain letters and hyphens only, so none needs quoting.
const bash = (words: Words): string => `# rekey completion bash
_rekey() {
  local typed="\${COMP_WORDS[*]:1:COMP_CWORD-1}" words
  case "$typed" in
${[...words]
  .toReversed()
  .map(
    ([beginning, list]) => `    ${beginning === '' ? "''" : `"${beginning}"*`}) words="${list.join(' ')}" ;;`,
  )
  .join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rekey rekey
`

const zsh = (words: Words): string => `# rekey completion zsh
autoload -Uz bashcompinit && bashcompinit
${bash(words)}`

const fish = (words: Words): string => `# rekey completion fish
${[...words]
  .map(([beginning, list]) => {
    const when =
      beginning === ''
        ? '__fish_use_subcommand'
        : `string match -qr '^rekey ${beginning}( |$)' (commandline -pc)`
    return `complete -c rekey -n "${when}" ${list[0]?.startsWith('--') ? '' : '-f '}-a "${list.join(' ')}"`
  })
  .join('\n')}
`

const shells = { bash, zsh, fish } as const

/** @param commands all commands, including this one: each is loaded for its options. */
export const completionOf = (commands: readonly CommandEntry[]): Command => ({
  takes: 'SHELL',
  about: ['Prints the script for the completion of commands and options in bash, zsh or fish.'],
  options: {},
  examples: [
    ['source <(rekey completion bash)', 'in ~/.bashrc'],
    ['source <(rekey completion zsh)', 'in ~/.zshrc, after compinit'],
    ['rekey completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  async run({ args, terminal }) {
    const [name, ...more] = args
    const shell = Object.entries(shells).find(([known]) => known === name)?.[1]
    if (shell === undefined || more.length > 0) {
      throw new UsageError(`choose a shell: ${Object.keys(shells).join(', ')}`, 'completion')
    }
    terminal.print(shell(await wordsByBeginning(commands)).trimEnd())
  },
})
