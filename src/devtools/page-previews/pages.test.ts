import { expect, onTestFinished, test } from 'vitest'
import { pageLanguages } from '../../i18n/index.ts'
import { startEnvironment } from '../control/environment.fixture.ts'
import { pageSamples } from './samples.ts'

test('every page is previewed in every language, and listed', async () => {
  const { control, close } = await startEnvironment({})
  onTestFinished(close)
  const list = await (await fetch(`${control.url}/pages`)).text()
  for (const name of Object.keys(pageSamples)) {
    for (const language of Object.keys(pageLanguages)) {
      const path = `/pages/${name}?lang=${language}`
      expect(list).toContain(`href="${path}"`)
      const page = await fetch(control.url + path)
      expect(page.status).toBe(200)
      expect(page.headers.get('content-security-policy')).toContain("form-action 'none'")
      const text = await page.text()
      expect(text).toContain(`<html lang="${language}"`)
      expect(text).toMatch(/<h1>[^<]+<\/h1>/)
      expect(text).not.toContain('undefined')
    }
  }
  expect((await fetch(`${control.url}/pages/constructor`)).status).toBe(404)
})
