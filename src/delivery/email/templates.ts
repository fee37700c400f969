import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../base/index.ts'
import { directionOf, isLanguageTag, languageFor, languages, wordsFor } from '../../i18n/index.ts'
import { builtInText } from './code-mails.ts'
import { compile, type Rules, renderTemplate, type Template } from './compile.ts'
import {
  definitionOf,
  generalVariables,
  type Kind,
  type MailVariables,
  type TemplateName,
  templateNames,
} from './definitions.ts'

export {
  type MailVariables,
  type NoticeTemplate,
  noticeTemplates,
  type TemplateName,
  templateNames,
  type VariableName,
} from './definitions.ts'

interface TemplateOptions {
  /**
   * A folder with custom templates that replace the built-in ones: `ForgotPassword.html`, `ForgotPassword.txt`,
   * `layout.html` …. Templates for one language are in a subfolder named by its tag (`de/ForgotPassword.html`).
   */
  readonly folder?: string | undefined
}

export interface RenderedMail {
  readonly subject: string
  readonly html: string
  readonly text: string
  /** The language of the mail (BCP 47). */
  readonly language: string
}

export interface Renderer {
  /** @throws if all required values are missing, or a link is not a web address: an error of the calling code. */
  render(mail: {
    readonly template: TemplateName
    readonly variables: MailVariables
    readonly locale?: string | undefined
  }): RenderedMail
}

const builtIn = fileURLToPath(new URL('./templates/', import.meta.url))
const longestSubject = 128

/**
 * Reads the templates. Custom templates are validated at once, in all languages.
 * @throws ConfigError with all problems at once: unknown variables, expressions, missing links or codes.
 */
export function loadTemplates({ folder }: TemplateOptions = {}): Promise<Renderer> {
  if (folder !== undefined) return readTemplates(folder)
  // The built-in templates are shared by all engines of a process.
  builtInTemplates ??= readTemplates(undefined)
  return builtInTemplates
}

let builtInTemplates: Promise<Renderer> | undefined

async function readTemplates(folder: string | undefined): Promise<Renderer> {
  const problems: string[] = []
  const files = await readFolders(folder, problems)
  const tags = [...new Set([...Object.keys(languages), ...files.tags])]
  const mails = new Map<string, CompiledMail>()
  const compileLanguage = (tag: string) => {
    const layout = compileLayout(tag, files, problems)
    for (const name of templateNames) {
      mails.set(`${tag} ${name}`, compileMail(name, layout, tag, files, problems))
    }
    if (problems.length > 0 && folder === undefined) throw new ConfigError([...new Set(problems)])
  }
  // The built-in templates are validated by tests, so they are compiled per language on first use.
  if (folder !== undefined) for (const tag of tags) compileLanguage(tag)
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])

  return {
    render({ template, variables, locale }) {
      const tag = languageFor(locale, tags)
      if (!mails.has(`${tag} ${template}`)) compileLanguage(tag)
      const mail = mails.get(`${tag} ${template}`)
      if (mail === undefined) throw new Error(`there is no mail template ${template}`)
      return renderMail(mail, template, variables)
    },
  }
}

interface Files {
  /** The languages that have a folder. */
  readonly tags: readonly string[]
  /** The template file for a language, with its name for error messages. */
  find(file: string, tag: string): { readonly file: string; readonly text: string }
}

const fileNames = ['layout', ...templateNames].flatMap((name) => [`${name}.html`, `${name}.txt`])

async function readFolders(folder: string | undefined, problems: string[]): Promise<Files> {
  const texts = new Map<string, string>()
  for (const file of fileNames) texts.set(join(builtIn, file), await builtInText(join(builtIn, file)))
  const tags: string[] = []
  const take = async (path: string): Promise<void> => {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const file = join(path, entry.name)
      if (entry.isDirectory()) {
        if (path !== folder || !isLanguageTag(entry.name)) continue
        tags.push(entry.name)
        await take(file)
      } else if (fileNames.includes(entry.name)) {
        texts.set(file, await readFile(file, 'utf8'))
      } else if (/\.(html|txt)$/.test(entry.name)) {
        problems.push(`${file}: is not the name of a template; the names are ${fileNames.join(', ')}`)
      }
    }
  }
  if (folder !== undefined) {
    await take(folder).catch((error: Error) => {
      problems.push(`the folder of mail templates ${folder} cannot be read: ${error.message}`)
    })
  }
  return {
    tags,
    find(name, tag) {
      const places = folder === undefined ? [builtIn] : [join(folder, tag), folder, builtIn]
      const file = places.map((path) => join(path, name)).find((path) => texts.has(path)) ?? name
      return { file, text: texts.get(file) ?? '' }
    },
  }
}

interface Layout {
  readonly html: Template
  readonly text: Template
}

interface CompiledMail {
  readonly language: string
  readonly direction: string
  readonly subject: Template
  readonly html: Template
  readonly text: Template
  readonly layout: Layout
  /** Whether the HTML is a complete document, as in templates for Okta, which is not put into the layout. */
  readonly isDocument: boolean
}

function compileLayout(tag: string, files: Files, problems: string[]): Layout {
  const rules: Rules = {
    kinds: new Map<string, Kind | 'markup'>([
      ...Object.entries(generalVariables),
      ['subject', 'fact'],
      ['content', 'markup'],
      ['language', 'fact'],
      ['direction', 'fact'],
    ]),
    aliases: new Map(),
    words: sentencesFor(tag),
  }
  const part = (file: string, html: boolean): Template => {
    const template = compile({ ...files.find(file, tag), html }, rules, problems)
    if (!template.names.has('content')) problems.push(`${files.find(file, tag).file}: \${content} is missing`)
    return template
  }
  return { html: part('layout.html', true), text: part('layout.txt', false) }
}

function compileMail(
  name: TemplateName,
  layout: Layout,
  tag: string,
  files: Files,
  problems: string[],
): CompiledMail {
  const { variables, aliases, oneOf } = definitionOf(name)
  const rules: Rules = {
    kinds: new Map<string, Kind>([...Object.entries(generalVariables), ...Object.entries(variables)]),
    aliases: new Map(Object.entries(aliases)),
    words: sentencesFor(tag),
  }
  const htmlFile = files.find(`${name}.html`, tag)
  const textFile = files.find(`${name}.txt`, tag)
  const { subject, body } = splitSubject(textFile, problems)
  const html = compile({ ...htmlFile, html: true }, rules, problems)
  const text = compile({ file: textFile.file, text: body, html: false }, rules, problems)
  for (const [file, template] of [
    [htmlFile.file, html],
    [textFile.file, text],
  ] as const) {
    if (oneOf.length > 0 && !oneOf.some((variable) => template.names.has(variable))) {
      problems.push(`${file}: ${oneOf.map((variable) => `\${${variable}}`).join(' or ')} is missing`)
    }
  }
  return {
    language: tag,
    direction: directionOf(tag),
    subject: compile({ file: textFile.file, text: subject, html: false }, rules, problems),
    html,
    text,
    layout,
    isDocument: /^\s*(?:<!--[\s\S]*?-->\s*)?<(?:!doctype|html)\b/i.test(htmlFile.text),
  }
}

function splitSubject(
  { file, text }: { readonly file: string; readonly text: string },
  problems: string[],
): { readonly subject: string; readonly body: string } {
  const [, subject, body = ''] = /^\ufeff?Subject:[ \t]*(\S.*)\r?\n([\s\S]*)$/.exec(text) ?? []
  if (subject === undefined) problems.push(`${file}: the first line must be "Subject: …"`)
  return { subject: subject ?? '', body }
}

function sentencesFor(tag: string): ReadonlyMap<string, string> {
  const words = wordsFor(tag)
  return sentences({ ...words.mail, context: words.context })
}

interface Tree {
  readonly [name: string]: string | Tree
}

function sentences(tree: Tree, prefix = ''): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[prefix + name, value]] : [...sentences(value, `${prefix}${name}.`)],
    ),
  )
}

function renderMail(mail: CompiledMail, name: TemplateName, variables: MailVariables): RenderedMail {
  const values: Readonly<Record<string, string | undefined>> = variables
  const letters = [...renderTemplate(mail.subject, values).replace(/\s+/g, ' ').trim()]
  const subject = letters.slice(0, longestSubject).join('')
  const around = { ...values, subject, language: mail.language, direction: mail.direction }

  const content = { html: renderTemplate(mail.html, values), text: renderTemplate(mail.text, values) }
  for (const part of [content.html, content.text]) mustHoldOneOf(name, values, part)
  const html = mail.isDocument
    ? content.html
    : renderTemplate(mail.layout.html, { ...around, content: content.html })
  const text = renderTemplate(mail.layout.text, { ...around, content: content.text.trim() })
  // Omitted parts leave empty lines behind: remove them.
  const tidy = text
    .replace(/(?<![ \t])[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  return { subject, html: html.replace(/\n\s*\n+/g, '\n'), text: `${tidy}\n`, language: mail.language }
}

/** Refuses a mail with neither link nor code: it is useless, so it fails and the failure is recorded as an event. */
function mustHoldOneOf(
  name: TemplateName,
  values: Readonly<Record<string, string | undefined>>,
  part: string,
) {
  const { oneOf } = definitionOf(name)
  const held = oneOf.some((variable) => {
    const value = values[variable] ?? ''
    return value !== '' && (part.includes(value) || part.includes(value.replaceAll('&', '&amp;')))
  })
  if (oneOf.length > 0 && !held) throw new Error(`the mail ${name} holds none of ${oneOf.join(', ')}`)
}
