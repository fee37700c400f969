import { describe, expect, test } from 'vitest'
import { fill, languages, wordsFor } from '../../i18n/index.ts'
import { loadTemplates, templateNames } from '../index.ts'

const variables = {
  'user.profile.firstName': 'Mary',
  'org.name': 'Acme',
  'request.date': 'today',
  'request.time': 'now',
  lifetime: 'five minutes',
  oneTimePassword: '123456',
  resetPasswordLink: 'http://localhost:9000/email/verify/app?token=t',
  verificationToken: '123456',
  emailAuthenticationLink: 'http://localhost:9000/email/verify/app?token=t',
  activationToken: '123456',
  activationLink: 'http://localhost:9000/email/verify/app?token=t',
  stopLink: 'http://localhost:9000/account/stop/t',
  change: 'a change',
  changeDate: 'tomorrow',
}

describe.each(Object.keys(languages))('in %s', (locale) => {
  test.each(templateNames)('%s is whole', async (template) => {
    const mail = (await loadTemplates()).render({ template, locale, variables })
    expect(mail.language).toBe(locale)
    expect(mail.subject).toBe(fill(wordsFor(locale).mail[template].subject, variables))
    expect(`${mail.subject}${mail.text}${mail.html}`).not.toContain('${')
    expect(mail.text).toContain('Mary')
  })
})

test('without a name the greeting has none', async () => {
  const { text } = (await loadTemplates()).render({
    template: 'PasswordChanged',
    locale: 'de',
    variables: {},
  })
  expect(text).toContain('Guten Tag,')
})
