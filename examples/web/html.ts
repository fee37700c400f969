/** Markup that may stand in a page as it is. Only the `html` tag makes it, so plain text always comes out escaped. */
export interface Html {
  readonly markup: string
}

type Part = Html | string | number | false | undefined | readonly Part[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function write(part: Part): string {
  if (part === false || part === undefined) return ''
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (character) => entities[character] ?? '')
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(write).join('')
}

/** A template whose values are escaped unless they are markup themselves. Attribute values must be quoted. */
export const html = (text: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  markup: text.reduce((before, after, index) => before + write(parts[index - 1]) + after),
})
