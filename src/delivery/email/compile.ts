import { escapeHtml } from '../../base/index.ts'
import type { Kind } from './definitions.ts'
import { renderValue } from './values.ts'

// The template language has `${name}` and the lines `#with name`, `#without name` and `#end`, which include or omit the
// lines between them. Nothing is evaluated, so neither a template nor a value can execute code (template injection).

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
  /** The file name, for error messages. */
  readonly file: string
  readonly text: string
  readonly html: boolean
}

export interface Rules {
  /** The allowed variables with their kinds. `markup` is inserted without escaping: the content of a layout. */
  readonly kinds: ReadonlyMap<string, Kind | 'markup'>
  /** Alternative names of variables. */
  readonly aliases: ReadonlyMap<string, string>
  /** Sentences by the names after `words.`; they may contain `${names}` themselves. */
  readonly words: ReadonlyMap<string, string>
}

export interface Template {
  readonly html: boolean
  readonly parts: readonly Part[]
  /** All variables that the template uses. */
  readonly names: ReadonlySet<string>
}

const place = /\$\{([^}]*)\}/g
const directive = /^[ \t]*#(with|without|end)(?:[ \t]+(\S+))?[ \t]*$/

/** Compiles a file to a template. Adds its problems to `problems`, each with the file name. */
export function compile(source: Source, rules: Rules, problems: string[]): Template {
  const names = new Set<string>()
  const report = (problem: string): void => {
    problems.push(`${source.file}: ${problem}`)
  }
  const nameOf = (spelling: string): string => rules.aliases.get(spelling) ?? spelling
  const root: Part[] = []
  const open: Block[] = []
  let chunk = ''

  const endChunk = (): void => {
    const parts = open.at(-1)?.parts ?? root
    for (const part of slots(chunk, source.html, rules, nameOf, report)) {
      if (typeof part !== 'string') names.add(part.name)
      parts.push(part)
    }
    chunk = ''
  }
  for (const line of withWords(source, rules, report).split('\n')) {
    const [, word, spelling = ''] = directive.exec(line) ?? []
    if (word === undefined) {
      chunk += `${line}\n`
      continue
    }
    endChunk()
    if (word === 'end') {
      if (open.pop() === undefined) report('#end without a #with or #without before it')
      continue
    }
    const name = nameOf(spelling)
    if (!rules.kinds.has(name))
      report(`#${word} ${spelling} is not the name of a variable${knownNames(rules)}`)
    const block: Block = { name, present: word === 'with', parts: [] }
    const parent = open.at(-1)?.parts ?? root
    parent.push(block)
    open.push(block)
  }
  endChunk()
  if (open.length > 0) report(`#end is missing for ${open.map(({ name }) => name).join(', ')}`)
  reportForeignCode(source, rules, nameOf, report)
  return { html: source.html, parts: root, names }
}

/** Inserts the sentences first, so that the variables within them are compiled as well. */
function withWords(source: Source, rules: Rules, report: (problem: string) => void): string {
  const text = source.text.replaceAll('\r\n', '\n')
  // Behind the last `}` no place is closed: each would be searched to the end of the file (A61).
  const lastClosed = text.lastIndexOf('}') + 1
  const closed = text.slice(0, lastClosed) + text.slice(lastClosed).replaceAll('${', '$(')
  return closed.replace(place, (whole, name: string) => {
    if (!name.startsWith('words.')) return whole
    const sentence = rules.words.get(name.slice('words.'.length))
    if (sentence === undefined) report(`\${${name}} is not a sentence of the catalogue`)
    return source.html ? escapeHtml(sentence ?? '') : (sentence ?? '')
  })
}

function* slots(
  chunk: string,
  html: boolean,
  rules: Rules,
  nameOf: (spelling: string) => string,
  report: (problem: string) => void,
): Generator<string | Slot> {
  const addresses = html ? addressesInHtml(chunk, report) : addressesInText(chunk)
  let from = 0
  for (const match of chunk.matchAll(place)) {
    const [whole, spelling = ''] = match
    yield chunk.slice(from, match.index)
    from = match.index + whole.length
    const name = nameOf(spelling)
    const kind = rules.kinds.get(name)
    if (kind === undefined) {
      report(
        /^[\w.]+$/.test(spelling)
          ? `\${${spelling}} is not a variable of this mail${knownNames(rules)}`
          : `\${${spelling}} is not a name; templates contain names only, no expressions`,
      )
      continue
    }
    const inAddress = addresses.some(([start, end]) => match.index >= start && match.index < end)
    // An attacker may have chosen the name: a link that contains it could lead to the attacker's site.
    if (inAddress && (kind === 'name' || kind === 'email' || kind === 'ip')) {
      report(`\${${spelling}} is text that users enter and must not be part of a link`)
    }
    yield { name, kind, inAddress }
  }
  yield chunk.slice(from)
}

type Range = readonly [start: number, end: number]

// No `<` within: otherwise each unclosed tag would be searched to the end of the file, again and again (A61).
const tag = /<[a-z](?:"[^"]*"|'[^']*'|[^"'<>])*>/gi
const attribute = /\s([a-z-]+)\s*=\s*("[^"]*"|'[^']*')/gi
const addressAttributes = new Set(['href', 'src', 'action', 'formaction', 'background', 'cite', 'poster'])

/** The positions of attribute values that are addresses. Reports unquoted attributes, which a value could break out of. */
function addressesInHtml(chunk: string, report: (problem: string) => void): readonly Range[] {
  const ranges: Range[] = []
  for (const { 0: text, index } of chunk.matchAll(tag)) {
    for (const match of text.matchAll(attribute)) {
      const [whole, name = ''] = match
      if (!addressAttributes.has(name.toLowerCase())) continue
      ranges.push([index + match.index, index + match.index + whole.length])
    }
    const unquoted = text.replace(/"[^"]*"|'[^']*'/g, '')
    if (unquoted.includes('${')) report(`a variable in <${text.slice(1, 40)} is not in quotes`)
  }
  return ranges
}

/** The positions of addresses in a text: characters without a space that begin like an address. */
const addressesInText = (chunk: string): readonly Range[] =>
  // Word by word: one expression for both would begin anew at each character of a long word (A61).
  [...chunk.matchAll(/\S+/g)].flatMap(({ 0: text, index }): Range[] =>
    /:\/\/|\$\{(?:baseURL|\w*(?:Link|Url))\}[/?]/.test(text) ? [[index, index + text.length]] : [],
  )

/** Reports code of other template languages, which would otherwise be sent as text in a mail. */
function reportForeignCode(
  source: Source,
  rules: Rules,
  nameOf: (spelling: string) => string,
  report: (problem: string) => void,
): void {
  const { text } = source
  for (const [found] of text.matchAll(
    /#\{?(?:if|elseif|else|set|foreach|include|parse|macro|define|evaluate)\}?(?=\s*\(|[ \t]*$)/gm,
  )) {
    report(`${found} is an expression; write the lines #with NAME, #without NAME and #end`)
  }
  for (const [found, name = ''] of text.matchAll(/\$!?\{?([a-zA-Z][\w.]*\w)\}?/g)) {
    if (found.startsWith('${') || !rules.kinds.has(nameOf(name))) continue
    report(`${found} would be sent as text; write \${${name}}`)
  }
  if (hasOpenPlace(text)) report('a ${ is not closed')
  if (source.html && /<script\b|\son[a-z]+\s*=|javascript:/i.test(text))
    report('scripts are not allowed in a mail')
}

function hasOpenPlace(text: string): boolean {
  const last = text.lastIndexOf('${')
  return last >= 0 && !text.includes('}', last)
}

const knownNames = (rules: Rules): string => `; there are ${[...rules.kinds.keys()].join(', ')}`

/** Renders a template. A variable without a value renders as an empty text. */
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
        result += renderValue({ name: part.name, kind: part.kind }, value, {
          html: template.html,
          inAddress: part.inAddress,
        })
    }
  }
  return result
}
