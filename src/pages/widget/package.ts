import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve, sep } from 'node:path'
import { isObject, plainHash } from '../../base/index.ts'
import type { WidgetOptions } from './options.ts'

export const widgetName = '@okta/okta-signin-widget'

/** The script and the stylesheet of each generation, in the folder `dist` of the package. */
const entryFiles: Readonly<Record<number, readonly [script: string, stylesheet: string]>> = {
  2: ['js/okta-sign-in.min.js', 'css/okta-sign-in.min.css'],
  3: ['js/okta-sign-in.next.js', 'css/okta-sign-in.next.css'],
}

/** Everything that a page of the widget loads, by its ending. What else is in the package is not served. */
const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  gif: 'image/gif',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  ttf: 'font/ttf',
  woff: 'font/woff',
  woff2: 'font/woff2',
}

/** The folders of `dist` with fonts, pictures and texts. */
const folders = ['altcha', 'font', 'img', 'labels/json']

/** The package of the widget, as it is installed. */
export interface WidgetPackage {
  readonly version: string
  readonly generation: 2 | 3
  /** Another one for other files, so that they may be stored for long. */
  readonly build: string
  /** Paths in `dist` of the page's script and stylesheet. */
  readonly script: string
  readonly stylesheet: string
  /** What is served, by its path in `dist`: where it is, and its media type. */
  readonly files: ReadonlyMap<string, { readonly file: string; readonly type: string }>
  /** The languages that it has texts for, as tags (BCP 47). */
  readonly languages: readonly string[]
}

/** Why the widget cannot be the page: the option, and the end of a sentence that begins with it. */
export interface WidgetProblem {
  readonly option: 'package' | 'language'
  readonly words: string
}

/**
 * Finds the package that the options name. Reads the list of its files, so that nothing else can be asked for
 * by a path.
 *
 * @param folder the working folder: paths begin there, and the search as Node does it
 */
export function findWidget(
  { package: named, generation, language }: Pick<WidgetOptions, 'package' | 'generation' | 'language'>,
  folder: string,
): WidgetPackage | WidgetProblem {
  const found = named === undefined ? installedIn(folder) : resolve(folder, named)
  if (found === undefined) {
    return {
      option: 'package',
      words: `is not set, and ${widgetName} is not installed here: \`npm install ${widgetName}\``,
    }
  }
  const version = versionOf(found)
  if (version === undefined) {
    return { option: 'package', words: `is not the folder of ${widgetName}: ${named ?? found}` }
  }
  const dist = join(found, 'dist')
  const [script = '', stylesheet = ''] = entryFiles[generation] ?? []
  const missing = [script, stylesheet].find((file) => !existsSync(join(dist, file)))
  if (missing !== undefined) {
    return {
      option: 'package',
      words: `lacks dist/${missing}: version ${version} of ${widgetName} has no generation ${generation}`,
    }
  }
  const files = new Map(
    [script, stylesheet, ...folders.flatMap((one) => filesBelow(dist, one))].flatMap((path) => {
      const type = types[path.split('.').at(-1) ?? '']
      return type === undefined ? [] : [[path, { file: join(dist, path), type }] as const]
    }),
  )
  const languages = ['en', ...[...files.keys()].flatMap(languageOf)]
  if (language !== undefined && !languages.includes(language)) {
    return { option: 'language', words: `is none that the widget has: ${languages.join(', ')}` }
  }
  const content = [script, stylesheet].map((file) => readFileSync(join(dist, file), 'latin1'))
  return {
    version,
    generation: generation === 3 ? 3 : 2,
    build: `${version}-${plainHash(content.join()).slice(0, 10)}`,
    ...{ script, stylesheet, files, languages },
  }
}

export const isWidgetProblem = (found: WidgetPackage | WidgetProblem): found is WidgetProblem =>
  'words' in found

/** Where Node finds the package; undefined: nowhere. */
function installedIn(folder: string): string | undefined {
  const paths = createRequire(join(folder, 'index.js')).resolve.paths(widgetName) ?? []
  return paths.map((path) => join(path, widgetName)).find((path) => existsSync(join(path, 'package.json')))
}

function versionOf(folder: string): string | undefined {
  try {
    const about: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (!isObject(about) || about.name !== widgetName) return undefined
    return typeof about.version === 'string' && /^[\w.+-]{1,50}$/.test(about.version)
      ? about.version
      : undefined
  } catch {
    return undefined
  }
}

const filesBelow = (dist: string, folder: string): readonly string[] =>
  existsSync(join(dist, folder))
    ? readdirSync(join(dist, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name.split(sep).join('/')}`,
      )
    : []

/** `labels/json/login_pt_BR.json`: Brazilian Portuguese. Those of `ok` are for tests of the widget itself. */
function languageOf(path: string): readonly string[] {
  const [, language, region] = /^labels\/json\/login_([a-z]{2})(?:_([A-Z]{2}))?\.json$/.exec(path) ?? []
  if (language === undefined || language === 'ok') return []
  return [region === undefined ? language : `${language}-${region}`]
}
