import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ifUnchanged } from '../../src/directory/index.ts'
import { grouped } from '../../src/storage/fused.ts'
import {
  change,
  decide,
  isUniqueViolation,
  partOf,
  run,
  StaleRead,
  type Storage,
  withCommit,
} from '../../src/storage/index.ts'
import { databases, onEachDatabase } from '../support/postgres.ts'
import { spyOnStatements } from './statements.ts'

// On PostgreSQL the changes of a transaction travel together, COMMIT with them, and nothing waits for each: what the server
// refuses must undo all of it, and reach the caller as the cause it is.

const put = (key: string, value = '') => ({
  text: 'insert into settings (key, value) values ($1, $2)',
  parameters: [key, value],
})
const raise = (key: string, from: string, to: string) => ({
  text: 'update settings set value = $1 where key = $2 and value = $3',
  parameters: [to, key, from],
})
const budget = (key: string) => ({
  text: 'insert into budgets (key, used, expires_at) values ($1, 1, $2)',
  parameters: [key, 1],
})

onEachDatabase('changes that travel with the end of their transaction', (database) => {
  let storage: Storage
  beforeAll(async () => {
    storage = await database.open()
  })
  afterAll(() => storage.close())

  type Change = { readonly text: string; readonly parameters: readonly unknown[] }
  const send = (tx: object, { text, parameters }: Change) =>
    withCommit(tx, change(tx as never, text, parameters))
  const settings = async (like: string) =>
    (
      await run<{ key: string; value: string }>(
        storage.db,
        'select key, value from settings where key like $1 order by key',
        [`${like}%`],
      )
    ).map(({ key, value }) => `${key}=${value}`)

  test('all stand once the transaction has ended', async () => {
    const result = await storage.transaction(async (tx) => {
      await send(tx, put('a.1', 'one'))
      await send(tx, budget('a.1'))
      await send(tx, put('a.2', 'two'))
      return 'done'
    })
    expect(result).toBe('done')
    expect(await settings('a.')).toEqual(['a.1=one', 'a.2=two'])
  })

  test('what is read after them sees them', async () => {
    const seen = await storage.transaction(async (tx) => {
      await send(tx, put('b.1', 'one'))
      await send(tx, raise('b.1', 'one', 'two'))
      return run<{ value: string }>(tx, 'select value from settings where key = $1', ['b.1'])
    })
    expect(seen).toEqual([{ value: 'two' }])
  })

  test('A49: one that decides, and changes no row, undoes those before and after it', async () => {
    await storage.transaction((tx) => send(tx, put('c.1', 'one')))
    const outcome = storage.transaction(async (tx) => {
      await send(tx, put('c.2'))
      await withCommit(
        tx,
        decide(tx, raise('c.1', 'another', 'two'), () => new Error('moved meanwhile')),
      )
      await send(tx, budget('c.1'))
      await send(tx, put('c.3'))
      return 'done'
    })
    await expect(outcome).rejects.toThrow('moved meanwhile')
    expect(await settings('c.')).toEqual(['c.1=one'])
    expect(await run(storage.db, 'select key from budgets where key = $1', ['c.1'])).toEqual([])
  })

  test('one that decides, and changes a row, lets the others stand', async () => {
    await storage.transaction((tx) => send(tx, put('d.1', 'one')))
    await storage.transaction(async (tx) => {
      await withCommit(
        tx,
        decide(tx, raise('d.1', 'one', 'two'), () => new Error('moved meanwhile')),
      )
      await send(tx, budget('d.1'))
    })
    expect(await settings('d.')).toEqual(['d.1=two'])
    expect(await run(storage.db, 'select key from budgets where key = $1', ['d.1'])).toEqual([{ key: 'd.1' }])
  })

  test('where another statement waits for its result, the one that decides is the cause of its failure', async () => {
    await storage.transaction((tx) => send(tx, put('e.1', 'one')))
    const outcome = storage.transaction(async (tx) => {
      await withCommit(
        tx,
        decide(tx, raise('e.1', 'another', 'two'), () => new Error('moved meanwhile')),
      )
      return run(tx, 'select key from settings where key = $1', ['e.1'])
    })
    await expect(outcome).rejects.toThrow('moved meanwhile')
  })

  test('a key that is taken is the fault of the statement that writes it', async () => {
    await storage.transaction((tx) => send(tx, put('f.1', 'one')))
    const outcome = storage.transaction(async (tx) => {
      await send(tx, budget('f.1'))
      await withCommit(
        tx,
        change(tx, put('f.1').text, put('f.1').parameters).catch((error) => {
          throw isUniqueViolation(error) ? new Error('taken') : error
        }),
      )
    })
    await expect(outcome).rejects.toThrow('taken')
    expect(await run(storage.db, 'select key from budgets where key = $1', ['f.1'])).toEqual([])
  })

  test('a part that fails takes its own with it, and nothing else', async () => {
    await storage.transaction((tx) => send(tx, put('g.1', 'one')))
    await storage.transaction(async (tx) => {
      await send(tx, put('g.2'))
      const part = partOf(tx, async () => {
        await send(tx, put('g.3'))
        await send(tx, put('g.1'))
      })
      await expect(part).rejects.toSatisfy(isUniqueViolation)
      await send(tx, put('g.4'))
    })
    expect(await settings('g.')).toEqual(['g.1=one', 'g.2=', 'g.4='])
  })

  test('what the work throws comes through, and nothing stands', async () => {
    const outcome = storage.transaction(async (tx) => {
      await send(tx, put('h.1'))
      throw new Error('changed my mind')
    })
    await expect(outcome).rejects.toThrow('changed my mind')
    expect(await settings('h.')).toEqual([])
  })

  test('A49: what was computed from another version of a user is not written', async () => {
    const outcome = ifUnchanged(storage, { id: '00unone', version: 1 }, async (tx) => {
      await send(tx, put('j.1'))
      return 'done'
    })
    await expect(outcome).rejects.toThrow(StaleRead)
    expect(await settings('j.')).toEqual([])
    const same = { id: '00unone', version: undefined }
    await ifUnchanged(storage, same, (tx) => send(tx, put('j.2')))
    expect(await settings('j.')).toEqual(['j.2='])
  })

  test('of many at once that decide by the same row one gets through', async () => {
    await storage.transaction((tx) => send(tx, put('i.1', 'open')))
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) =>
        storage.transaction(async (tx) => {
          await withCommit(
            tx,
            decide(tx, raise('i.1', 'open', 'closed'), () => new Error('second')),
          )
          await send(tx, budget(`i.${at}`))
        }),
      ),
    )
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await run(storage.db, `select key from budgets where key like 'i.%'`, [])).toHaveLength(1)
  })
})

describe.skipIf(databases[1]?.skipped !== undefined)('on PostgreSQL', () => {
  test('they are one statement, which is sent with BEGIN and COMMIT', async () => {
    const storage = await databases[1]?.open()
    const texts: string[] = []
    spyOnStatements('postgres', ({ text }) => (text.startsWith('set ') ? 0 : texts.push(text)))
    await storage?.transaction(async (tx) => {
      await withCommit(tx, change(tx, put('z.1').text, put('z.1').parameters))
      await withCommit(tx, change(tx, budget('z.1').text, budget('z.1').parameters))
    })
    vi.restoreAllMocks()
    await storage?.close()
    expect(texts).toEqual([
      'begin',
      expect.stringMatching(/^with s0 as \(insert into settings .* s1 as \(insert into budgets/),
      'commit',
    ])
  })

  // It would be written by itself, on a connection that the transaction of another request may have by then.
  test('what a work sends once COMMIT is on its way is refused, and its transaction rejects', async () => {
    const storage = await databases[1]?.open()
    const outcome = storage?.transaction(async (tx) => {
      const work = async () => {
        await run(tx, 'select key from settings where key = $1', ['y.1'])
        await change(tx, put('y.1').text, put('y.1').parameters)
      }
      await withCommit(tx, work())
    })
    await expect(outcome).rejects.toThrow('after the end of its transaction')
    expect(await run(storage?.db as never, `select key from settings where key = 'y.1'`, [])).toEqual([])
    await storage?.close()
  })

  test('what fails in this process alone, which the server does not know of, is no success', async () => {
    const storage = await databases[1]?.open()
    const unsendable = {
      toJSON() {
        throw new Error('no text of it')
      },
    }
    const outcome = storage?.transaction((tx) =>
      withCommit(tx, change(tx, put('x.1').text, ['x.1', unsendable])),
    )
    await expect(outcome).rejects.toThrow('no text of it')
    await storage?.close()
  })
})

describe('which statements are put together', () => {
  const texts = (...all: readonly string[]) =>
    grouped(all.map((text) => ({ text, values: [text] }))).map(({ parts }) => [...parts])

  test('changes of different tables are; a read, and a table that is written, stand between', () => {
    const mail = 'insert into outbox (id) values ($1)'
    const event = 'insert into events (id) values ($1)'
    const read = 'select id from people where id = $1'
    const ended = 'update sessions set revoked_at = $1 where client_id in (select id from clients)'
    expect(texts(mail, event)).toEqual([[0, 1]])
    expect(texts(mail, mail, event)).toEqual([[0, 2], [1]])
    expect(texts(mail, read, event)).toEqual([[0], [1], [2]])
    expect(texts(ended, 'update clients set status = $1')).toEqual([[0], [1]])
    expect(texts('update clients set status = $1', ended)).toEqual([[0], [1]])
  })

  test('values keep their places', () => {
    const [group] = grouped([
      { text: 'update sessions set revoked_at = $2 where id = $1', values: ['a', 1] },
      { text: 'update people set status = $1 where id = $2 returning id', values: ['b', 2] },
    ])
    expect(group?.values).toEqual(['a', 1, 'b', 2])
    expect(group?.text).toContain('revoked_at = $2 where id = $1 returning 1')
    expect(group?.text).toContain('status = $3 where id = $4 returning id)')
    const answer = { command: 'SELECT', rowCount: 1, rows: [{ r0: 3, r1: [{ id: 'x' }] }] }
    expect(group?.results(answer)).toEqual([
      { command: 'UPDATE', rowCount: 3, rows: [] },
      { command: 'UPDATE', rowCount: 1, rows: [{ id: 'x' }] },
    ])
  })
})
