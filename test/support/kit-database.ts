// REKEY_TEST_DATABASE=postgres runs whatever starts an engine on PostgreSQL, each engine in a database of its own.
const wanted = process.env.REKEY_TEST_DATABASE
if (wanted !== undefined && wanted !== '') {
  // Loaded only then: tests that start no engine need none of this.
  const { useDatabases } = await import('../../src/testing/kit.ts')
  const { databases } = await import('./postgres.ts')
  const kind = databases.find(({ name }) => name === wanted)
  if (kind === undefined) throw new Error(`REKEY_TEST_DATABASE: there is no database "${wanted}"`)
  if (kind.skipped !== undefined) throw new Error(kind.skipped)
  useDatabases(() => kind.create())
}
