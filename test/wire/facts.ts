import type { Json } from './visitor.ts'

/**
 * A response taken apart into facts, each a path and a value, so that two responses that differ in order, ids and
 * texts of their installation can be compared: `remediation/identify/field/identifier/label` is `"Username"`.
 */
export type Facts = ReadonlyMap<string, string>

/** What is the same as not saying it. */
const defaults: Readonly<Record<string, unknown>> = {
  required: false,
  mutable: true,
  visible: true,
  secret: false,
  type: 'string',
}
const flags = [
  'type',
  'label',
  'required',
  'mutable',
  'visible',
  'secret',
  'minLength',
  'maxLength',
  'format',
  'hint',
]

/** Members of a body whose value counts, not only that they are there. */
const compared = ['version', 'intent', 'errorCode', 'errorSummary', 'error', 'error_description']

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const valuesOf = (member: unknown): readonly Json[] => (isObject(member) ? listOf(member.value) : [])

export function factsOf(body: Json): Facts {
  const facts = new Map<string, string>()
  const say = (path: string, value: unknown) => void facts.set(path, JSON.stringify(value))

  for (const [name, member] of Object.entries(body)) {
    if (name === 'remediation' || name === 'messages') continue
    if (isObject(member)) memberFacts(name, member)
    else say(name, compared.includes(name) ? member : 'present')
  }
  for (const form of valuesOf(body.remediation)) formFacts(`remediation/${form.name}`, form)
  messageFacts('messages', body.messages)
  return facts

  function memberFacts(name: string, member: Json): void {
    if (Array.isArray(member.rel)) {
      formFacts(name, member)
      return
    }
    say(`${name}/type`, member.type)
    if (Array.isArray(member.value)) {
      for (const item of listOf(member.value)) if (item.key) partFacts(`${name}/${item.key}`, item)
    } else if (isObject(member.value)) partFacts(name, member.value)
  }

  /** An authenticator, a user, an app: what it says of itself, and the actions that hang on it. */
  function partFacts(path: string, part: Json): void {
    for (const [name, value] of Object.entries(part)) {
      if (isObject(value) && Array.isArray(value.rel)) formFacts(`${path}/${name}`, value)
      else if (name === 'methods')
        for (const { type } of listOf(value)) say(`${path}/methods/${type}`, 'present')
      else if (isObject(value)) partFacts(`${path}/${name}`, value)
      else
        say(
          `${path}/${name}`,
          ['type', 'key', 'displayName', 'useEmailMagicLink'].includes(name) ? value : 'present',
        )
    }
  }

  function formFacts(path: string, form: Json): void {
    say(`${path}/rel`, form.rel)
    say(`${path}/href`, String(form.href).replace(/^https?:\/\/[^/]+|<engine>/, ''))
    say(`${path}/method`, form.method)
    for (const name of ['accepts', 'produces', 'refresh'])
      if (form[name] !== undefined) say(`${path}/${name}`, form[name])
    if (form.relatesTo !== undefined) say(`${path}/relatesTo`, [form.relatesTo].flat())
    for (const field of listOf(form.value)) fieldFacts(`${path}/field`, field)
  }

  function fieldFacts(path: string, field: Json): void {
    const own = `${path}/${field.name}`
    say(own, 'present')
    for (const flag of flags) {
      if (field[flag] !== undefined && field[flag] !== defaults[flag]) say(`${own}/${flag}`, field[flag])
    }
    if (isObject(field.form)) for (const inner of valuesOf(field.form)) fieldFacts(own, inner)
    for (const option of listOf(field.options)) optionFacts(own, option)
    messageFacts(`${own}/messages`, field.messages)
  }

  function optionFacts(path: string, option: Json): void {
    const { relatesTo, value, label } = option
    const name =
      relatesTo !== undefined ? keyAt(String(relatesTo)) : typeof value === 'string' ? value : label
    const own = `${path}/option/${name}`
    say(`${own}/label`, label)
    if (relatesTo !== undefined) say(`${own}/relatesTo`, String(relatesTo).replace(/\d+/, 'n'))
    const form = isObject(option.value) ? option.value.form : undefined
    for (const field of valuesOf(form)) fieldFacts(own, field)
  }

  function messageFacts(path: string, messages: unknown): void {
    for (const message of valuesOf(messages)) {
      const { key, params = [] } = (message.i18n ?? {}) as Json
      say(`${path}/${key}/class`, message.class)
      say(`${path}/${key}/text`, message.message)
      say(`${path}/${key}/params`, (params as unknown[]).length)
    }
  }

  function keyAt(path: string): string {
    const [, member = '', index = ''] = /^\$\.(\w+)\.value\[(\d+)\]$/.exec(path) ?? []
    return String(valuesOf(body[member])[Number(index)]?.key ?? path)
  }
}

/** The facts of one response that another lacks or tells otherwise. */
export const missing = (wanted: Facts, had: Facts): readonly string[] =>
  [...wanted]
    .filter(([path, value]) => had.get(path) !== value)
    .map(([path, value]) => `${path} = ${value}, not ${had.get(path) ?? 'there'}`)
