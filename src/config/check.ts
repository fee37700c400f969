import { Settings as Typebox } from 'typebox/system'
import { Value } from 'typebox/value'
import { ConfigError, didYouMean } from '../base/index.ts'
import { parseSender } from '../delivery/index.ts'
import { readResources } from '../management/index.ts'
import { type Config, configOptions } from './options.ts'
import { unsafeInProduction } from './production.ts'
import { choicesOf, isObject, type Schema, schema, schemaAt, typeOf } from './schema.ts'
import { readHere, withSecretFiles } from './secret-file.ts'
import { inUse, valueProblems } from './values.ts'

/** Settings as an administrator writes them: any part may be absent. */
export type Settings = DeepPartial<Config>

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T

/** A problem of one option, with how to fix it. */
interface Problem {
  readonly path: string
  readonly words: string
}

/**
 * Fills in the defaults and validates everything. Throws a ConfigError with all problems at once, each with its option.
 *
 * @param sourceOf the source of a setting, which is added to its problems.
 */
export function checkConfig(
  settings: Settings,
  sourceOf: (path: string) => string | undefined = () => undefined,
): Config {
  const { settings: complete, problems: unread } = withSecretFiles(structuredClone(settings), readHere)
  const filled = Value.Default(configOptions, withSender(complete as Settings))
  const misshapen = [
    ...unknownNames(schema, filled, ''),
    ...shapeProblems(filled),
    ...resourceProblems((filled as { readonly resources: unknown }).resources),
  ]
  const broken = [
    ...misshapen,
    // One problem a value: what has the wrong type or length is not said to be no address as well.
    ...valueProblems(filled).filter(({ path }) => !misshapen.some((problem) => problem.path === path)),
  ]
  const config = filled as Config
  const unsafe =
    config.mode === 'production' ? unsafeInProduction(config, (option) => !isBroken(broken, option)) : []
  const problems = [...broken, ...unsafe.map(([path, words]) => ({ path, words }))]
  if (problems.length + unread.length > 0) {
    throw new ConfigError([
      ...unread,
      ...problems.map(({ path, words }) => {
        const source = sourceOf(path)
        return `${path || 'the configuration'}: ${words}${source === undefined ? '' : ` (from ${source})`}`
      }),
    ])
  }
  return inUse(config)
}

/** The problems of the bodies below `resources`. Whether the resources they refer to exist, only the database knows. */
const resourceProblems = (resources: unknown): readonly Problem[] =>
  readResources(resources).problems.map(({ path, words }) => ({
    path: ['resources', ...path].join('.'),
    words,
  }))

/**
 * Derives the default sender from the host of the issuer: mail servers check the domain of the sender. An issuer that names
 * no host, or an IPv6 address, leaves it as it is.
 */
function withSender(settings: Settings): Settings {
  const { issuer, mail } = settings
  if (typeof issuer !== 'string' || mail?.from !== undefined || !URL.canParse(issuer)) return settings
  const from = `no-reply@${new URL(issuer).hostname}`
  return parseSender(from) === undefined ? settings : { ...settings, mail: { ...mail, from } }
}

const isBroken = (problems: readonly Problem[], option: string): boolean =>
  problems.some(
    ({ path }) => path === option || path.startsWith(`${option}.`) || option.startsWith(`${path}.`),
  )

/** Reports names that are not options, at any depth. */
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
  // Typebox stops after eight errors by default. An administrator should see all problems at once.
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

/** The option that an error is about: for a missing option that option itself, not its group. */
function pathOf({ keyword, instancePath, params }: ShapeError): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  if (keyword !== 'required') return path
  return join(path, (params as { requiredProperties: readonly string[] }).requiredProperties[0] ?? '')
}

function wordsFor(path: string, errors: readonly ShapeError[], settings: unknown): string | undefined {
  const option = schemaAt(path)
  const [error] = errors
  // Names that are not options are reported by `unknownNames`.
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
  if (error.keyword === 'uniqueItems') return 'must not contain the same value twice'
  return `must be ${typeOf(option)}`
}
