import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
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
import { warnsOfExpiry } from '../wire/email.ts'
import { hasPhone, lastCode, latestText, recoversByPhone } from '../wire/phone.ts'
import { changeRule, enrollsApp } from '../wire/recovery-rules.ts'
import { codeAt, enrollmentPolicy, period, twoFactors } from '../wire/totp.ts'
import { newVisitor } from '../wire/visitor.ts'

// How a forgotten password, a locked account and an old password are dealt with in Okta's Sign-In Widget.

const newPassword = 'Lighthouse-Biscuit-77'
const day = 86_400_000
const unlocks = { settings: { policies: { password: { recovery: { unlock: true } } } } }
const locked = 'lee@example.com'

/** The second generation may draw a form once more after it is there, and what was typed into it is gone. */
const isDrawn = (page: Page) => page.waitForTimeout(700)

const walks = { run: world }
describeWidget(
  'recovery and unlock in the Sign-In Widget',
  unlocks,
  (widget) => {
    const { look } = widget
    // A mail of a hosted transaction shows its code on a page of the engine.
    const whereAppsTakeLinks = test.runIf(widget.place === 'embedded')

    async function names(page: Page, login = widget.idp.person.login): Promise<void> {
      await page.goto(widget.url)
      await presses(page, 'Forgot password?')
      await field(page, 'credentials.passcode').waitFor({ state: 'detached' })
      await field(page, 'identifier').fill(login)
      await submit(page)
    }
    async function choosesPassword(page: Page): Promise<void> {
      await field(page, 'confirmPassword').waitFor()
      await isDrawn(page)
      await field(page, 'confirmPassword').fill(newPassword)
      await field(page, 'credentials.passcode').fill(newPassword)
      await submit(page)
    }
    /** Proves the mailbox by the code of a mail. */
    async function provesMailbox(page: Page, template: 'ForgotPassword' | 'SelfServiceUnlock', to: string) {
      const { code } = await widget.idp.outbox.waitFor({ to, template })
      await presses(page, 'Enter a verification code instead')
      await typesCode(page, code ?? '')
    }

    test('a password is recovered by a text', async () => {
      const { idp } = widget
      await recoversByPhone(idp)
      await hasPhone(idp)
      const page = await widget.newPage()
      await names(page)
      await chooses(page, 'Phone')
      await look(page, 'recovery-phone')
      await submit(page)
      await field(page, 'credentials.passcode').waitFor()
      expect(await latestText(idp)).toMatchObject({ channel: 'sms' })
      await typesCode(page, await lastCode(idp))
      await choosesPassword(page)
      await signedIn(page)
    })

    test('… by a call', async () => {
      const { idp } = widget
      await recoversByPhone(idp)
      await hasPhone(idp)
      const page = await widget.newPage()
      await names(page)
      await chooses(page, 'Phone')
      await presses(page, /Receive a voice call/)
      await field(page, 'credentials.passcode').waitFor()
      expect(await latestText(idp)).toMatchObject({ channel: 'voice' })
      await typesCode(page, await lastCode(idp))
      await choosesPassword(page)
      await signedIn(page)
    })

    test('a recovery asks for the second factor that a user has, an authenticator app', async () => {
      const { idp } = widget
      const secret = await enrollsApp(idp)
      await twoFactors(idp)
      await idp.clock.advance(2 * period)
      const page = await widget.newPage()
      await names(page)
      await chooses(page, 'Email')
      await provesMailbox(page, 'ForgotPassword', idp.person.login)
      await chooses(page, 'Google Authenticator')
      await look(page, 'recovery-second')
      await typesCode(page, codeAt(secret, idp.clock.now()))
      await choosesPassword(page)
      await signedIn(page)
    })

    test('… and a security question', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { security_question: 'REQUIRED' })
      const visitor = newVisitor(idp)
      await visitor.begins()
      await visitor.signsIn(idp.person.login, idp.person.password)
      await visitor.enrolls('security_question')
      const credentials = { questionKey: 'favorite_vacation_location', answer: 'Madrid' }
      await visitor.submits('challenge/answer', { credentials })
      const page = await widget.newPage()
      await names(page)
      await chooses(page, 'Email')
      await provesMailbox(page, 'ForgotPassword', idp.person.login)
      await chooses(page, 'Security Question')
      await reads(page, 'Where did you go for your favorite vacation?')
      await look(page, 'question')
      await field(page, 'credentials.answer').fill('Paris')
      await submit(page)
      await reads(page, /answer.*(does not|doesn|not match)|Your answer/i)
      await look(page, 'question-wrong')
      await isDrawn(page)
      await field(page, 'credentials.answer').fill('Madrid')
      await submit(page)
      await choosesPassword(page)
      await signedIn(page)
    })

    /** From the first page to the one that waits for the code. */
    async function unlocking(page: Page, login: string, authenticator: string): Promise<void> {
      await page.goto(widget.url)
      await presses(page, /Unlock account/)
      await field(page, 'identifier').fill(login)
      await look(page, 'unlock')
      // The third generation asks for the name first, and shows no list of one.
      if (widget.generation === '3') await submit(page)
      if (widget.generation === '2' || authenticator !== 'Email') await chooses(page, authenticator)
    }
    const addsLocked = () =>
      widget.idp.people.add({ login: locked, password: widget.idp.person.password, status: 'LOCKED_OUT' })
    const unlocked = (page: Page) => reads(page, /unlocked/i)

    test('an account is unlocked by the code of a mail', async () => {
      await addsLocked()
      const page = await widget.newPage()
      await unlocking(page, locked, 'Email')
      await provesMailbox(page, 'SelfServiceUnlock', locked)
      await unlocked(page)
      await look(page, 'unlocked')
      await signIn(widget, page, { login: locked })
      await reads(page, 'Signed in as')
    })

    whereAppsTakeLinks('… by the link of the mail, in a second tab', async () => {
      await addsLocked()
      const context = await widget.newBrowser()
      const page = await widget.newPage(context)
      await unlocking(page, locked, 'Email')
      const { link } = await widget.idp.outbox.waitFor({ to: locked, template: 'SelfServiceUnlock' })
      const tab = await widget.newPage(context)
      await tab.goto(await widget.target(link))
      await unlocked(tab)
      await look(tab, 'unlocked-link')
      // The first tab learns it as well.
      await unlocked(page)
    })

    test('… by a text', async () => {
      const { idp } = widget
      await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
      await changeRule(idp, (actions) => ({
        ...actions,
        selfServiceUnlock: { access: 'ALLOW' },
        selfServicePasswordReset: {
          access: 'ALLOW',
          requirement: { primary: { methods: ['email', 'sms'] }, stepUp: { required: false } },
        },
      }))
      await addsLocked()
      await hasPhone(idp, { login: locked })
      const page = await widget.newPage()
      await unlocking(page, locked, 'Phone')
      await field(page, 'credentials.passcode').waitFor()
      await typesCode(page, await lastCode(idp))
      await unlocked(page)
    })

    test('a password that expires soon is replaced, or it is left for later', async () => {
      const { idp } = widget
      await warnsOfExpiry(idp)
      await idp.clock.advance(8 * day)
      const page = await widget.newPage()
      await signIn(widget, page)
      await reads(page, /expire/)
      await look(page, 'expiry')
      await presses(page, /Remind me later/)
      await signedIn(page)
      await signIn(widget, page)
      await reads(page, /expire/)
      await choosesPassword(page)
      await signedIn(page)
    })

    test('a password that has expired is replaced', async () => {
      const { idp } = widget
      await warnsOfExpiry(idp)
      await idp.clock.advance(11 * day)
      const page = await widget.newPage()
      await signIn(widget, page)
      await reads(page, /expired/)
      await look(page, 'expired')
      await choosesPassword(page)
      await signedIn(page)
    })
  },
  walks,
)
