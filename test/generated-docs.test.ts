import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { documents, written } from '../scripts/docs.ts'
import { type Kit, startEngine } from '../src/testing/index.ts'
import { hasClients } from './support/clients.ts'

describe('what is generated is what is written', () => {
  test.for(documents)('$file', async ({ file, render }, { skip }) => {
    // It is generated from the methods of okta-sdk-nodejs.
    if (file === 'docs/operations.md' && !hasClients) skip('the clients of test/clients are not installed')
    expect(await render(), `${file} is stale: npm run docs`).toBe(await written(file))
  })
})

describe('the endpoints of docs/supported.md', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine()
  })
  afterAll(() => idp.close())

  test('are there', async () => {
    const text = await written('docs/supported.md')
    const named = [
      ...text.matchAll(/`((?:GET |POST )?\/(?:idp|email|oauth2|\.well-known)[\w/.{}?=…-]+)`/g),
    ].map(([, endpoint = '']) => endpoint)
    expect(named.length).toBeGreaterThan(20)
    for (const endpoint of named) {
      const [path = '', method = 'GET'] = endpoint.split(' ').toReversed()
      const url = idp.engineUrl + path.replace('{clientId}', idp.clientId)
      const { status } = await fetch(url, { method, redirect: 'manual' })
      expect(status, endpoint).not.toBe(404)
    }
  })
})
