import { expect, test } from 'vitest'
import { processorMs } from '../../test/support/machine.ts'
import { ProtocolError } from '../base/index.ts'
import { parseJsonBody } from './json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

test.each([
  ['plain members', '{"stateHandle":"02.x","credentials":{"passcode":"ü🔑\\n"}}'],
  ['one name at two levels', '{"a":{"b":1},"b":2,"c":[{"a":1},{"a":2},"a","a"]}'],
  ['braces and quotes in texts', '{"a":"\\"}{","b":"[,:","c":"\\\\"}'],
  ['ten levels', nested(10)],
  ['an escaped backslash before u0000', '{"a":"\\\\u0000"}'],
  ['white space', ' \n{ "a" : [ ] , "b" : { } }\t'],
])('a body with %s is parsed like JSON.parse does', (_what, text) => {
  expect(parseJsonBody(bytes(text))).toEqual(JSON.parse(text))
})

test.each([
  ['a duplicate name', '{"a":1,"a":2}', 'a key twice'],
  ['a name twice, one of them escaped', '{"identifier":"x","\\u0069dentifier":"y"}', 'a key twice'],
  ['a name twice further in', '{"a":[{"b":1,"c":2,"b":3}]}', 'a key twice'],
  ['a name twice after a member that is an object', '{"a":1,"b":{"c":[1]},"a":2}', 'a key twice'],
  ['__proto__', '{"__proto__":{"admin":true}}', 'a key named __proto__'],
  ['__proto__ escaped', '{"a":{"\\u005f_proto__":1}}', 'a key named __proto__'],
  ['a byte order mark', '\uFEFF{}', 'not JSON'],
  ['eleven levels', nested(11), 'too deep'],
  ['a thousand brackets', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'too deep'],
  ['a NUL', '{"a":"\\u0000"}', 'a NUL character'],
  ['a NUL in a name', '{"\\u0000":1}', 'a NUL character'],
  ['an array on top', '[{}]', 'not an object'],
  ['a text on top', '"x"', 'not an object'],
  ['null on top', 'null', 'not an object'],
  ['nothing', '', 'not JSON'],
  ['half an object', '{"a":', 'not JSON'],
  ['two objects', '{}{}', 'not JSON'],
])('A47: a body with %s is refused', (_what, text, detail) => {
  const refusal = catching(() => parseJsonBody(bytes(text)))

  expect(refusal).toMatchObject({ status: 400, code: 'E0000003', detail })
})

test.each([
  ['[{}]', 'body: must be a JSON object'],
  ['{"a":x}', 'body: no JSON at character 6'],
  ['nope', 'body: no JSON at character 2'],
  ['{"a":"x", "b": undefined, "c": 1}', 'body: no JSON at character 16'],
  ['\uFEFF{}', 'body: no JSON at character 1'],
  ['{"password":"Secret-1",}', 'body: no JSON at character 24'],
  ['{"a":', 'body: no JSON: it ends too early'],
  ['', 'body: must be a JSON object'],
  ['{}{}', 'body: no JSON at character 3'],
  ['{"a":1,"a":2}', 'body: must not have a key twice'],
])('the caller reads what is wrong with %s', (text, cause) => {
  expect(catching(() => parseJsonBody(bytes(text)))).toMatchObject({ causes: [cause] })
})

test('A47: bytes that are not UTF-8 are refused', () => {
  const refusal = catching(() => parseJsonBody(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)))

  expect(refusal).toMatchObject({ status: 400, detail: 'not UTF-8' })
})

test('64 KB of one string or of many names are parsed fast', () => {
  const long = JSON.stringify({ a: 'x\\"'.repeat(16_000) })
  const many = JSON.stringify(
    Object.fromEntries(Array.from({ length: 7000 }, (_, index) => [`k${index}`, 1])),
  )

  const before = processorMs()
  parseJsonBody(bytes(long))
  parseJsonBody(bytes(many))

  expect(processorMs() - before).toBeLessThan(500)
})

function catching(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}
