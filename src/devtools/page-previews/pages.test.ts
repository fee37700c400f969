import { expect, onTestFinished, test } from 'vitest'
import { pageLanguages } from '../../i18n/index.ts'
import { renderPage } from '../../pages/index.ts'
import { startEnvironment } from '../control/environment.fixture.ts'
import { previewNames } from './routes.ts'
import { pageSamples } from './samples.ts'

test('every page is previewed in every language, and listed', async () => {
  const { control, close } = await startEnvironment({})
  onTestFinished(close)
  const list = await (await fetch(`${control.url}/pages`)).text()
  for (const name of previewNames) {
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

/** The fields of each form that a password manager, or a phone, may fill in: by name, and what it finds them by. */
const filledIn: Readonly<Record<string, readonly string[]>> = {
  'sign-in': ['identifier: username', 'credentials.passcode: current-password'],
  'sign-in-with-a-passkey': ['identifier: username webauthn', 'credentials.passcode: current-password'],
  'sign-in-name-first': ['identifier: username'],
  // The name stands beside a password that is asked for alone, unseen.
  password: [': username', 'credentials.passcode: current-password'],
  recovery: ['identifier: username'],
  unlock: ['identifier: username'],
  'code-of-a-mail': ['credentials.passcode: one-time-code'],
  'code-of-an-app': ['credentials.passcode: one-time-code'],
  'code-of-a-text': ['credentials.passcode: one-time-code'],
  'security-question': ['credentials.answer: off'],
  'recovery-code': ['credentials.passcode: off'],
  'new-password': [': username', 'credentials.passcode: new-password'],
  'expired-password': [': username', 'credentials.passcode: new-password'],
  'password-that-expires-soon': [': username', 'credentials.passcode: new-password'],
  'sign-up': [
    'userProfile.email: email',
    'userProfile.firstName: given-name',
    'userProfile.lastName: family-name',
    'credentials.passcode: new-password',
  ],
  'more-about-you': ['userProfile.city: address-level2', 'userProfile.mobilePhone: tel'],
  'set-up-a-phone': ['authenticator.phoneNumber: tel'],
}

test.each(Object.entries(filledIn))('password managers find the fields of %s', (name, expected) => {
  const page = renderPage(pageSamples[name] ?? {}, { base: '', name: 'Rekey' }, 'en')
  const found = [...page.matchAll(/<(?:input|select)[^>]* autocomplete="[^"]*"[^>]*>/g)].map(
    ([tag]) => `${/ name="([^"]*)"/.exec(tag)?.[1] ?? ''}: ${/ autocomplete="([^"]*)"/.exec(tag)?.[1]}`,
  )
  expect(found).toEqual(expected)
})
