import { escapeHtml } from '../../base/index.ts'
import type { Kind } from './definitions.ts'
import { written } from './values.ts'

// The whole language of templates: `${name}`, and the lines `#with name`, `#without name` and `#end`, which keep or
// drop what stands between them. Nothing is evaluated, so a template, or a value in one, can never run anything.

interface Slot {
  readonly name: string
  readonly kind: Kind | 'markup'
  readonly inAddress: boolean
}

interface Block {
  readonly name: string
  readonly present: boolean
  readonly parts: Part[]
}

type Part = string | Slot | Block

export interface Source {
  /** For messages about what is wrong in it. */
  readonly file: string
  readonly text: string
  readonly html: boolean
}

export interface Rules {
  /** What each name holds that this template may use; `markup` is written as it is, for the layout's content. */
  readonly kinds: ReadonlyMap<string, Kind | 'markup'>
  /** Other spellings of a name. */
  readonly aliases: ReadonlyMap<string, string>
  /** Sentences by the names after `words.`; they may hold `${names}` of their own. */
  readonly words: ReadonlyMap<string, string>
}

export interface Template {
  readonly html: boolean
  readonly parts: readonly Part[]
  /** Every variable that is written somewhere. */
  readonly names: ReadonlySet<string>
}

const place = /\$\{([^}]*)\}/g
const directive = /^[ \t]*#(with|without|end)(?:[ \t]+(\S+))?[ \t]*$/

/** Turns a file into a template; whatever is wrong with it is added to `problems`, each with the file's name. */
export function compile(source: Source, rules: Rules, problems: string[]): Template {
  const names = new Set<string>()
  const complain = (problem: string): void => {
    problems.push(`${source.file}: ${problem}`)
  }
  const nameOf = (spelling: string): string => rules.aliases.get(spelling) ?? spelling
  const root: Part[] = []
  const open: Block[] = []
  let chunk = ''

  const endChunk = (): void => {
    const parts = open.at(-1)?.parts ?? root
    for (const part of slots(chunk, source.html, rules, nameOf, complain)) {
      if (typeof part !== 'string') names.add(part.name)
      parts.push(part)
    }
    chunk = ''
  }
  for (const line of withWords(source, rules, complain).split('\n')) {
    const [, word, spelling = ''] = directive.exec(line) ?? []
    if (word === undefined) {
      chunk += `${line}\n`
      continue
    }
    endChunk()
    if (word === 'end') {
      if (open.pop() === undefined) complain('#end without a #with or #without before it')
      continue
    }
    const name = nameOf(spelling)
    if (!rules.kinds.has(name)) complain(`#${word} ${spelling} names no variable${hint(rules)}`)
    const block: Block = { name, present: word === 'with', parts: [] }
    const parent = open.at(-1)?.parts ?? root
    parent.push(block)
    open.push(block)
  }
  endChunk()
  if (open.length > 0) complain(`#end is missing for ${open.map(({ name }) => name).join(', ')}`)
  complainOfCode(source, rules, nameOf, complain)
  return { html: source.html, parts: root, names }
}

/** Puts the sentences in, so that the names within them are seen as well. */
function withWords(source: Source, rules: Rules, complain: (problem: string) => void): string {
  return source.text.replaceAll('\r\n', '\n').replace(place, (whole, name: string) => {
    if (!name.startsWith('words.')) return whole
    const sentence = rules.words.get(name.slice('words.'.length))
    if (sentence === undefined) complain(`\${${name}} is no sentence of the catalogue`)
    return source.html ? escapeHtml(sentence ?? '') : (sentence ?? '')
  })
}

function* slots(
  chunk: string,
  html: boolean,
  rules: Rules,
  nameOf: (spelling: string) => string,
  complain: (problem: string) => void,
): Generator<string | Slot> {
  const addresses = html ? addressesInHtml(chunk, complain) : addressesInText(chunk)
  let from = 0
  for (const match of chunk.matchAll(place)) {
    const [whole, spelling = ''] = match
    yield chunk.slice(from, match.index)
    from = match.index + whole.length
    const name = nameOf(spelling)
    const kind = rules.kinds.get(name)
    if (kind === undefined) {
      complain(
        /^[\w.]+$/.test(spelling)
          ? `\${${spelling}} is no variable of this mail${hint(rules)}`
          : `\${${spelling}} is not a name; templates hold names only, no expressions`,
      )
      continue
    }
    const inAddress = addresses.some(([start, end]) => match.index >= start && match.index < end)
    // A link that leads where a name says would be the attacker's.
    if (inAddress && (kind === 'name' || kind === 'email' || kind === 'ip')) {
      complain(`\${${spelling}} is a person's own text and may not be part of a link`)
    }
    yield { name, kind, inAddress }
  }
  yield chunk.slice(from)
}

type Range = readonly [start: number, end: number]

const tag = /<[a-z][a-z0-9-]*(?:"[^"]*"|'[^']*'|[^"'>])*>/gi
const attribute = /\s([a-z-]+)\s*=\s*("[^"]*"|'[^']*')/gi
const addressAttributes = new Set(['href', 'src', 'action', 'formaction', 'background', 'cite', 'poster'])

/** Where the values of attributes stand that hold addresses. Attributes that a value could break out of are refused. */
function addressesInHtml(chunk: string, complain: (problem: string) => void): readonly Range[] {
  const ranges: Range[] = []
  for (const { 0: text, index } of chunk.matchAll(tag)) {
    for (const match of text.matchAll(attribute)) {
      const [whole, name = ''] = match
      if (!addressAttributes.has(name.toLowerCase())) continue
      ranges.push([index + match.index, index + match.index + whole.length])
    }
    const unquoted = text.replace(/"[^"]*"|'[^']*'/g, '')
    if (unquoted.includes('${')) complain(`a variable stands in <${text.slice(1, 40)} outside of quotes`)
  }
  return ranges
}

/** In a text every run without a blank that begins as an address does is one. */
const addressesInText = (chunk: string): readonly Range[] =>
  [...chunk.matchAll(/\S*(?::\/\/|\$\{(?:baseURL|\w*(?:Link|Url))\}[/?])\S*/g)].map(
    ({ 0: text, index }): Range => [index, index + text.length],
  )

/** Names what would be code in another template language, so that nobody finds it in a mail that was sent. */
function complainOfCode(
  source: Source,
  rules: Rules,
  nameOf: (spelling: string) => string,
  complain: (problem: string) => void,
): void {
  const { text } = source
  for (const [found] of text.matchAll(
    /#\{?(?:if|elseif|else|set|foreach|include|parse|macro|define|evaluate)\}?(?=\s*\(|[ \t]*$)/gm,
  )) {
    complain(`${found} is an expression; write the lines #with NAME, #without NAME and #end`)
  }
  for (const [found, name = ''] of text.matchAll(/\$!?\{?([a-zA-Z][\w.]*\w)\}?/g)) {
    if (found.startsWith('${') || !rules.kinds.has(nameOf(name))) continue
    complain(`${found} would be sent as it is; write \${${name}}`)
  }
  if (/\$\{[^}]*$/.test(text)) complain('a ${ is never closed')
  if (source.html && /<script\b|\son[a-z]+\s*=|javascript:/i.test(text))
    complain('scripts have no place in a mail')
}

const hint = (rules: Rules): string => `; there are ${[...rules.kinds.keys()].join(', ')}`

/** Fills a template in. A name without a value leaves nothing behind. */
export function renderTemplate(
  template: Pick<Template, 'html' | 'parts'>,
  values: Readonly<Record<string, string | undefined>>,
): string {
  let result = ''
  for (const part of template.parts) {
    if (typeof part === 'string') result += part
    else if ('parts' in part) {
      const present = (values[part.name] ?? '') !== ''
      if (present === part.present)
        result += renderTemplate({ html: template.html, parts: part.parts }, values)
    } else {
      const value = values[part.name] ?? ''
      if (part.kind === 'markup') result += value
      else if (value !== '')
        result += written({ name: part.name, kind: part.kind }, value, {
          html: template.html,
          inAddress: part.inAddress,
        })
    }
  }
  return result
}
