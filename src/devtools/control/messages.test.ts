import { expect, test } from 'vitest'
import { VirtualClock } from '../../base/index.ts'
import { createMessages, NoMessageError } from './messages.ts'

const mail = (subject: string): Buffer =>
  Buffer.from(`Subject: ${subject}\r\n\r\nEnter a code instead: 123456\r\n`)
const subjects = (messages: readonly { readonly subject: string }[]) => messages.map(({ subject }) => subject)

test('messages come newest first, by address whatever its case', async () => {
  const messages = createMessages()
  await messages.add(mail('one'), ['ada@example.com'])
  await messages.add(mail('two'), ['bob@example.com'])
  await messages.add(mail('three'), ['Ada@Example.com'])

  expect(subjects(messages.all())).toEqual(['three', 'two', 'one'])
  expect(subjects(messages.to('ADA@example.com'))).toEqual(['three', 'one'])
  expect(messages.latest({ to: 'bob@example.com' })?.subject).toBe('two')
  expect(messages.latest()?.subject).toBe('three')
  expect(messages.latest({ to: 'nobody@example.com' })).toBeUndefined()
})

test('a mail to two recipients is stored as a message for each, with one source', async () => {
  const messages = createMessages()
  const [first, second] = await messages.add(mail('both'), ['ada@example.com', 'bob@example.com'])

  expect([first?.to, second?.to]).toEqual(['ada@example.com', 'bob@example.com'])
  expect(first?.id).not.toBe(second?.id)
  expect(messages.source(second?.id ?? '')).toEqual(mail('both'))
})

test('a message has the time of the given clock', async () => {
  const clock = new VirtualClock({ frozen: true, startAt: 0 })
  const messages = createMessages({ clock })
  clock.advance(90_000)
  const [message] = await messages.add(mail('late'), ['ada@example.com'])

  expect(message?.sentAt).toBe('1970-01-01T00:01:30.000Z')
})

test('the oldest go when there are too many, or too many bytes', async () => {
  const few = createMessages({ capacity: 2 })
  const small = createMessages({ capacityBytes: mail('a').length * 2 })
  for (const subject of ['a', 'b', 'c']) {
    await few.add(mail(subject), ['ada@example.com'])
    await small.add(mail(subject), ['ada@example.com'])
  }

  expect(subjects(few.all())).toEqual(['c', 'b'])
  expect(subjects(small.all())).toEqual(['c', 'b'])
})

test('a mail larger than the store is stored alone instead of being lost', async () => {
  const messages = createMessages({ capacityBytes: 1 })
  await messages.add(mail('a'), ['ada@example.com'])
  await messages.add(mail('b'), ['ada@example.com'])

  expect(subjects(messages.all())).toEqual(['b'])
})

test('waiting ends at once where mail is there already, with the newest', async () => {
  const messages = createMessages()
  await messages.add(mail('one'), ['ada@example.com'])
  await messages.add(mail('two'), ['ada@example.com'])

  expect((await messages.waitFor({ to: 'ada@example.com' })).subject).toBe('two')
})

test('waiting for newer mail ignores older mail and mail to other addresses', async () => {
  const messages = createMessages()
  const [first] = await messages.add(mail('first'), ['ada@example.com'])
  const waiting = messages.waitFor({ to: 'ada@example.com', after: first?.id ?? '' })
  await messages.add(mail('other'), ['bob@example.com'])
  await messages.add(mail('second'), ['ada@example.com'])

  expect((await waiting).subject).toBe('second')
  expect(messages.listeners).toBe(0)
})

test('waiting for newer mail still works after the inbox was emptied', async () => {
  const messages = createMessages()
  const [first] = await messages.add(mail('first'), ['ada@example.com'])
  messages.clear()
  const waiting = messages.waitFor({ after: first?.id ?? '' })
  await messages.add(mail('second'), ['ada@example.com'])

  expect((await waiting).subject).toBe('second')
  expect(subjects(messages.all())).toEqual(['second'])
  expect(messages.get(first?.id ?? '')).toBeUndefined()
})

test('a timeout reports the mails that did arrive', async () => {
  const messages = createMessages()
  await messages.add(mail('Hello'), ['bob@example.com'])
  const waiting = messages.waitFor({ to: 'ada@example.com', timeoutMs: 1 })

  await expect(waiting).rejects.toThrow(NoMessageError)
  await expect(waiting).rejects.toThrow(
    'no mail to ada@example.com within 1 ms; the inbox holds 1, newest "Hello" to bob@example.com',
  )
  expect(messages.listeners).toBe(0)
})

test('waiting can be aborted', async () => {
  const messages = createMessages()
  const gone = new AbortController()
  const waiting = messages.waitFor({ signal: gone.signal })
  gone.abort(new Error('gone'))

  await expect(waiting).rejects.toThrow('gone')
  expect(messages.listeners).toBe(0)
})

test('only issued ids are known', async () => {
  const messages = createMessages()
  const [message] = await messages.add(mail('one'), ['ada@example.com'])

  expect(messages.isKnown(message?.id ?? '')).toBe(true)
  for (const id of ['msg0000000000', 'msg0000000002', 'msg1', '', '1'])
    expect(messages.isKnown(id)).toBe(false)
})
