// Runs in the page, as an expression: what keeps a person with a screen reader, a keyboard or a small screen from using it.
;(() => {
  const all = (selector) => [...document.querySelectorAll(selector)]
  const named = (element) => element.textContent.trim() !== ''
  const faults = []
  const fault = (found, what) => found && faults.push(`${location.pathname}: ${what}`)

  fault(document.documentElement.lang === '', 'the page does not say its language')
  fault(document.title === '', 'the page has no title')
  fault(all('h1').length !== 1, 'the page has not one h1')
  fault(all('main').length !== 1, 'the page has not one main')
  fault(document.documentElement.scrollWidth > window.innerWidth, 'the page is wider than the screen')
  for (const field of all('input:not([type=hidden]):not([hidden])')) {
    fault(field.labels.length !== 1 || !named(field.labels[0]), `${field.name} has no label`)
    const typed = field.type !== 'radio' && field.type !== 'checkbox'
    fault(typed && field.autocomplete === '', `${field.name} does not say what it is for`)
  }
  for (const element of all('button, a')) fault(!named(element), 'a button or link has no name')
  for (const element of all('[aria-describedby]'))
    for (const id of element.getAttribute('aria-describedby').split(' '))
      fault(document.getElementById(id) === null, `${id} describes a field and is not there`)
  for (const { id } of all('[id]')) fault(all(`[id="${id}"]`).length !== 1, `${id} is there more than once`)
  return faults
})()
