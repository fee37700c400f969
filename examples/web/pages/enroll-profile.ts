import { html } from '../html.ts'
import { error } from '../messages.ts'
import { backLink, postForm } from './form.ts'
import { passwordHelp } from './new-password.ts'
import type { StepPage } from './page.ts'
import { profileField, profileFieldsOf, profileIn } from './profile-fields.ts'

/** The profile of a new account, or what that of a user lacks. Which fields it has is for the server to say. */
export const enrollProfile: StepPage = {
  step: 'enroll-profile',
  path: '/enroll-profile',

  render(view) {
    const words = view.words.signUp
    const fields = profileFieldsOf(view)
    const secret = fields.find(({ kind }) => kind === 'password')
    const help = secret && passwordHelp(view, secret.name)
    const rules = help?.rules ?? false
    const { completion } = words
    const isSignUp = view.isSignUp !== false
    return {
      title: isSignUp ? words.title : completion.title,
      badge: 'user',
      script: secret ? ['sign-up.js', 'password.js'] : 'sign-up.js',
      body: html`${isSignUp && view.signedIn && html`<p class="message">${words.signedInAlready} <a href="/">${view.words.identify.backHome}</a></p>`}
<p class="lead">${isSignUp ? words.lead : completion.lead}</p>
${postForm(
  view,
  this.path,
  html`${fields.some(({ required }) => required) && html`<p class="marks">${words.marks}</p>`}
${fields.map((field, index) => [field === secret && rules, profileField(help?.view ?? view, field, { first: index === 0, hasRules: rules !== false })])}`,
  isSignUp ? words.next : completion.next,
)}
<nav class="links">${isSignUp ? html`<span>${words.haveAccount} ${backLink({ ...view, back: { ...view.back, label: view.words.home.signIn } })}</span>` : backLink(view)}</nav>`,
    }
  },

  submit({ client, field, step, words, captcha }) {
    const { values, missing } = profileIn(profileFieldsOf({ step, words }), field)
    if (missing.length > 0) {
      const texts = words.signUp.missing
      return {
        refused: missing.map(({ kind, label, name }) =>
          error(
            kind === 'checkbox'
              ? texts.box
              : kind === 'text' || kind === 'password'
                ? texts.text(label)
                : texts.choice,
            name,
          ),
        ),
      }
    }
    const { passcode, ...userProfile } = values
    // By the name of the form: given beside the options of `proceed`, an attribute such as `state` would be taken for one.
    const params = { userProfile, ...(passcode !== undefined && { credentials: { passcode } }), ...captcha }
    return client.idx.proceed({ actions: [{ name: 'enroll-profile', params }] })
  },
}
