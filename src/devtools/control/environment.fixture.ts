import { silentLogger, VirtualClock } from '../../base/index.ts'
import { checkConfig } from '../../config/index.ts'
import { createHasher, insecureFastHash } from '../../passwords/index.ts'
import { type DevEnvironment, startDevEnvironment } from '../../testing/index.ts'
import type { InboxHints } from './options.ts'

/** When the clock of these environments stands still: 2023-11-14T22:13:20Z. */
export const startAt = 1_700_000_000_000

/** A real engine without users or clients, its mail server and its control API, for the tests of this part. */
export const startEnvironment = (
  options: { readonly hints?: InboxHints; readonly templates?: string } = {},
): Promise<DevEnvironment> =>
  startDevEnvironment({
    clock: new VirtualClock({ frozen: true, startAt }),
    log: silentLogger,
    ...(options.hints && { hints: options.hints }),
    ports: { hasher: createHasher({ parameters: insecureFastHash, concurrency: 2, queue: 100 }) },
    configure: (smtpUrl) =>
      checkConfig({
        mode: 'test',
        secrets: ['only for tests: everybody knows this secret'],
        database: { url: 'memory' },
        http: { port: 0 },
        mail: { url: smtpUrl, spreadMs: 0, ...(options.templates && { templates: options.templates }) },
        people: [],
        clients: [
          {
            id: 'rekey-web',
            secret: 'rekey-web-secret-for-tests-only',
            label: 'Sample Web App',
            applicationType: 'web',
            redirectUris: ['http://localhost:8080/login/callback'],
            postLogoutRedirectUris: [],
          },
        ],
      }),
  })
