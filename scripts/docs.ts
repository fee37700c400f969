import { readFile, writeFile } from 'node:fs/promises'
import { commandsPage } from '../src/cli/index.ts'
import { configurationPage } from '../src/config/index.ts'
import { errorsPage } from './documents/errors.ts'
import { flowPage } from './documents/flow.ts'
import { managementPage } from './documents/management.ts'
import { messagesPage } from './documents/messages.ts'
import { openApiFile } from './documents/openapi.ts'
import { operationsPage } from './documents/operations.ts'
import { rfc9700Page } from './documents/rfc9700.ts'
import { statementsPage } from './documents/statements.ts'
import { statusesPage } from './documents/statuses.ts'
import { supportedPage } from './documents/supported.ts'

/** A generated document, with its path in the repository. */
interface GeneratedDocument {
  readonly file: string
  readonly render: () => string | Promise<string>
}

/** All generated documents. `npm run docs` writes them; `test/generated-docs.test.ts` fails if one is stale. */
export const documents: readonly GeneratedDocument[] = [
  { file: 'docs/commands.md', render: commandsPage },
  { file: 'docs/configuration.md', render: configurationPage },
  { file: 'docs/errors.md', render: errorsPage },
  { file: 'docs/flow.md', render: flowPage },
  { file: 'docs/management.md', render: managementPage },
  { file: 'docs/messages.md', render: messagesPage },
  { file: 'docs/operations.md', render: operationsPage },
  { file: 'docs/rfc9700.md', render: rfc9700Page },
  { file: 'docs/statements.md', render: statementsPage },
  { file: 'docs/statuses.md', render: statusesPage },
  { file: 'docs/openapi.yaml', render: openApiFile },
  { file: 'docs/supported.md', render: supportedPage },
]

const pathOf = (file: string): URL => new URL(`../${file}`, import.meta.url)

/** The content of the document in the repository; empty if it does not exist yet. */
export const written = (file: string): Promise<string> => readFile(pathOf(file), 'utf8').catch(() => '')

if (import.meta.main) {
  for (const { file, render } of documents) {
    const text = await render()
    if (text === (await written(file))) continue
    await writeFile(pathOf(file), text)
    console.log(`written: ${file}`)
  }
}
