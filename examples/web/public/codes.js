// @ts-check
// Buttons that copy and print the recovery codes. Without this script they can be selected, and the browser's menu prints them.

const codesList = document.querySelector('[data-codes]')
const copyStatus = document.querySelector('[data-status]')

for (const codesButton of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll('button[data-does]')
)) {
  codesButton.hidden = false
  codesButton.addEventListener('click', async () => {
    if (codesButton.dataset.does === 'print') return window.print()
    const text = Array.from(codesList?.querySelectorAll('code') ?? [], ({ textContent }) => textContent).join(
      '\n',
    )
    try {
      await navigator.clipboard.writeText(text)
      if (copyStatus) copyStatus.textContent = codesButton.dataset.done ?? ''
    } catch {
      // The browser does not allow it: they are selected, to be copied by hand.
      if (codesList) window.getSelection()?.selectAllChildren(codesList)
    }
  })
}
