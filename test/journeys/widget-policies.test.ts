import { expect, test } from 'vitest'
import { appRule, enrolmentPolicy, namingApp } from '../support/policy-rules.ts'
import {
  chooses,
  describeWidget,
  field,
  presses,
  reads,
  signedIn,
  signIn,
  submit,
  typesCode,
  world,
} from '../support/sign-in-widget.ts'
import { hasPhone } from '../wire/phone.ts'
import { enrollsApp } from '../wire/recovery-rules.ts'
import { codeAt, enrollmentPolicy, period, secretIn, twoFactors } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'

// What policies ask for in Okta's Sign-In Widget: enrolments that may wait, choices, devices that are remembered.

describeWidget(
  'policies in the Sign-In Widget',
  {},
  (widget) => {
    const { look } = widget

    test('what is optional is left for later', async () => {
      await enrollmentPolicy(widget.idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
      const page = await widget.newPage()
      await signIn(widget, page)
      await chooses(page, 'Phone')
      await presses(page, 'Return to authenticator list')
      await presses(page, 'Continue')
      await signedIn(page)
    })

    test.each([
      {
        of: 'a date',
        gracePeriod: () => ({
          type: 'BY_DATE_TIME',
          expiry: new Date(widget.idp.clock.now() + 5 * 86_400_000).toISOString(),
        }),
      },
      { of: 'a number of skips', gracePeriod: () => ({ type: 'BY_SKIP_COUNT', skipCount: 2 }) },
    ])('what is required from $of on is left for later until then', async ({ of, gracePeriod }) => {
      const { idp } = widget
      await enrolmentPolicy(idp, namingApp({ self: 'REQUIRED', gracePeriod: gracePeriod() }))
      const page = await widget.newPage()
      await signIn(widget, page)
      await reads(page, 'Google Authenticator')
      await look(page, `grace-${of.split(' ').at(-1)}`)
      await presses(page, /Remind me later|Continue/)
      await signedIn(page)
    })

    test('a device is remembered, and is not asked for the second factor again', async () => {
      const { idp } = widget
      const secret = await enrollsApp(idp)
      await appRule(
        idp,
        { factorMode: '2FA', reauthenticateIn: 'PT2H' },
        { keepMeSignedIn: { postAuth: 'ALLOWED', postAuthPromptFrequency: 'P30D' } },
      )
      await idp.clock.advance(2 * period)
      const page = await widget.newPage()
      await page.goto(widget.url)
      await field(page, 'identifier').fill(idp.person.login)
      await field(page, 'credentials.passcode').fill(idp.person.password)
      await page.getByLabel('Keep me signed in').check({ force: true })
      await submit(page)
      await chooses(page, 'Google Authenticator')
      await typesCode(page, codeAt(secret, idp.clock.now()))
      await signedIn(page)
      await signIn(widget, page)
      await signedIn(page)
      const other = await widget.newPage()
      await signIn(widget, other)
      await reads(other, 'Google Authenticator')
    })

    test('another method is chosen, from each page', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { google_otp: 'OPTIONAL', phone_number: 'OPTIONAL' })
      const visitor = newVisitor(idp)
      await visitor.begins()
      await visitor.signsIn(idp.person.login, idp.person.password)
      const secret = secretIn(await visitor.enrolls('google_otp'))
      await visitor.answers(codeAt(secret, idp.clock.now()))
      await hasPhone(idp)
      await twoFactors(idp)
      await idp.clock.advance(2 * period)
      const page = await widget.newPage()
      await signIn(widget, page)
      for (const method of ['Email', 'Phone', 'Google Authenticator']) {
        await chooses(page, method)
        await presses(page, 'Verify with something else')
      }
      await chooses(page, 'Google Authenticator')
      await typesCode(page, codeAt(secret, idp.clock.now()))
      await signedIn(page)
      expect(idp.outbox.all().filter(({ channel }) => channel === 'sms')).toEqual([])
    })
  },
  { run: world },
)
