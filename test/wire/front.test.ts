import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { checkConfig, type Settings } from '../../src/config/index.ts'
import { type Engine, openEngine } from '../../src/engine/index.ts'
import { nodeSettings } from '../support/nodes.ts'

// What the engine's own addresses show to a browser, where there are no pages for developers.
let engine: Engine | undefined
afterEach(() => engine?.close())

const started = async (settings: Settings = {}): Promise<Engine> => {
  const config = nodeSettings('smtp://127.0.0.1:9', { mail: { deliver: false }, ...settings })
  engine = await openEngine(checkConfig(config), { log: silentLogger })
  return engine
}

test.each([
  [undefined, ''],
  ['https://sso.example.com/id', '/id'],
])('with the issuer %s its addresses show the org, and where a sign-in begins', async (issuer, base) => {
  const { port } = await started({ org: { name: 'Tandem & Co' }, ...(issuer && { issuer }) })
  const get = (path: string, headers: Record<string, string>) =>
    fetch(`http://localhost:${port}${path}`, { headers })
  for (const path of [`${base}/`, `${base}/oauth2/default`, `${base}/oauth2/`]) {
    const page = await get(path, { accept: 'text/html', 'accept-language': 'de' })
    expect([path, page.status]).toEqual([path, 200])
    const text = await page.text()
    expect(text).toContain('Tandem &amp; Co')
    expect(text).toContain('Hier ist keine Anmeldung offen')
    expect((await get(path, { accept: 'application/json' })).status).toBe(404)
  }
  expect((await get(`${base}/other`, { accept: 'text/html' })).status).toBe(404)
})
