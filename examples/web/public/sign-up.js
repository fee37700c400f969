// @ts-check
// Enhancements of the sign-up form. Without this script the time zone is chosen by hand.

const select = /** @type {HTMLSelectElement | null} */ (
  document.querySelector('select[data-fills="timezone"]')
)
if (select && select.value === '') {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  if ([...select.options].some(({ value }) => value === timeZone)) select.value = timeZone
}
