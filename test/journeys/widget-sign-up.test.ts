import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { apiOf } from '../support/management.ts'
import { builtInRule } from '../support/policy-rules.ts'
import {
  chooses,
  configures,
  describeWidget,
  field,
  pictured,
  presses,
  reads,
  signedIn,
  signIn,
  submit,
  submitAgain,
  typesCode,
  world,
} from '../support/sign-in-widget.ts'
import { changeSignUp, codeMail, openSignUp, passwordInForm } from '../support/sign-up.ts'
import { lastCode, number } from '../wire/phone.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// How a visitor makes an account in Okta's Sign-In Widget, unmodified.

const nina = { email: 'nina@example.com', firstName: 'Nina', lastName: 'Nowak' }
const odd = { email: "Nina.O'Nowak+shop@Example.com", firstName: 'Nína 李', lastName: "d'Nowak-Smith" }
const password = 'Marmalade-Harbour-31'
const terms = { version: '3', url: 'https://example.com/terms' }
const activationPage = 'https://app.example.com/welcome/{token}'

const custom = {
  color: { type: 'string', title: 'Favourite colour', enum: ['red', 'blue'] },
  pizza: { type: 'string', title: 'Favourite pizza', enum: ['lucali', 'razza'] },
  news: { type: 'boolean', title: 'Send me the news' },
  pet: { type: 'boolean', title: 'Do you have a pet?' },
  age: { type: 'integer', title: 'Age' },
}
const attributes = [
  { name: 'email', label: 'Email', required: true },
  { name: 'firstName', label: 'First name', required: true },
  { name: 'color', label: 'Favourite colour', required: true },
  { name: 'pizza', label: 'Favourite pizza', required: true, inputType: 'radio' },
  { name: 'news', label: 'Send me the news', required: false },
  { name: 'pet', label: 'Do you have a pet?', required: true },
  { name: 'age', label: 'Age', required: true },
  { name: 'countryCode', label: 'Country', required: true },
  { name: 'timezone', label: 'Time zone', required: false },
  { name: 'city', label: 'Town', required: false },
]

/** Ticks a box or a radio button: what is drawn in its place takes the click of a user. */
const ticks = (page: Page, name: string, value?: string) => {
  const by = value === undefined ? '' : `[value="${value}"]`
  const second = page.locator(`input[data-se-name="${name}"]${by}`)
  return field(page, name)
    .and(page.locator(`input${by}`))
    .or(second)
    .first()
    .check({ force: true })
}

describeWidget('sign-up in the Sign-In Widget', openSignUp({ management: { activationPage } }), (widget) => {
  const look = (page: Page, name: string) => widget.look(page, `sign-up-${name}`)
  const isEmbedded = widget.place === 'embedded'
  const mailTo = (to: string) => widget.idp.outbox.waitFor({ to, template: codeMail })
  const userOf = async (login: string) => (await apiOf(widget.idp)('GET', `/users/${login}`)).body

  async function fills(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(values)) await field(page, `userProfile.${name}`).fill(value)
  }
  async function atTheForm(settings: object = { flow: 'signup' }, page?: Page): Promise<Page> {
    const here = page ?? (await widget.newPage())
    await configures(here, { ...settings })
    await here.goto(widget.url)
    await field(here, 'userProfile.email').waitFor()
    return here
  }
  async function choosesPassword(page: Page): Promise<void> {
    await chooses(page, 'Password')
    await field(page, 'confirmPassword').waitFor()
    await page.waitForTimeout(700)
    await field(page, 'confirmPassword').fill(password)
    await field(page, 'credentials.passcode').fill(password)
    await submit(page)
  }
  async function provesMailbox(page: Page, to: string): Promise<void> {
    const { code } = await mailTo(to)
    await presses(page, 'Enter a verification code instead')
    await typesCode(page, code ?? '')
  }
  const withPhone = () =>
    enrollmentPolicy(widget.idp, {
      okta_password: 'REQUIRED',
      phone_number: 'OPTIONAL',
      google_otp: 'OPTIONAL',
    })

  test('by the link of the first page: a wrong address, an odd one, its code, a password, a phone; the rest is skipped', async () => {
    await withPhone()
    const page = await widget.newPage()
    await page.goto(widget.url)
    await presses(page, 'Sign up')
    await field(page, 'userProfile.email').waitFor()
    await look(page, 'form')
    await fills(page, { ...odd, email: 'nina@@example' })
    await submit(page)
    await reads(page, /must be in the form of an email address/)
    await look(page, 'wrong')
    await fills(page, odd)
    await submitAgain(page)
    await provesMailbox(page, odd.email)
    await choosesPassword(page)
    await chooses(page, 'Phone')
    await field(page, 'authenticator.phoneNumber').fill('5551234567')
    await submit(page)
    await field(page, 'credentials.passcode').waitFor()
    await typesCode(page, await lastCode(widget.idp, number))
    await reads(page, 'Google Authenticator')
    await look(page, 'rest')
    await presses(page, /Continue|Set up later/)
    await signedIn(page, `${odd.firstName} ${odd.lastName}`)
    expect(await userOf(odd.email)).toMatchObject({ status: 'ACTIVE', profile: odd })
  })

  describe.runIf(world)('at length', () => {
    test('by the flow; an address that has an account sees the same pages as a new one', async () => {
      const seen: string[] = []
      // Embedded there is something of the app beside it.
      const shown = isEmbedded ? '#page' : 'body'
      for (const email of [nina.email, widget.idp.person.login]) {
        const page = await atTheForm()
        await fills(page, { ...nina, email })
        await submit(page)
        await presses(page, 'Enter a verification code instead')
        await field(page, 'credentials.passcode').waitFor()
        const before = await page.locator(shown).innerText()
        await typesCode(page, '000000')
        await reads(page, /Invalid code|is invalid|code is not/i)
        await look(page, `code-wrong-${seen.length}`)
        const after = await page.locator(shown).innerText()
        seen.push(`${before}\n\n${after}`.replaceAll(email, 'the address'))
      }
      expect(seen[0]).toContain('the address')
      expect(seen[1]).toBe(seen[0])
      const told = await widget.idp.outbox.waitFor({ to: widget.idp.person.login })
      expect([told.template, told.code]).toEqual(['RegistrationTaken', null])
    })

    test('back from the form to a sign-in', async () => {
      const page = await atTheForm()
      await presses(page, /Already have an account|Sign In/)
      await field(page, 'identifier').fill(widget.idp.person.login)
      await field(page, 'credentials.passcode').fill(widget.idp.person.password)
      await submit(page)
      await signedIn(page)
    })

    // A mail of a hosted transaction shows its code on a page of the engine.
    test.runIf(isEmbedded)('by the link of the mail, in a second tab', async () => {
      const context = await widget.newBrowser()
      const page = await atTheForm({ flow: 'signup' }, await widget.newPage(context))
      await fills(page, nina)
      await submit(page)
      const { link } = await mailTo(nina.email)
      const tab = await widget.newPage(context)
      await tab.goto(await widget.target(link))
      await choosesPassword(tab)
      await signedIn(tab, 'Nina Nowak')
      // The first tab learns it as well.
      await reads(page, 'Flow continued in a new tab.')
      await look(page, 'waiting')
    })

    test('begun here, the link opened in another browser, whose code is typed here', async () => {
      const page = await atTheForm()
      await fills(page, nina)
      await submit(page)
      const { code, link } = await mailTo(nina.email)
      const other = await widget.newPage()
      await other.goto(await widget.target(link))
      await reads(other, code ?? '')
      await look(other, 'elsewhere')
      await presses(page, 'Enter a verification code instead')
      await typesCode(page, code ?? '')
      await choosesPassword(page)
      await signedIn(page, 'Nina Nowak')
    })

    test('a password that is optional is left out', async () => {
      await enrollmentPolicy(widget.idp, { okta_password: 'OPTIONAL' })
      const page = await atTheForm()
      await fills(page, nina)
      await submit(page)
      await provesMailbox(page, nina.email)
      await reads(page, 'Password')
      await look(page, 'optional')
      await presses(page, /Continue|Set up later/)
      await signedIn(page, 'Nina Nowak')
    })

    test('a form with attributes of one’s own and a password: what is missing and wrong stands in the fields', async () => {
      const { idp } = widget
      await apiOf(idp)('POST', '/meta/schemas/user/default', {
        definitions: { custom: { properties: custom } },
      })
      await changeSignUp(idp, { ...passwordInForm, profileAttributes: attributes })
      const page = await atTheForm()
      await reads(page, 'At least 12 characters')
      await submit(page)
      const blank = page.getByText('This field cannot be left blank').filter({ visible: true })
      await blank.first().waitFor()
      await look(page, 'missing')
      // The third generation has chosen "No".
      expect(await blank.count()).toBe(widget.generation === '3' ? 7 : 8)

      await fills(page, { email: 'nina', firstName: '<b>Nina</b>', age: 'thirty' })
      await page.locator('select[name="userProfile.color"]').selectOption('blue')
      await page.locator('select[name="userProfile.countryCode"]').selectOption('AT')
      await ticks(page, 'userProfile.pizza', 'razza')
      await ticks(page, 'userProfile.pet', 'false')
      await field(page, 'credentials.passcode').fill('short')
      if (widget.generation === '3') {
        // It looks at the password itself, and sends none that is not good.
        await submit(page)
        await reads(page, /Password requirements/)
        await field(page, 'credentials.passcode').fill(password)
      }
      await submitAgain(page)
      await reads(page, /must be in the form of an email address/)
      await look(page, 'refused')
      await reads(page, /HTML|tags/i)
      await reads(page, /must be a number/)
      if (widget.generation === '2') await reads(page, /Password requirements were not met/i)
      await fills(page, { email: nina.email, firstName: nina.firstName, age: '30' })
      await field(page, 'credentials.passcode').fill(password)
      await submitAgain(page)
      await provesMailbox(page, nina.email)
      await reads(page, 'Signed in as Nina')
      const { profile } = await userOf(nina.email)
      const chosen = { color: 'blue', pizza: 'razza', pet: false, age: 30, countryCode: 'AT' }
      expect(profile).toMatchObject(chosen)
      // The third generation leaves a box out that is not ticked, once the form was refused.
      expect((profile as { readonly news?: boolean }).news ?? false).toBe(false)
      expect(profile).not.toHaveProperty('timezone')
      expect(profile).not.toHaveProperty('city')
    })

    test('a sign-in asks for what has become required', async () => {
      await builtInRule(widget.idp, 'PROFILE_ENROLLMENT', {
        profileEnrollment: {
          access: 'ALLOW',
          profileAttributes: [
            { name: 'city', label: 'Town', required: true },
            { name: 'countryCode', label: 'Country', required: true },
          ],
          progressiveProfilingAction: 'ENABLED',
        },
      })
      const page = await widget.newPage()
      await signIn(widget, page)
      await field(page, 'userProfile.city').waitFor()
      await look(page, 'completion')
      await submit(page)
      await reads(page, 'This field cannot be left blank')
      await field(page, 'userProfile.city').fill('<i>Wien</i>')
      await page.locator('select[name="userProfile.countryCode"]').selectOption('AT')
      await submitAgain(page)
      await reads(page, /HTML|tags/i)
      await field(page, 'userProfile.city').fill('Wien')
      await submitAgain(page)
      await signedIn(page)
      expect((await userOf(widget.idp.person.login)).profile).toMatchObject({
        city: 'Wien',
        countryCode: 'AT',
      })
    })

    // As the page its link leads to a page of the engine.
    describe.runIf(isEmbedded)('an activation mail', () => {
      const ann = { login: 'ann@example.com', email: 'ann@example.com', firstName: 'Ann', lastName: 'Lee' }
      const opens = async (activationToken: string) => {
        const page = await widget.newPage()
        await configures(page, { authParams: { activationToken } })
        await page.goto(widget.url)
        return page
      }
      const tokenOfMail = async () => {
        const { html } = await widget.idp.outbox.waitFor({ to: ann.email, template: 'UserActivation' })
        return /\/welcome\/([A-Za-z0-9]{43})/.exec(html ?? '')?.[1] ?? ''
      }
      const invited = async () => {
        await apiOf(widget.idp)('POST', '/users?activate=true', { profile: ann })
        return tokenOfMail()
      }

      test('leads to a password and the phone of the policy; its token is good once', async () => {
        await withPhone()
        const token = await invited()
        const page = await opens(token)
        await choosesPassword(page)
        await presses(page, /Continue|Set up later/)
        await signedIn(page, 'Ann Lee')
        expect((await userOf(ann.login)).status).toBe('ACTIVE')
        const again = await opens(token)
        await reads(again, 'Activation link no longer valid')
        await look(again, 'activation-used')
      })

      test('that has expired offers another one', async () => {
        const token = await invited()
        widget.idp.outbox.clear()
        await widget.idp.clock.advance('8d')
        const page = await opens(token)
        await reads(page, 'Activation link has expired')
        await look(page, 'activation-expired')
        await submit(page)
        await reads(page, /New activation link requested/)
        await look(page, 'activation-requested')
        const next = await opens(await tokenOfMail())
        await choosesPassword(next)
        await signedIn(next, 'Ann Lee')
      })
    })
  })
})

describeWidget(
  'terms in the Sign-In Widget',
  openSignUp({ signUp: { terms } }),
  (widget) => {
    test('are agreed to, or the box says that they must be', async () => {
      const page = await widget.newPage()
      await configures(page, { flow: 'signup' })
      await page.goto(widget.url)
      await field(page, 'userProfile.email').waitFor()
      for (const [name, value] of Object.entries(nina)) await field(page, `userProfile.${name}`).fill(value)
      await submit(page)
      await reads(page, 'Agree to the terms to go on')
      await pictured(page, `widget-${widget.generation}-sign-up-terms`)
      await ticks(page, 'userProfile.termsAccepted')
      await submitAgain(page)
      await presses(page, 'Enter a verification code instead')
      await typesCode(
        page,
        (await widget.idp.outbox.waitFor({ to: nina.email, template: codeMail })).code ?? '',
      )
      await chooses(page, 'Password')
      const { body } = await apiOf(widget.idp)('GET', `/users/${nina.email}`)
      expect(body.terms).toMatchObject({ version: terms.version })
    })
  },
  { run: world },
)
