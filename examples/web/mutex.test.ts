import { expect, test } from 'vitest'
import { createMutex } from './mutex.ts'

/** Work that ends when `finish` is called, and logs its start and end. */
function work(name: string, log: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const run = async () => {
    log.push(`${name} starts`)
    await promise
    log.push(`${name} ends`)
  }
  return { run, finish: resolve, fail: reject }
}

test('work with the same key runs one after the other', async () => {
  const withLock = createMutex()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const both = [withLock('key', first.run), withLock('key', second.run)]
  second.finish()
  first.finish()
  await Promise.all(both)
  expect(log).toEqual(['first starts', 'first ends', 'second starts', 'second ends'])
})

test('work with another key does not wait', async () => {
  const withLock = createMutex()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const slow = withLock('a', first.run)
  second.finish()
  await withLock('b', second.run)
  expect(log).toEqual(['first starts', 'second starts', 'second ends'])
  first.finish()
  await slow
})

test('a failure rejects only its own call, and the next work runs', async () => {
  const withLock = createMutex()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const failing = withLock('key', first.run)
  const next = withLock('key', second.run)
  first.fail(new Error('broken'))
  second.finish()
  await expect(failing).rejects.toThrow('broken')
  await next
  expect(log.at(-1)).toBe('second ends')
})
