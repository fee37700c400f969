import { errorCodes } from '../../src/base/index.ts'
import { generatedFrom, table } from './table.ts'

export const errorsPage = (): string => `${generatedFrom('src/base/error-codes.ts')}

# Errors of the API

The management API, and every address that is neither OAuth nor IDX, answers an error as Okta does: \`errorCode\`,
\`errorSummary\`, \`errorCauses\`, and an \`errorId\` that finds the request in the engine's log. OAuth endpoints have
\`error\` and \`error_description\` (RFC 6749, section 5.2), IDX has messages: [messages.md](messages.md).

${table(
  ['code', 'status', 'summary', 'when'],
  Object.entries(errorCodes).map(([code, { status, summary, meaning }]) => [
    `\`${code}\``,
    String(status),
    summary,
    meaning,
  ]),
)}
`
