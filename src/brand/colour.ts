/** A colour as red, green and blue, each from 0 to 255. */
type Colour = readonly [number, number, number]

/** Of the forms `#rgb` and `#rrggbb`; undefined for anything else, so that nothing but a colour reaches a stylesheet (A82). */
export function colourFrom(text: string): Colour | undefined {
  const [, short, long] = /^#(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(text) ?? []
  const digits = long ?? short?.replaceAll(/./g, '$&$&')
  if (digits === undefined) return undefined
  const part = (at: number) => Number.parseInt(digits.slice(at, at + 2), 16)
  return [part(0), part(2), part(4)]
}

/** In the form `#rrggbb`. */
export const hexOf = (colour: Colour): string =>
  `#${colour.map((part) => part.toString(16).padStart(2, '0')).join('')}`

/** Relative luminance (WCAG 2.2). */
function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const value = part / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** From 1 to 21 (WCAG 2.2, success criterion 1.4.3). */
export function contrast(one: Colour, another: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(another)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

/** As it is written: rounded. */
const mix = ([r, g, b]: Colour, [red, green, blue]: Colour, share: number): Colour => [
  Math.round(r + (red - r) * share),
  Math.round(g + (green - g) * share),
  Math.round(b + (blue - b) * share),
]

/** The colour of `signin.css`, where no brand has one. */
export const defaultColour = '#3a4fd0'

const black: Colour = [0, 0, 0]
const white: Colour = [255, 255, 255]

/** What text needs on its background. */
const readable = 4.5

/** The colour, or the nearest towards `end` that can be read on all of these. */
function readableOn(colour: Colour, backgrounds: readonly Colour[], end: Colour): Colour {
  for (let share = 0; share < 1; share += 0.02) {
    const tried = mix(colour, end, share)
    if (backgrounds.every((one) => contrast(tried, one) >= readable)) return tried
  }
  return end
}

/** The backgrounds of `signin.css` that a colour of a brand stands on: the card and the page. */
const grounds = {
  light: [
    [255, 255, 255],
    [238, 240, 246],
  ],
  dark: [
    [22, 25, 35],
    [13, 15, 22],
  ],
} as const

/** The colour of buttons and links on a light ground, as it can be read. */
export const accentOf = (colour: Colour): string =>
  hexOf(readableOn(colour, [...grounds.light, mix(colour, white, 0.9)], black))

/** The rules that give the pages a colour: the names of `signin.css`, for both modes. */
export function coloursOf(colour: Colour): string {
  const tint = { light: mix(colour, white, 0.9), dark: mix(colour, [22, 25, 35], 0.8) }
  const light = readableOn(colour, [...grounds.light, tint.light], black)
  const dark = readableOn(colour, [...grounds.dark, tint.dark], white)
  const rules = (values: Readonly<Record<string, Colour>>) =>
    Object.entries(values)
      .map(([name, value]) => `--${name}:${hexOf(value)}`)
      .join(';')
  return `:root{${rules({
    accent: light,
    'accent-strong': mix(light, black, 0.18),
    'on-accent': white,
    tint: tint.light,
    glow: mix(colour, white, 0.82),
  })}}
@media (prefers-color-scheme:dark){:root{${rules({
    accent: dark,
    'accent-strong': mix(dark, white, 0.25),
    'on-accent': [10, 12, 18],
    tint: tint.dark,
    glow: mix(colour, [13, 15, 22], 0.75),
  })}}}
`
}
