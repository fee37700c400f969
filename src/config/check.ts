import { Settings as Typebox } from 'typebox/system'
import { Value } from 'typebox/value'
import { ConfigError, didYouMean } from '../base/index.ts'
import { compareKey } from '../directory/index.ts'
import { readResources } from '../management/index.ts'
import { type Config, configOptions } from './options.ts'
import { unsafeInProduction } from './production.ts'
import { choicesOf, isObject, type Schema, schema, schemaAt, typeOf } from './schema.ts'

/** Settings as an owner writes them: any part may be absent. */
export type Settings = DeepPartial<Config>

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T

/** One thing that is wrong: the option and what to do about it. */
interface Problem {
  readonly path: string
  readonly words: string
}

/**
 * Puts the defaults in and checks everything. Throws a ConfigError with all problems at once, each naming its option.
 *
 * @param sourceOf where a setting comes from, to be told with what is wrong with it.
 */
export function checkConfig(
  settings: Settings,
  sourceOf: (path: string) => string | undefined = () => undefined,
): Config {
  const filled = Value.Default(configOptions, withSender(structuredClone(settings)))
  const broken = [
    ...unknownNames(schema, filled, ''),
    ...shapeProblems(filled),
    ...resourceProblems((filled as { readonly resources: unknown }).resources),
    ...nameProblems((filled as { readonly people: unknown }).people),
  ]
  const config = filled as Config
  const unsafe =
    config.mode === 'production' ? unsafeInProduction(config, (option) => !isBroken(broken, option)) : []
  const problems = [...broken, ...unsafe.map(([path, words]) => ({ path, words }))]
  if (problems.length > 0) {
    throw new ConfigError(
      problems.map(({ path, words }) => {
        const source = sourceOf(path)
        return `${path || 'the configuration'}: ${words}${source === undefined ? '' : ` (from ${source})`}`
      }),
    )
  }
  return config
}

/** What the bodies below `resources` have against them; whom they name, only the database knows. */
const resourceProblems = (resources: unknown): readonly Problem[] =>
  readResources(resources).problems.map(({ path, words }) => ({
    path: ['resources', ...path].join('.'),
    words,
  }))

/** A login or email that two of the people have: the second could not be created, or one would get what is the other's (A55). */
function nameProblems(people: unknown): readonly Problem[] {
  if (!Array.isArray(people)) return []
  const owners = new Map<string, number>()
  return people.flatMap((person: unknown, index) => {
    if (!isObject(person)) return []
    return (['login', 'email'] as const).flatMap((field) => {
      const name = person[field]
      if (typeof name !== 'string') return []
      const key = compareKey(name)
      const owner = owners.get(key) ?? index
      owners.set(key, owner)
      return owner === index
        ? []
        : [{ path: `people.${index}.${field}`, words: `is a name of people.${owner} already` }]
    })
  })
}

/** Mails come from the public address's host where nothing else is said: servers that take mails check the domain. */
function withSender(settings: Settings): Settings {
  const { issuer, mail } = settings
  if (typeof issuer !== 'string' || mail?.from !== undefined || !URL.canParse(issuer)) return settings
  return { ...settings, mail: { ...mail, from: `no-reply@${new URL(issuer).hostname}` } }
}

const isBroken = (problems: readonly Problem[], option: string): boolean =>
  problems.some(
    ({ path }) => path === option || path.startsWith(`${option}.`) || option.startsWith(`${path}.`),
  )

/** Names that are no options, at any depth. */
function unknownNames(option: Schema, value: unknown, path: string): readonly Problem[] {
  if (Array.isArray(value)) {
    const { items } = option
    return items === undefined
      ? []
      : value.flatMap((item, n) => unknownNames(items, item, join(path, String(n))))
  }
  const { properties } = option
  if (properties === undefined || !isObject(value)) return []
  return Object.entries(value).flatMap(([name, child]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (known !== undefined) return unknownNames(known, child, join(path, name))
    return [
      {
        path: join(path, name),
        words: `there is no such option${didYouMean(name, Object.keys(properties))}`,
      },
    ]
  })
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

type ShapeError = ReturnType<typeof Value.Errors>[number]

function shapeProblems(value: unknown): readonly Problem[] {
  if (Value.Check(configOptions, value)) return []
  const before = Typebox.Get().maxErrors
  // Told of eight problems only, an owner would come back for the ninth.
  Typebox.Set({ maxErrors: 1000 })
  try {
    const byPath = Map.groupBy(Value.Errors(configOptions, value), pathOf)
    return [...byPath].flatMap(([path, errors]) => {
      const words = wordsFor(path, errors, value)
      return words === undefined ? [] : [{ path, words }]
    })
  } finally {
    Typebox.Set({ maxErrors: before })
  }
}

/** The option an error is about: what is missing is named itself, not the group it is missing from. */
function pathOf({ keyword, instancePath, params }: ShapeError): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  if (keyword !== 'required') return path
  return join(path, (params as { requiredProperties: readonly string[] }).requiredProperties[0] ?? '')
}

function wordsFor(path: string, errors: readonly ShapeError[], settings: unknown): string | undefined {
  const option = schemaAt(path)
  const [error] = errors
  // Names that are no options are told of by `unknownNames`.
  if (option === undefined || error === undefined || error.keyword === 'additionalProperties')
    return undefined
  if (error.keyword === 'required') return `is missing, it must be ${typeOf(option)}`
  const choices = choicesOf(option)
  if (choices.length > 0) {
    const typed = path
      .split('.')
      .reduce<unknown>((value, name) => (value as Record<string, unknown>)?.[name], settings)
    return `must be ${typeOf(option)}${didYouMean(String(typed), choices)}`
  }
  const { limit } = error.params as { limit?: number }
  if (error.keyword === 'minLength') {
    return limit === 1 ? 'must not be empty' : `must have ${limit} characters or more`
  }
  if (error.keyword === 'maxLength') return `must have ${limit} characters or fewer`
  if (error.keyword === 'minimum') return `must be ${limit} or more`
  if (error.keyword === 'maximum') return `must be ${limit} or less`
  if (error.keyword === 'uniqueItems') return 'must not name anything twice'
  return `must be ${typeOf(option)}`
}
