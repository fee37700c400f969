import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { languages, wordsFor } from '../../src/i18n/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { sdk } from '../support/sdk.ts'

const newPassword = 'Lighthouse-Biscuit-77'
let idp: Kit

beforeAll(async () => {
  idp = await startEngine({
    // Its links lead to the engine's own page.
    clients: [
      {
        id: 'cli',
        label: 'Terminal',
        applicationType: 'native',
        redirectUris: ['com.example:/callback'],
        emailMagicLinkRedirectUri: null,
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** A recovery in a browser that prefers some languages. */
async function asksForTheMail(login: string, acceptLanguage?: string) {
  const auth = sdk(idp)
  if (acceptLanguage !== undefined) auth.setHeaders({ 'Accept-Language': acceptLanguage })
  await auth.idx.recoverPassword({ username: login, authenticators: ['okta_email'] })
  return { auth, mail: await idp.outbox.waitFor({ to: login }) }
}

describe.each(Object.keys(languages))('a person who reads %s', (tag) => {
  const words = wordsFor(tag)

  test('gets her mails in it, and recovers by the code that readers find in them', async () => {
    await idp.people.add({ login: 'ada@example.com', firstName: 'Ada', locale: tag })
    const { auth, mail } = await asksForTheMail('ada@example.com', 'en')

    expect(mail.subject).toBe(words.mail.ForgotPassword.subject)
    expect(mail.html).toContain(`<html lang="${tag}" dir="${tag === 'ar' ? 'rtl' : 'ltr'}">`)
    expect(mail.text).toContain(words.mail.ForgotPassword.intro)
    expect(`${mail.subject}${mail.text}${mail.html}`).not.toMatch(/\$\{/)
    const done = await auth.idx.proceed({ verificationCode: mail.code ?? '', password: newPassword })
    expect(done.status).toBe('SUCCESS')
    const notice = await idp.outbox.waitFor({ to: 'ada@example.com', after: mail.id })
    expect(notice.subject).toBe(words.mail.PasswordChanged.subject)
  })
})

test('without a language of her own, a person is written to in that of the request', async () => {
  const { mail } = await asksForTheMail(idp.person.login, 'tlh, fr-CA;q=0.9, de;q=0.8')
  expect(mail.subject).toBe(wordsFor('fr').mail.ForgotPassword.subject)
})

test('a language that there is no catalogue for gives way to the next', async () => {
  await idp.people.add({ login: 'worf@example.com', locale: 'tlh' })
  expect((await asksForTheMail('worf@example.com', 'es')).mail.subject).toBe(
    wordsFor('es').mail.ForgotPassword.subject,
  )
  await idp.people.add({ login: 'kor@example.com', locale: 'tlh' })
  expect((await asksForTheMail('kor@example.com')).mail.subject).toBe('Reset your password')
})

describe('the page behind a link', () => {
  async function linkFor(login: string) {
    const response = await fetch(`${idp.issuer}/v1/interact`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: 'cli',
        scope: 'openid',
        redirect_uri: 'com.example:/callback',
        code_challenge: 'a'.repeat(43),
        code_challenge_method: 'S256',
        state: 'state',
      }),
    })
    const { interaction_handle: interactionHandle } = (await response.json()) as {
      interaction_handle: string
    }
    const post = async (path: string, body: object) =>
      (await (
        await fetch(`${idp.engineUrl}/idp/idx/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify(body),
        })
      ).json()) as { stateHandle: string; authenticators?: { value: { id: string }[] } }
    const { stateHandle } = await post('introspect', { interactionHandle })
    await post('recover', { stateHandle })
    const { authenticators } = await post('identify', { stateHandle, identifier: login })
    await post('challenge', { stateHandle, authenticator: { id: authenticators?.value[0]?.id } })
    const mail = await idp.outbox.waitFor({ to: login })
    return mail.link ?? ''
  }

  const pageOf = async (link: string, acceptLanguage: string) =>
    (await fetch(link, { headers: { 'accept-language': acceptLanguage } })).text()

  test('is in the language of the person, else in that of the browser that opens it', async () => {
    await idp.people.add({ login: 'layla@example.com', locale: 'ar' })
    const hers = await pageOf(await linkFor('layla@example.com'), 'de')
    expect(hers).toContain('<html lang="ar" dir="rtl">')
    expect(hers).toContain(wordsFor('ar').link.enterCode.recovery)

    const marys = await pageOf(await linkFor(idp.person.login), 'ja;q=0.9, en;q=0.1')
    expect(marys).toContain('<html lang="ja" dir="ltr">')
  })

  test('of a dead link is in the language of the browser, whoever it was for', async () => {
    await idp.people.add({ login: 'layla@example.com', locale: 'ar' })
    const link = await linkFor('layla@example.com')
    idp.clock.advance('5m')
    expect(await pageOf(link, 'de')).toContain(wordsFor('de').link.expired)
    expect(await pageOf(`${idp.engineUrl}/email/verify/cli?token=none`, 'es')).toContain(
      wordsFor('es').link.failed,
    )
  })
})
