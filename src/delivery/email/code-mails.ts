import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

interface CodeMail {
  /** The variables of the mail that stand for the link and the code, by the names that Okta has given them. */
  readonly link: string
  readonly code: string
  /** The id of the button, by which tests of apps find the link in a mail of Okta. */
  readonly linkId: string
}

/** The mails with a code and a link. They differ in their sentences and in these names alone. */
const codeMails: Readonly<Record<string, CodeMail>> = {
  ForgotPassword: { link: 'resetPasswordLink', code: 'oneTimePassword', linkId: 'reset-password-link' },
  EmailChallenge: {
    link: 'emailAuthenticationLink',
    code: 'verificationToken',
    linkId: 'email-authentication-button',
  },
  RegistrationEmailVerification: {
    link: 'verificationLink',
    code: 'verificationToken',
    linkId: 'email-verification-button',
  },
  SelfServiceUnlock: { link: 'unlockAccountLink', code: 'oneTimePassword', linkId: 'unlock-account-link' },
}

/**
 * The text of a built-in template, by the path of its file. That of a mail with a code and a link is made from the frame that all of them
 * share (`code.html`, `code.txt`): the language of the templates has no way to include another one.
 */
export async function builtInText(path: string): Promise<string> {
  const type = extname(path)
  const name = basename(path, type)
  const mail = Object.hasOwn(codeMails, name) ? codeMails[name] : undefined
  if (mail === undefined) return readFile(path, 'utf8')
  const frame = await readFile(join(dirname(path), `code${type}`), 'utf8')
  return frame
    .replaceAll('${words.mail.', `\${words.${name}.`)
    .replaceAll('"link-id"', `"${mail.linkId}"`)
    .replace(
      /(#with(?:out)? |\$\{)(link|code)\b/g,
      (_, before: string, which: 'link' | 'code') => `${before}${mail[which]}`,
    )
}
