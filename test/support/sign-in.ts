import { mary, newVisitor, type VisitorTarget } from '../../src/testing/index.ts'

/** Signs in, up to the first request that is not answered 200. Resolves with the status of the last one. */
export async function signIn(target: VisitorTarget, password: string = mary.password): Promise<number> {
  const visitor = newVisitor(target)
  const begun = await visitor.interacts()
  if (begun.status !== 200) return begun.status
  const shown = await visitor.introspects()
  if (shown.status !== 200) return shown.status
  const credentials = { passcode: password }
  return (await visitor.submits('identify', { identifier: mary.login, credentials })).status
}
