import { authenticatorsWith } from '../../src/authenticators/index.ts'
import { messages } from '../../src/idx/wire/messages.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { generatedFrom, table } from './table.ts'

// Only the messages are read; nothing is hashed.
const authenticators = authenticatorsWith(
  createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 1 }),
)

interface Row {
  readonly key: string
  readonly class: string
  readonly text: string
  readonly from: string
}

const rowsOf = (
  words: Readonly<Record<string, { readonly class: string; readonly text: string }>>,
  from: string,
) => Object.entries(words).map(([key, entry]): Row => ({ key, class: entry.class, text: entry.text, from }))

export function messagesPage(): string {
  const rows = [
    ...rowsOf(messages, 'the protocol'),
    ...[...authenticators.values()].flatMap(({ key, messages: own = {} }) => rowsOf(own, `\`${key}\``)),
  ]
  const sorted = rows.toSorted((one, other) => one.key.localeCompare(other.key, 'en'))
  return `${generatedFrom('src/idx/wire/messages.ts and the authenticators')}

# Messages

All messages of responses of the IDX protocol, by \`i18n.key\`. Apps should use the key, and may show the text; the sign-in
widget has its own texts for the keys that it knows. \`{0}\` is the first parameter. A message about a field is part of that
field of the form; all others are at the top of the response.

${table(
  ['key', 'class', 'text', 'from'],
  sorted.map((row) => [`\`${row.key}\``, row.class, row.text, row.from]),
)}

Malformed requests (an invalid body, an unknown path, a wrong method) are answered with an API error in the shape of Okta
instead, with an \`errorCode\` such as \`E0000003\`; OAuth endpoints use the error format of OAuth.
`
}
