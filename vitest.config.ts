import { configDefaults, defineConfig } from 'vitest/config'

// What the pass on one database (`npm run test:pg`) leaves out: the first pass has run it, and would not run otherwise.
const elsewhere = [
  // Every suite of these files iterates both databases (`onEachDatabase`).
  'test/attacks/{atomic,canary,delegation,factors,groups,methods,own-changes,pre-hijacking,resets,seams,settling,sign-up-clock}.test.ts',
  'test/contract/{api-tokens,budgets,erase,failures,logout-queue,maintenance,many-people,migrations,oauth,outbox,plans,postgres-hosts}.test.ts',
  'test/contract/{management-bounds,search-properties,statements,storage,user-version}.test.ts',
  'test/faults/{clock,clock-jumps,conflicts,connections,failover,poolers,postgres-tls,ready,secret}.test.ts',
  'test/journeys/{classic-sdk,moved-factors,nodes}.test.ts',
  // Pages in a browser, documents, calls of the SDK and an SMTP server: the database decides nothing there.
  'test/attacks/documented.test.ts',
  'test/contributing.test.ts',
  'test/contract/{mail-transport,openapi,product}.test.ts',
  'test/faults/{mail-server,postfix}.test.ts',
  'test/journeys/{admin-users,browser,classic-widget,dpop-browser,hosted-browser,hosted-captcha,hosted-twice,hosted-views,own-pages-views,every-method,inspector,languages,redirect-clients,sdk-calls,sign-in-widget,step-mode,web-app}.test.ts',
  'test/journeys/widget-*.test.ts',
  'test/attacks/hosted-browser.test.ts',
]

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/web/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env.REKEY_TEST_DATABASE ? elsewhere : [])],
    // A deadline ends what hangs. How busy the machine is decides nothing: a machine with other work to do takes twenty times
    // as long as an idle one.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // A page that is slow to answer is not a page that does not answer.
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    globalSetup: ['test/support/postgres-setup.ts', 'test/support/clients-setup.ts'],
    setupFiles: ['test/support/codes.ts', 'test/support/kit-database.ts'],
  },
})
