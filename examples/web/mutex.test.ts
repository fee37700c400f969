import { expect, test } from 'vitest'
import { createTurns } from './turns.ts'

/** Work that is done when `finish` is called, and writes down when it starts and ends. */
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
  const inTurn = createTurns()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const both = [inTurn('key', first.run), inTurn('key', second.run)]
  second.finish()
  first.finish()
  await Promise.all(both)
  expect(log).toEqual(['first starts', 'first ends', 'second starts', 'second ends'])
})

test('work with another key does not wait', async () => {
  const inTurn = createTurns()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const slow = inTurn('a', first.run)
  second.finish()
  await inTurn('b', second.run)
  expect(log).toEqual(['first starts', 'second starts', 'second ends'])
  first.finish()
  await slow
})

test('a failure is told to its caller alone, and the next one has its turn', async () => {
  const inTurn = createTurns()
  const log: string[] = []
  const [first, second] = [work('first', log), work('second', log)]
  const failing = inTurn('key', first.run)
  const next = inTurn('key', second.run)
  first.fail(new Error('broken'))
  second.finish()
  await expect(failing).rejects.toThrow('broken')
  await next
  expect(log.at(-1)).toBe('second ends')
})
