// @ts-check
// Enhancements of the pages with a password. Without this script they do the same, and the password stays hidden.

// A button beside each password that shows what was typed. It is not part of the form.
const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[data-show]'))
for (const input of inputs) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'show'
  const { show = '', hide = '' } = input.dataset
  button.textContent = show
  button.setAttribute('aria-controls', input.id)
  const label = document.querySelector(`label[for="${input.id}"]`)
  if (label !== null) {
    label.id ||= `${input.id}-label`
    // Read after the name of the button, which would otherwise be the same for each.
    button.setAttribute('aria-describedby', label.id)
  }
  button.addEventListener('click', () => {
    const hidden = input.type === 'password'
    input.type = hidden ? 'text' : 'password'
    button.textContent = hidden ? hide : show
  })
  // A browser offers to store what is sent from a field of type password only.
  input.form?.addEventListener('submit', () => {
    input.type = 'password'
  })
  input.after(button)
  input.parentElement?.classList.add('with-show')
}

// Another tab may have finished this step: then the address of this page leads on, and so does this tab.
document.addEventListener('visibilitychange', async () => {
  if (document.visibilityState !== 'visible') return
  const response = await fetch(window.location.href, { redirect: 'manual' }).catch(() => undefined)
  if (response?.type === 'opaqueredirect') window.location.reload()
})
