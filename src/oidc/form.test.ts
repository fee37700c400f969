import { describe, expect, test } from 'vitest'
import { optional, readForm, required } from './form.ts'

describe('a form', () => {
  test('is decoded', () => {
    const form = readForm('a=1&b=x+y%20z&c=&%C3%BC=%26%3D&flag')

    expect([...form]).toEqual([
      ['a', '1'],
      ['b', 'x y z'],
      ['c', ''],
      ['ü', '&='],
      ['flag', ''],
    ])
    expect(required(form, 'a')).toBe('1')
    expect(optional(form, 'c')).toBeUndefined()
    expect(() => required(form, 'c')).toThrow("The 'c' parameter is required.")
  })

  test.each([
    ['a name twice', 'a=1&a=1', /'a' parameter must not be given more than once/],
    ['a name twice, encoded once', 'state=1&st%61te=2', /'state'/],
    ['a name that is markup, twice', '<b>=1&<b>=2', /^invalid_request: The parameter must/],
    ['a NUL', 'a=%00', /not allowed/],
    ['a line break', 'a=%0d%0aSet-Cookie:x', /not allowed/],
    ['bytes that are no UTF-8', 'a=%ff', /not allowed/],
    ['a long value', `a=${'x'.repeat(4097)}`, /too long/],
  ])('with %s is refused', (_what, text, message) => {
    expect(() => readForm(text)).toThrow(message)
  })
})
