import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { templateNames } from '../../delivery/index.ts'
import { languages } from '../../i18n/index.ts'
import { startEnvironment } from '../control/environment.fixture.ts'

async function pages(folder?: string) {
  const { control: server, close } = await startEnvironment(folder === undefined ? {} : { templates: folder })
  onTestFinished(close)
  return async (path: string) => {
    const response = await fetch(server.url + path)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
}

test('every template is previewed in every language, as HTML and as text, and listed', async () => {
  const page = await pages()
  const list = (await page('/mails/ForgotPassword')).text
  const listed = [...list.matchAll(/<strong>([^<]+)<\/strong><code>(\w+)<\/code>/g)]
  expect(listed.map(([, , name]) => name)).toEqual(templateNames)
  expect(new Set(listed.map(([, label]) => label)).size).toBe(templateNames.length)
  for (const template of templateNames) {
    for (const language of Object.keys(languages)) {
      const shown = await page(`/mails/${template}?lang=${language}`)
      expect(shown.status).toBe(200)
      expect(shown.text).toMatch(/<iframe [^>]*sandbox=""/)
      const asHtml = await page(`/mails/${template}/html?lang=${language}`)
      expect(asHtml.text).toContain(`lang="${language}"`)
      expect(asHtml.headers.get('content-security-policy')).toContain("default-src 'none'")
      const asText = await page(`/mails/${template}/text?lang=${language}`)
      expect(asText.text).toContain('mary@example.com')
      expect(asText.text).not.toContain('${')
    }
  }
})

test('the current version of a custom template is shown, or the reason why it would be refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekey-templates-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const page = await pages(folder)
  const path = join(folder, 'ForgotPassword.txt')

  await writeFile(path, 'Subject: Ours\nThe code of ${user.profile.firstName} is ${oneTimePassword}.')
  expect((await page('/mails/ForgotPassword')).text).toContain('>Ours</h2>')
  expect((await page('/mails/ForgotPassword/text')).text).toContain('The code of Mary is 482913.')

  await writeFile(path, 'Subject: Ours\n${user.profile.shoeSize} ${oneTimePassword}')
  const refused = await page('/mails/ForgotPassword')
  expect(refused.status).toBe(200)
  expect(refused.text).toContain('These templates would be refused')
  expect(refused.text).toContain('user.profile.shoeSize')
})

test('what is no template is not found, and odd queries fall back to English and the width of the window', async () => {
  const page = await pages()

  expect((await page('/mails/Nonsense')).status).toBe(404)
  const odd = await page('/mails/PasswordChanged?lang=../../x&lang=de&width=99999')
  expect(odd.text).toContain('preview is-fit')
  expect(odd.text).toContain('Your password was changed')
})
