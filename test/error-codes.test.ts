import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorCodes } from '../src/base/index.ts'

const src = join(import.meta.dirname, '../src')
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.ts$/.test(file) && !/\.test\.ts$/.test(file),
)

test('every error of the API is made from the table of codes', () => {
  const made = sources.filter((file) =>
    /new ProtocolError\(\s*\d+,\s*'E0/.test(readFileSync(join(src, file), 'utf8')),
  )
  expect(made).toEqual([])
})

test('every code of the table is used', () => {
  const text = sources
    .filter((file) => !file.endsWith('error-codes.ts'))
    .map((file) => readFileSync(join(src, file), 'utf8'))
    .join('\n')
  expect(Object.keys(errorCodes).filter((code) => !text.includes(code))).toEqual([])
})
