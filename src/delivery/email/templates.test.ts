import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../base/index.ts'
import { loadTemplates, type MailVariables, type Renderer, templateNames } from '../index.ts'

const code = '428571'
const link = 'https://id.acme.example/email/verify/0oa1?token=ftABC123'
const common: MailVariables = {
  'user.profile.firstName': 'Mary',
  'user.profile.login': 'mary@example.com',
  'org.name': 'Acme',
  'app.label': 'Acme Shop',
  'request.browser': 'Firefox 145',
  'request.system': 'Windows',
  'request.ipAddress': '203.0.113.9',
  'request.date': 'November 22, 2026',
  'request.time': '2:05 PM UTC',
  lifetime: '5 minutes',
}
const recovery = { ...common, resetPasswordLink: link, oneTimePassword: code }
const challenge = { ...common, emailAuthenticationLink: link, verificationToken: code }

test('docs/mails.md has every mail in its table', () => {
  const page = readFileSync(new URL('../../../docs/mails.md', import.meta.url), 'utf8')
  const [table = ''] = page.split('## Variables')
  const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(named.toSorted()).toEqual(templateNames.toSorted())
})

describe('the built-in mails', () => {
  let renderer: Renderer
  beforeAll(async () => {
    renderer = await loadTemplates()
  })

  test('a recovery mail with link and code satisfies readers made for Okta’s', () => {
    const { html, text } = renderer.render({ template: 'ForgotPassword', variables: recovery })

    expect(/Enter a code instead: (\d+)/.exec(html)?.[1]).toBe(code)
    expect(/Enter a code instead: (\d+)/.exec(text)?.[1]).toBe(code)
    expect(/<a id="reset-password-link" href="(\S+)"/.exec(html)?.[1]).toBe(link)
    expect(text).toContain(`\n${link}\n`)
  })

  test('a sign-in mail with link and code satisfies them too', () => {
    const { html, text } = renderer.render({ template: 'EmailChallenge', variables: challenge })

    expect(/Enter a code instead: (\d+)/.exec(html)?.[1]).toBe(code)
    expect(/Enter a code instead: (\d+)/.exec(text)?.[1]).toBe(code)
    expect(/<a id="email-authentication-button" href="(\S+)"/.exec(html)?.[1]).toBe(link)
  })

  test.each(['ForgotPassword', 'EmailChallenge'] as const)(
    '%s without a link has the code alone',
    (template) => {
      const variables = {
        ...recovery,
        ...challenge,
        resetPasswordLink: undefined,
        emailAuthenticationLink: '',
      }
      const { html, text } = renderer.render({ template, variables })

      expect(/enter this code: <b>(\d+)<\/b>/.exec(html)?.[1]).toBe(code)
      expect(text).toContain(`enter this code: ${code}\n`)
      expect(html).not.toContain('<a ')
      expect(html + text).not.toMatch(/\blink\b|instead/)
      expect(text).toContain('The code is good for one use within 5 minutes.')
    },
  )

  test('a recovery mail without a code has the link alone and no word of a code', () => {
    const { html, text } = renderer.render({
      template: 'ForgotPassword',
      variables: { ...recovery, oneTimePassword: '' },
    })
    expect(html).toContain(`<a id="reset-password-link" href="${link}"`)
    expect(text).not.toMatch(/\bcode\b/)
  })

  test('mails with a code say where it was requested, and to share it with nobody', () => {
    for (const [template, variables] of [
      ['ForgotPassword', recovery],
      ['EmailChallenge', challenge],
    ] as const) {
      const { html, text } = renderer.render({ template, variables })
      for (const part of [html, text]) {
        expect(part).toContain('Never tell anyone this code.')
        for (const fact of [
          'Acme Shop',
          'Firefox 145',
          'Windows',
          '203.0.113.9',
          'November 22, 2026, 2:05 PM UTC',
        ]) {
          expect(part).toContain(fact)
        }
      }
    }
  })

  test('what is not known of a request is left out with its label', () => {
    const { html, text } = renderer.render({
      template: 'ForgotPassword',
      variables: { oneTimePassword: code },
    })
    expect(text).toMatchInlineSnapshot(`
      "Hi,

      We received a request to reset your password.

      On the page where you asked for this, enter this code: 428571

      Never tell anyone this code. Anyone who asks you for it, by phone, chat or mail, is trying to get into your account.

      If it was not you, do nothing: your password stays as it is.
      "
    `)
    for (const label of ['Browser', '>System', 'IP address', 'Where this came from']) {
      expect(html + text).not.toContain(label)
    }
  })

  test('the notice of a password change has no link and no code, and says what to do', () => {
    const { html, text, subject } = renderer.render({ template: 'PasswordChanged', variables: common })
    expect(subject).toBe('Your password was changed')
    expect(text).toContain('If it was not you')
    expect(html).not.toContain('<a ')
    expect(html + text).not.toContain('://')
  })

  test.each(templateNames)('%s is one well-formed page without anything from elsewhere', (template) => {
    const { html, subject } = renderer.render({
      template,
      variables: { ...recovery, ...challenge, activationLink: link, stopLink: link },
    })
    expect(html).not.toMatch(
      /<(img|script|link|iframe|object)\b|\ssrc=|url\(|@import|\$\{|^#(with|without|end)/im,
    )
    expect(html).toContain('<html lang="en" dir="ltr">')
    expect(html).toContain(`<title>${subject}</title>`)
    for (const tag of ['table', 'tr', 'td', 'p', 'a', 'h1', 'h2', 'b', 'span']) {
      const opened = html.match(new RegExp(`<${tag}[ >]`, 'g'))?.length
      expect(html.match(new RegExp(`</${tag}>`, 'g'))?.length).toBe(opened)
    }
    expect(html.length).toBeLessThan(64 * 1024)
  })

  test('the text part has no markup, no double empty lines and no trailing blanks', () => {
    const { text } = renderer.render({ template: 'ForgotPassword', variables: recovery })
    expect(text).not.toMatch(/[<>]|&\w+;|\n{3}|[ \t]\n|\$\{/)
    expect(text).toMatchInlineSnapshot(`
      "Hi Mary,

      We received a request to reset your password.

      Open this address:
      https://id.acme.example/email/verify/0oa1?token=ftABC123

      Enter a code instead: 428571

      The link and the code are good for one use within 5 minutes.

      Never tell anyone this code. Anyone who asks you for it, by phone, chat or mail, is trying to get into your account.

      If it was not you, do nothing: your password stays as it is.

      Where this came from
      - Account: mary@example.com
      - Application: Acme Shop
      - Browser: Firefox 145
      - System: Windows
      - IP address: 203.0.113.9
      - When: November 22, 2026, 2:05 PM UTC

      --
      Acme sent you this because it concerns your account.
      "
    `)
  })

  test('values are never read as templates', () => {
    const { html, text } = renderer.render({
      template: 'ForgotPassword',
      variables: { ...recovery, 'user.profile.firstName': '${oneTimePassword} #with x' },
    })
    for (const part of [html, text]) expect(part).toContain('Hi ${oneTimePassword} #with x,')
  })

  test('a mail with neither link nor code is an error of its sender, not a useless mail', () => {
    expect(() => renderer.render({ template: 'ForgotPassword', variables: common })).toThrow('holds none of')
  })

  test('an unknown locale is served in English', () => {
    const mail = renderer.render({ template: 'ForgotPassword', variables: recovery, locale: 'xx-YY' })
    expect(mail.language).toBe('en')
  })
})

describe('templates of one’s own', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekey-templates-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
  }
  const problems = async (files: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    await write(files)
    const error: unknown = await loadTemplates({ folder }).catch((thrown: unknown) => thrown)
    if (!(error instanceof ConfigError)) return []
    return error.problems.map((problem) => problem.replace(`${folder}/`, ''))
  }
  const render = async (template: 'ForgotPassword' | 'EmailChallenge', locale?: string) => {
    const renderer = await loadTemplates({ folder })
    return renderer.render({ template, variables: { ...recovery, ...challenge }, locale })
  }

  test('a file of the same name takes the place of the built-in one, inside the layout', async () => {
    await write({ 'ForgotPassword.html': '<p>Code: ${oneTimePassword}</p>' })
    const { html, text } = await render('ForgotPassword')
    expect(html).toContain(`<p>Code: ${code}</p>`)
    expect(html).toContain('<html lang="en"')
    expect(text).toContain('Enter a code instead')
  })

  test('a folder of a language tag serves that language alone', async () => {
    await write({ 'de/ForgotPassword.txt': 'Subject: Neues Passwort\n\nIhr Code: ${oneTimePassword}\n' })
    const german = await render('ForgotPassword', 'de-AT')
    expect(german).toMatchObject({ subject: 'Neues Passwort', language: 'de' })
    expect(german.html).toContain('<html lang="de" dir="ltr">')
    expect(await render('ForgotPassword')).toMatchObject({ subject: 'Reset your password' })
  })

  test('a complete document, as made for Okta, is not put into the layout; alternative names of Okta work', async () => {
    await write({
      'ForgotPassword.html':
        '<!DOCTYPE html><html><body><a href="${resetPasswordUrl}">Reset</a></body></html>',
      'EmailChallenge.html': '<html><b>${oneTimePassword}</b></html>',
    })
    const mail = await render('ForgotPassword')
    expect(mail.html).toContain(`<a href="${link}">Reset</a>`)
    expect(mail.html.match(/<html/g)).toHaveLength(1)
    expect((await render('EmailChallenge')).html).toContain(`<html><b>${code}</b></html>`)
  })

  test('a link may be built from code and state, each encoded', async () => {
    const callback = 'https://app.example/cb?otp=${oneTimePassword}&state=${request.relayState}'
    await write({
      'ForgotPassword.html': `<a href="${callback}">Go</a> ${'${request.relayState}'}`,
      'ForgotPassword.txt': `Subject: Go\n\n${callback} ${'${request.relayState}'}\n`,
    })
    const renderer = await loadTemplates({ folder })
    const variables = { ...recovery, 'request.relayState': 'a&b /"' }
    const { html, text } = renderer.render({ template: 'ForgotPassword', variables })
    for (const part of [html, text]) {
      expect(part).toContain(`https://app.example/cb?otp=${code}&state=a%26b%20%2F%22`)
      expect(part).not.toContain('state=a&b')
    }
  })

  test('lines are included or omitted by the presence of a value, also nested', async () => {
    await write({
      'ForgotPassword.txt':
        'Subject: x\n\n#with app.label\nA\n#with lifetime\nB\n#end\n#without lifetime\nC\n#end\n#end\n#without app.label\nD\n#end\n${oneTimePassword}\n',
    })
    const renderer = await loadTemplates({ folder })
    const text = (variables: MailVariables) =>
      renderer.render({ template: 'ForgotPassword', variables: { oneTimePassword: code, ...variables } }).text
    expect(text({ 'app.label': 'x', lifetime: 'x' })).toBe(`A\nB\n${code}\n`)
    expect(text({ 'app.label': 'x' })).toBe(`A\nC\n${code}\n`)
    expect(text({})).toBe(`D\n${code}\n`)
  })

  test('an unknown variable is refused by file and name, with those that there are', async () => {
    const [problem = ''] = await problems({
      'ForgotPassword.html': '${oneTimePassword} ${user.profile.nickname}',
    })
    expect(problem).toMatch(
      /^ForgotPassword\.html: \$\{user\.profile\.nickname\} is not a variable of this mail; there are /,
    )
    expect(problem).toContain('user.profile.firstName')
  })

  test('a variable of another mail is refused', async () => {
    const found = await problems({ 'PasswordChanged.html': '${oneTimePassword}' })
    expect(found[0]).toContain('PasswordChanged.html: ${oneTimePassword} is not a variable of this mail')
  })

  test('a template without link and code is refused', async () => {
    expect(await problems({ 'ForgotPassword.html': '<p>Hi</p>' })).toEqual([
      'ForgotPassword.html: ${resetPasswordLink} or ${oneTimePassword} is missing',
    ])
  })

  test('all problems of all files are reported at once', async () => {
    const found = await problems({
      'ForgotPassword.html': '${a} ${b}',
      'EmailChallenge.txt': 'no subject',
      'de/ForgotPasword.html': 'x',
      'layout.txt': '${words.common.nothing}',
    })
    expect(found.join('\n')).toMatch(/\$\{a\}[\s\S]*\$\{b\}/)
    expect(found).toContain('EmailChallenge.txt: the first line must be "Subject: …"')
    expect(found).toContain('layout.txt: ${words.common.nothing} is not a sentence of the catalogue')
    expect(found.find((problem) => problem.startsWith('de/ForgotPasword.html'))).toContain(
      'is not the name of a template',
    )
  })

  test.each([
    ['#if(${oneTimePassword})\nx\n#end', '#if is an expression'],
    ['#set($x = 1)', '#set is an expression'],
    ['#{else}', '#{else} is an expression'],
    ['$!{oneTimePassword}', '$!{oneTimePassword} would be sent as text'],
    ['$user.profile.firstName', 'would be sent as text; write ${user.profile.firstName}'],
    ['${user.profile.firstName.toUpperCase()}', 'is not a name'],
    ['${1+1}', 'is not a name'],
    ['${__proto__}', 'is not a variable of this mail'],
    ['${constructor}', 'is not a variable of this mail'],
    ['${oneTimePassword', 'is not closed'],
    ['#with oneTimePassword\nx', '#end is missing for oneTimePassword'],
    ['#end', '#end without'],
    ['#with nothing\n#end', '#with nothing is not the name of a variable'],
    ['<a href="https://x.example/${user.profile.firstName}">x</a>', 'must not be part of a link'],
    ['<a href="${user.profile.login}">x</a>', 'must not be part of a link'],
    ['<p title=${user.profile.firstName}>x</p>', 'is not in quotes'],
    ['<script>x</script>', 'scripts are not allowed'],
    ['<p onclick="x">x</p>', 'scripts are not allowed'],
    ['${content}', 'is not a variable of this mail'],
  ])('%j is refused', async (source, problem) => {
    const found = await problems({ 'ForgotPassword.html': `${'${oneTimePassword}'}\n${source}` })
    expect(found.join('\n')).toContain(problem)
  })

  test('prices and other dollar signs are texts', async () => {
    expect(await problems({ 'ForgotPassword.html': '${oneTimePassword} costs $5, not US$x or #1' })).toEqual(
      [],
    )
  })

  test('a language that is written from right to left sets its direction', async () => {
    await write({ 'ar/ForgotPassword.html': '<p>${oneTimePassword}</p>' })
    expect((await render('ForgotPassword', 'ar')).html).toContain('<html lang="ar" dir="rtl">')
  })

  test('a layout without a place for the mail is refused', async () => {
    expect(await problems({ 'layout.html': '<p>Acme</p>' })).toEqual(['layout.html: ${content} is missing'])
  })

  test('a missing folder is reported', async () => {
    const gone = loadTemplates({ folder: join(folder, 'gone') })
    await expect(gone).rejects.toThrow(/the folder of mail templates .*gone cannot be read/)
  })
})
