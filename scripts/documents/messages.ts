import { authenticatorsWith } from '../../src/authenticators/index.ts'
import { messages } from '../../src/idx/wire/messages.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { generatedFrom, table } from './table.ts'

// Only its words are read; nothing is hashed.
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

Every message that a response of the IDX protocol can carry, by its \`i18n.key\`. Apps should go by the key, and may show
the text; the sign-in widget has words of its own for keys that it knows. \`{0}\` is the first parameter. Where a message
belongs to a field, it stands in that field of the form, else at the top of the response.

${table(
  ['key', 'class', 'text', 'from'],
  sorted.map((row) => [`\`${row.key}\``, row.class, row.text, row.from]),
)}

Requests that are wrong in themselves (a body that is none, an unknown path, a wrong method) are answered in the shape of
Okta's API errors instead, with an \`errorCode\` such as \`E0000003\`, and OAuth endpoints in OAuth's.
`
}
