import { isoTime } from '../../base/index.ts'
import type { MailVariables, TemplateName } from '../../delivery/index.ts'
import { dateInWords, spanInWords, timeInWords, wordsFor } from '../../i18n/index.ts'
import { activationLifetimeMs } from '../../people/index.ts'

/** Sample data of a mail in a language. The code and the link are invalid. */
export function sampleOf(template: TemplateName, language: string, now: number): MailVariables {
  const link = 'https://id.example.com/email/verify/rekey-web?token=ftSampleThatOpensNothing'
  const own: Readonly<Record<TemplateName, MailVariables>> = {
    ForgotPassword: {
      oneTimePassword: '482913',
      resetPasswordLink: link,
      resetPasswordTokenExpirationDate: isoTime(now + 300_000),
    },
    SelfServiceUnlock: {
      oneTimePassword: '482913',
      unlockAccountLink: link,
      unlockAccountTokenExpirationDate: isoTime(now + 300_000),
    },
    EmailChallenge: { verificationToken: '482913', emailAuthenticationLink: link },
    // What a visitor has typed about the owner of a mailbox that is not proven is no text of the mail.
    RegistrationEmailVerification: {
      verificationToken: '482913',
      verificationLink: link,
      'user.profile.firstName': '',
      'user.profile.lastName': '',
    },
    RegistrationTaken: {},
    Welcome: {},
    PasswordResetByAdmin: {
      resetPasswordLink: 'https://id.example.com/signin/reset-password/SampleThatOpensNothing',
    },
    UserActivation: {
      activationLink: 'https://id.example.com/welcome/SampleThatOpensNothing',
      lifetime: spanInWords(language, activationLifetimeMs),
    },
    PasswordChanged: {},
    PasswordExpired: { administrator: 'yes' },
    EmailChanged: {
      administrator: 'yes',
      newEmail: 'mary.major@example.com',
      newLogin: 'mary.major@example.com',
    },
    LoginChanged: { newLogin: 'mary.major' },
    AuthenticatorEnrolled: { 'request.factors': 'Google Authenticator' },
    AuthenticatorReset: { administrator: 'yes', 'request.factors': 'Google Authenticator' },
    AccountUnlocked: {},
    PendingEmailChange: { verificationToken: '482913', newEmail: 'mary.major@example.com' },
    AccountChangeWaiting: {
      stopLink: 'https://id.example.com/account/stop/SampleThatStopsNothing',
      change: wordsFor(language).account.email,
      changeDate: `${dateInWords(language, now)}, ${timeInWords(language, now)}`,
      newEmail: 'm***r@example.com',
    },
  }
  return {
    'user.profile.firstName': 'Mary',
    'user.profile.lastName': 'Major',
    'user.profile.login': 'mary@example.com',
    'user.profile.email': 'mary@example.com',
    'org.name': 'Acme',
    'org.subDomain': 'acme',
    'org.locale': language,
    'app.id': 'rekey-web',
    'app.name': 'Sample Web App',
    'app.label': 'Sample Web App',
    baseURL: 'https://id.example.com',
    'request.ipAddress': '198.51.100.7',
    'request.browser': 'Firefox 140',
    'request.system': 'Windows',
    'request.date': dateInWords(language, now),
    'request.time': timeInWords(language, now),
    'request.relayState': 'state of the app',
    lifetime: spanInWords(language, 300_000),
    ...own[template],
  }
}
