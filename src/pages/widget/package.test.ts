import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findWidget, isWidgetProblem, widgetName } from './package.ts'
import { widgetLanguage } from './page.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'rekey-widget-'))
  write(`node_modules/${widgetName}/package.json`, JSON.stringify({ name: widgetName, version: '7.49.0' }))
  for (const file of [
    'js/okta-sign-in.min.js',
    'js/okta-sign-in.min.js.map',
    'css/okta-sign-in.min.css',
    'font/okticon.woff',
    'font/LICENSE',
    'labels/json/login_de.json',
    'labels/json/login_pt_BR.json',
    'labels/json/login_ok_PL.json',
    'sass/all.scss',
  ]) {
    write(`node_modules/${widgetName}/dist/${file}`, file)
  }
  write('other/package.json', JSON.stringify({ name: 'other', version: '1.0.0' }))
  mkdirSync(join(root, 'apps/shop'), { recursive: true })
})
afterAll(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

const wordsOf = (options: Parameters<typeof findWidget>[0], folder = root) => {
  const found = findWidget(options, folder)
  return isWidgetProblem(found) ? `${found.option} ${found.words}` : found.version
}

test('the package is found as Node finds it, or in the folder that is named', () => {
  expect(wordsOf({ generation: 2 })).toBe('7.49.0')
  expect(wordsOf({ generation: 2 }, join(root, 'apps/shop'))).toBe('7.49.0')
  expect(wordsOf({ generation: 2, package: `node_modules/${widgetName}` })).toBe('7.49.0')
})

test('what is missing is said by the option', () => {
  expect(wordsOf({ generation: 2 }, '/')).toMatch(
    /^package is not set, and @okta\/okta-signin-widget is not installed here/,
  )
  expect(wordsOf({ generation: 2, package: 'other' })).toBe(
    'package is not the folder of @okta/okta-signin-widget: other',
  )
  expect(wordsOf({ generation: 2, package: 'nowhere' })).toMatch(/^package is not the folder of/)
  expect(wordsOf({ generation: 3 })).toMatch(/^package lacks dist\/js\/okta-sign-in\.next\.js/)
  expect(wordsOf({ generation: 2, language: 'fr' })).toBe(
    'language is none that the widget has: en, de, pt-BR',
  )
})

test('what a page loads is served, and nothing else of the package', () => {
  const found = findWidget({ generation: 2 }, root)
  if (isWidgetProblem(found)) throw new Error(found.words)
  expect([...found.files].map(([path, { type }]) => [path, type])).toEqual([
    ['js/okta-sign-in.min.js', 'text/javascript; charset=utf-8'],
    ['css/okta-sign-in.min.css', 'text/css; charset=utf-8'],
    ['font/okticon.woff', 'font/woff'],
    ...['de', 'ok_PL', 'pt_BR'].map((one) => [
      `labels/json/login_${one}.json`,
      'application/json; charset=utf-8',
    ]),
  ])
  const before = found.build
  write(`node_modules/${widgetName}/dist/js/okta-sign-in.min.js`, 'changed')
  expect(findWidget({ generation: 2 }, root)).not.toMatchObject({ build: before })
})

test.each([
  ['de-AT,en', 'de'],
  ['pt-PT', 'pt-BR'],
  ['nl', 'nl-NL'],
  ['zh', 'zh-CN'],
  ['zh-TW', 'zh-TW'],
  ['ar', 'en'],
  [undefined, 'en'],
])('the widget speaks to a browser of %s in %s', (locales, language) => {
  expect(widgetLanguage(['en', 'de', 'nl-NL', 'pt-BR', 'zh-CN', 'zh-TW'], locales)).toBe(language)
})
