import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { type SdkMajor, sdk } from '../support/sdk.ts'
import { answerOf, outcomeOf, sdkCalls, sdkStyles } from './sdk-calls.ts'

let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

describe.each(sdkStyles)('okta-auth-js %s', (style) => {
  const major = Number(style[0]) as SdkMajor
  const mode = style.endsWith('step mode') ? 'step' : 'legacy'

  test.each(sdkCalls)('answers $call as the documents say', async (call) => {
    const auth = sdk(idp, { major, mode, client: call.client ?? 'web' })

    expect(await outcomeOf(call.run(auth, idp))).toBe(answerOf(call, style))
  })
})
