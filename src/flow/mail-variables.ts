import { describeUserAgent } from '../base/index.ts'
import type { MailVariables } from '../delivery/index.ts'
import type { Person } from '../directory/index.ts'
import { dateInWords, languageFor, spanInWords, timeInWords } from '../i18n/index.ts'
import type { Interaction } from '../interactions/index.ts'
import type { StepContext } from './authenticator.ts'
import type { FactorContext } from './managed-factor.ts'

/** The language of a user's mails: the user's own, else what the browser asked for when the transaction began. */
export const localesOf = (
  { origin }: Interaction,
  person: Pick<Person, 'profile'> | undefined,
): string | undefined =>
  [person?.profile.locale, origin.locales].filter((locales) => locales !== undefined).join(',') || undefined

/**
 * The variables of every mail of a transaction: the user, the app, and where the request came from.
 *
 * @param locales the language of its dates and times, where it is not that of the transaction
 */
export function mailVariables(
  context: Pick<StepContext, 'client' | 'interaction' | 'now' | 'org'>,
  person: Pick<Person, 'profile'> | undefined,
  lifetime: number,
  locales = localesOf(context.interaction, person),
): MailVariables {
  const { client, interaction, now, org } = context
  const language = languageFor(locales)
  const { browser, system } = describeUserAgent(interaction.origin.userAgent ?? '')
  return {
    'user.profile.firstName': person?.profile.firstName,
    'user.profile.lastName': person?.profile.lastName,
    'user.profile.login': person?.profile.login,
    'user.profile.email': person?.profile.email,
    'org.name': org.name,
    'org.locale': language,
    'app.id': client.id,
    'app.name': client.label,
    'app.label': client.label,
    baseURL: org.baseUrl,
    'request.ipAddress': interaction.origin.ip,
    'request.browser': browser,
    'request.system': system,
    'request.date': dateInWords(language, now),
    'request.time': timeInWords(language, now),
    'request.relayState': interaction.request.state,
    lifetime: spanInWords(language, lifetime),
  }
}

/** The variables of a mail that the factors API causes: the user, and when. Of its caller nothing is known that a user would know. */
export function factorMailVariables({ person, org, now, codeLifetime }: FactorContext): MailVariables {
  const { profile } = person
  const language = languageFor(profile.locale)
  return {
    'user.profile.firstName': profile.firstName,
    'user.profile.lastName': profile.lastName,
    'user.profile.login': profile.login,
    'user.profile.email': profile.email,
    'org.name': org.name,
    'org.locale': language,
    baseURL: org.baseUrl,
    'request.date': dateInWords(language, now),
    'request.time': timeInWords(language, now),
    lifetime: spanInWords(language, codeLifetime),
  }
}
