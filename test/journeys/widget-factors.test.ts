import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import {
  again,
  chooses,
  describeWidget,
  field,
  presses,
  reads,
  signedIn,
  signIn,
  submit,
  submitAgain,
  typesCode,
  world,
} from '../support/sign-in-widget.ts'
import { appWith, emailWith, enrolsEmail, verifiesSecond } from '../wire/email.ts'
import { setPasskeys } from '../wire/passkeys.ts'
import { hasPhone, lastCode, latestText } from '../wire/phone.ts'
import { codeAt, enrollmentPolicy, period, twoFactors } from '../wire/totp.ts'

// Each authenticator in Okta's Sign-In Widget: how it is enrolled, and how it is proven.

const withPasskeys = { settings: { webauthn: { rpId: 'localhost' } } }

/** Where Gen2 and Gen3 show the secret of an authenticator app. */
async function secretOn(page: Page): Promise<string> {
  await presses(page, "Can't scan?")
  const shown = page.getByText(/^[A-Z2-7]{16,}$/).or(page.locator('.shared-secret'))
  const secret = (await shown.first().innerText()).trim()
  await presses(page, 'Next')
  // It fades out, and would take the click that is meant for the button after it.
  const next = page.locator('a, button').filter({ hasText: 'Next', visible: true })
  await next.first().waitFor({ state: 'hidden' })
  return secret
}

const timeout = 4_000
const listAgain = (page: Page) =>
  again(
    () => presses(page, 'Verify with something else'),
    () =>
      page.locator('.authenticator-row, button[data-se=authenticator-button]').first().waitFor({ timeout }),
  )

describeWidget('authenticators in the Sign-In Widget', withPasskeys, (widget) => {
  const { look } = widget
  // A mail of a hosted transaction shows its code on a page of the engine.
  const whereAppsTakeLinks = test.runIf(widget.place === 'embedded')
  const mail = () => widget.idp.outbox.waitFor({ to: widget.idp.person.login })

  test('an authenticator app and a passkey are enrolled, and are second factors beside a phone', async () => {
    const { idp } = widget
    await enrollmentPolicy(idp, { google_otp: 'REQUIRED', webauthn: 'REQUIRED', phone_number: 'OPTIONAL' })
    const page = await widget.newPage()
    await signIn(widget, page)
    await chooses(page, 'Google Authenticator')
    const secret = await secretOn(page)
    await look(page, 'totp-code')
    await typesCode(page, codeAt(secret, idp.clock.now()))
    await chooses(page, 'Security Key')
    await presses(page, 'Set up')
    await presses(page, 'Continue')
    await signedIn(page)

    await hasPhone(idp)
    await twoFactors(idp)
    await idp.clock.advance(2 * period)
    await signIn(widget, page)
    await look(page, 'choice')
    await chooses(page, 'Google Authenticator')
    await look(page, 'totp')
    await typesCode(page, codeAt(secret, idp.clock.now()))
    await signedIn(page)

    await signIn(widget, page)
    await chooses(page, 'Phone')
    await look(page, 'phone-method')
    await submit(page)
    await field(page, 'credentials.passcode').waitFor()
    await look(page, 'phone')
    await typesCode(page, await lastCode(idp))
    await signedIn(page)

    await signIn(widget, page)
    await chooses(page, 'Security Key')
    await signedIn(page)
  })

  describe.runIf(world)('at length', () => {
    test('a phone is enrolled by a text, after a wrong number and a wrong code', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Phone')
      await field(page, 'authenticator.phoneNumber').fill('12')
      await submit(page)
      await reads(page, /invalid|valid phone/i)
      await look(page, 'phone-invalid')
      await field(page, 'authenticator.phoneNumber').fill('5551234567')
      await submitAgain(page)
      await field(page, 'credentials.passcode').waitFor()
      const right = await lastCode(idp)
      await typesCode(page, right === '000000' ? '000001' : '000000')
      await reads(page, /Invalid code|is invalid|code is not/i)
      await look(page, 'phone-wrong')
      await field(page, 'credentials.passcode').fill(right)
      await submitAgain(page)
      await signedIn(page)
    })

    test('a phone is enrolled by a call', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { phone_number: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Phone')
      // What is around the button takes the click in one of the generations.
      await page.getByRole('radio', { name: 'Voice call' }).first().check({ force: true })
      await look(page, 'phone-voice')
      await field(page, 'authenticator.phoneNumber').fill('5551234567')
      await submit(page)
      await field(page, 'credentials.passcode').waitFor()
      expect(await latestText(idp)).toMatchObject({ channel: 'voice' })
      await look(page, 'phone-voice-code')
      await typesCode(page, await lastCode(idp))
      await signedIn(page)
    })

    test('a phone is proven by a call, sent again, and another method is chosen', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await hasPhone(idp)
      await twoFactors(idp)
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Phone')
      await presses(page, /Receive a voice call/)
      await field(page, 'credentials.passcode').waitFor()
      const first = await latestText(idp)
      expect(first).toMatchObject({ channel: 'voice' })
      // The widget offers it once the code may be late.
      await page
        .getByText(/Call again/)
        .first()
        .waitFor({ timeout: 45_000 })
      await look(page, 'phone-resend')
      await presses(page, /Call again/)
      await expect.poll(async () => (await latestText(idp)).id).not.toBe(first.id)
      await listAgain(page)
      await chooses(page, 'Phone')
      await submit(page)
      await field(page, 'credentials.passcode').waitFor()
      expect(await latestText(idp)).toMatchObject({ channel: 'sms' })
      await typesCode(page, await lastCode(idp))
      await signedIn(page)
    })

    test('a security question is chosen', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Security Question')
      await page.locator('[name="credentials.answer"]').fill('tea')
      await submit(page)
      await reads(page, /at least|must be/i)
      await look(page, 'question-short')
      await page.locator('[name="credentials.answer"]').fill('Sprouts')
      await submitAgain(page)
      await signedIn(page)
    })

    test('a security question is worded', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Security Question')
      await page.getByText('Create my own security question').first().click()
      await page.locator('[name="credentials.question"]').fill('Whose cat?')
      await page.locator('[name="credentials.answer"]').filter({ visible: true }).fill('Felix')
      await look(page, 'question-own')
      await submit(page)
      await signedIn(page)
    })

    test('a passkey signs in from the first page, by a button', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
      await setPasskeys(idp, { showSignInWithAPasskeyButton: true, residentKeyRequirement: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Security Key')
      await presses(page, 'Set up')
      await signedIn(page)
      await page.goto(widget.url)
      await presses(page, /passkey/i)
      await signedIn(page)
    })

    test('a passkey signs in from the first page, by autofill', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { webauthn: 'REQUIRED' })
      await setPasskeys(idp, { enableAutofillUI: true, residentKeyRequirement: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Security Key')
      await presses(page, 'Set up')
      await signedIn(page)
      await page.goto(widget.url)
      await signedIn(page)
    })

    test('recovery codes are saved, and each is a second factor', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { recovery_codes: 'REQUIRED' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Recovery Codes')
      // The third generation has a text about each authenticator of Okta's, and puts none for others.
      expect(widget.wordless.splice(0)).toEqual(widget.generation === '3' ? ['undefined'] : [])
      await field(page, 'credentials.passcode').waitFor()
      await look(page, 'codes')
      const codes: readonly string[] =
        (await page.locator('body').innerText()).match(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/g) ?? []
      expect(codes).toHaveLength(10)
      await typesCode(page, codes[0] ?? '')
      await signedIn(page)

      await twoFactors(idp)
      await signIn(widget, page)
      await chooses(page, 'Recovery Codes')
      await field(page, 'credentials.passcode').waitFor()
      await look(page, 'codes-asked')
      await typesCode(page, codes[1] ?? '')
      // A used code is replaced: a new set is shown before the sign-in ends.
      await chooses(page, 'Recovery Codes')
      await field(page, 'credentials.passcode').waitFor()
      widget.wordless.splice(0)
      const shown = await page.locator('body').innerText()
      const anew: readonly string[] = shown.match(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/g) ?? []
      expect(anew.filter((code) => codes.includes(code))).toEqual([])
      await typesCode(page, anew[0] ?? '')
      await signedIn(page)
    })

    test('the page of Okta Verify is shown with its other ways, and left', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { okta_verify: 'OPTIONAL', security_question: 'OPTIONAL' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Okta Verify')
      await page.locator('img[src^="data:image"]').first().waitFor()
      await presses(page, "Can't scan?")
      await page.waitForTimeout(1000)
      await look(page, 'verify-channels')
      await submit(page)
      await page.waitForTimeout(1500)
      await look(page, 'verify-channel')
      await presses(page, 'Return to authenticator list')
      await presses(page, 'Continue')
      await signedIn(page)
    })

    test.each([true, false])('email is the second factor, with a link: %s', async (useEmailMagicLink) => {
      const { idp } = widget
      await emailWith(idp, { useEmailMagicLink })
      await twoFactors(idp)
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Email')
      const { code } = await mail()
      if (useEmailMagicLink) await presses(page, 'Enter a verification code instead')
      await field(page, 'credentials.passcode').waitFor()
      await look(page, `email-${useEmailMagicLink}`)
      await typesCode(page, code ?? '')
      await signedIn(page)
    })

    whereAppsTakeLinks('email is the second factor, by the link of the mail in a second tab', async () => {
      const { idp } = widget
      await twoFactors(idp)
      const context = await widget.newBrowser()
      const page = await widget.newPage(context)
      await signIn(widget, page)
      await chooses(page, 'Email')
      const { link } = await mail()
      const tab = await widget.newPage(context)
      await tab.goto(await widget.target(link))
      await signedIn(tab)
    })

    test('email is the second factor, the method is chosen first, of two addresses', async () => {
      const { idp } = widget
      await appWith({ ...idp, clientId: idp.publicClientId }, { email_method_choice: true })
      await verifiesSecond(idp, idp.person.login, 'mary.second@example.net')
      await twoFactors(idp)
      const page = await widget.newPage()
      await signIn(widget, page)
      await reads(page, /m\*\*\*y@example\.com.* and .*m\*\*\*d@example\.net/)
      await look(page, 'email-method')
      const codes = () => idp.outbox.all().filter(({ template }) => template === 'EmailChallenge')
      expect(codes()).toEqual([])
      await submit(page)
      await expect.poll(() => codes().length).toBe(2)
      const [{ code } = { code: null }] = codes()
      await presses(page, 'Enter a verification code instead')
      await typesCode(page, code ?? '')
      await signedIn(page)
    })

    test.each([true, false])('a mailbox is enrolled, with a link: %s', async (useEmailMagicLink) => {
      const { idp } = widget
      await emailWith(idp, { useEmailMagicLink })
      await enrolsEmail(idp)
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Email')
      const { code } = await mail()
      if (useEmailMagicLink) await presses(page, 'Enter a verification code instead')
      await field(page, 'credentials.passcode').waitFor()
      await look(page, `email-enrol-${useEmailMagicLink}`)
      await typesCode(page, code ?? '')
      await signedIn(page)
    })
  })
})
