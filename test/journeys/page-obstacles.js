// Runs in the page, as an expression: what keeps a user with a screen reader, a keyboard or a small screen from using it.
;(() => {
  const all = (selector) =>
    [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility())
  const found = []
  const obstacle = (is, what) => is && found.push(what)
  const shortened = (element) => element.outerHTML.slice(0, 90)

  obstacle(document.documentElement.lang === '', 'the page does not say its language')
  obstacle(document.title === '', 'the page has no title')
  obstacle(document.querySelectorAll('h1').length !== 1, 'the page has not one h1')
  obstacle(document.querySelectorAll('main').length !== 1, 'the page has not one main')
  obstacle(document.documentElement.scrollWidth > innerWidth, 'the page is wider than the screen')
  for (const { id } of document.querySelectorAll('[id]'))
    obstacle(document.querySelectorAll(`[id="${id}"]`).length !== 1, `${id} is there more than once`)

  // Names.
  const nameOf = (element) =>
    [
      element.getAttribute('aria-label'),
      ...(element.getAttribute('aria-labelledby')?.split(' ') ?? []).map(
        (id) => document.getElementById(id)?.textContent,
      ),
      ...[...(element.labels ?? [])].map((label) => label.textContent),
      element.textContent,
    ]
      .join('')
      .trim()
  for (const element of all('button, a[href], summary, dialog, [role=region]'))
    obstacle(nameOf(element) === '', `no name: ${shortened(element)}`)
  for (const element of all('input, select, textarea'))
    obstacle(
      (element.labels?.length ?? 0) + (element.getAttribute('aria-label') ? 1 : 0) === 0,
      `no label: ${shortened(element)}`,
    )

  // Landmarks: all text stands in one, in a dialog, or in a part that announces itself.
  const landmarks =
    'main, nav, header, footer, aside, dialog, [role=status], [role=alert], form[aria-labelledby], .skip'
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const { parentElement } = text
    if (text.data.trim() === '' || !parentElement?.checkVisibility() || parentElement.closest('script'))
      continue
    obstacle(!parentElement.closest(landmarks), `outside of landmarks: ${text.data.trim().slice(0, 40)}`)
  }

  // What scrolls must be reachable with the keyboard.
  for (const element of all('*')) {
    const { overflowX, overflowY } = getComputedStyle(element)
    const scrolls =
      (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
      (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight + 1)
    const reachable =
      element.tabIndex >= 0 ||
      element.querySelector('a[href], button, input, select, textarea, [tabindex="0"], summary')
    obstacle(
      scrolls && !reachable && element !== document.scrollingElement,
      `no focus: ${shortened(element)}`,
    )
  }

  // Contrast (WCAG 2.2, 1.4.3): 4.5 to 1, for large text 3 to 1.
  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g)?.map(Number) ?? []
    return { rgb: [red, green, blue], alpha: colour === 'transparent' ? 0 : alpha }
  }
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor)
      if (alpha === 1) return rgb
    }
    return [255, 255, 255]
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const seen = new Set()
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement
    if (text.data.trim() === '' || !element?.checkVisibility() || seen.has(element)) continue
    if (
      element.closest('svg, script, .unseen, .skip, :disabled') ||
      (document.querySelector('dialog[open]') && !element.closest('dialog'))
    )
      continue
    seen.add(element)
    const { color, fontSize, fontWeight } = getComputedStyle(element)
    const size = Number.parseFloat(fontSize)
    const large = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700)
    const [lighter, darker] = [luminance(channels(color).rgb), luminance(groundOf(element))].sort(
      (a, b) => b - a,
    )
    const ratio = (lighter + 0.05) / (darker + 0.05)
    obstacle(ratio < (large ? 3 : 4.5), `contrast ${ratio.toFixed(2)}: ${shortened(element)}`)
  }
  return [...new Set(found)]
})()
