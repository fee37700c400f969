import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../base/index.ts'
import { databaseFault, translateDatabaseError } from './unavailable.ts'

const withCode = (code: string, message = 'as the server says it') =>
  Object.assign(new Error(message), { code })
const sqlite = (errcode: number) => Object.assign(new Error('SQLite'), { code: 'ERR_SQLITE_ERROR', errcode })

describe('errors of PostgreSQL and of the network', () => {
  test.each([
    // A failover, a restart, a crash: the same server is behind every connection.
    ['25006', 'all'],
    ['57P01', 'all'],
    ['57P02', 'all'],
    ['57P03', 'all'],
    ['57P04', 'all'],
    ['08006', 'all'],
    ['08P01', 'all'],
    ['40003', 'all'],
    ['ECONNRESET', 'all'],
    ['ECONNREFUSED', 'all'],
    ['EHOSTDOWN', 'all'],
    ['ENETUNREACH', 'all'],
    ['EPIPE', 'all'],
    // The session's own end.
    ['25P03', 'connection'],
    ['25P04', 'connection'],
    ['57P05', 'connection'],
    ['53200', 'connection'],
    ['26000', 'connection'],
    ['42P05', 'connection'],
    // The connection is as good as before.
    ['53100', 'none'],
    ['53300', 'none'],
    ['53400', 'none'],
    ['55P03', 'none'],
    ['57014', 'none'],
    ['58030', 'none'],
    ['EMFILE', 'none'],
  ])('%s is answered 503, and suspects: %s', (code, suspects) => {
    const error = withCode(code)
    expect(databaseFault(error)).toMatchObject({ isUnavailable: true, suspects })
    expect(translateDatabaseError(error)).toMatchObject({
      status: 503,
      code: 'E0000010',
      headers: { 'Retry-After': '2' },
      cause: error,
    })
  })

  test.each(['23505', '42P01', '42501', '22P02', 'XX000', '25P02', 'ERR_INVALID_ARG_TYPE', 'EACCES'])(
    '%s is an internal error, and its connection stays',
    (code) => {
      const error = withCode(code)
      expect(databaseFault(error)).toEqual({ isUnavailable: false, suspects: 'none' })
      expect(translateDatabaseError(error)).toBe(error)
    },
  )

  test('a plan that a migration has outdated is so on every connection', () => {
    expect(databaseFault(withCode('0A000'))).toEqual({ isUnavailable: false, suspects: 'all' })
  })

  test('errors of the driver without a code: a broken connection, and a pool that is full', () => {
    for (const message of [
      'Connection terminated unexpectedly',
      'Connection terminated due to connection timeout',
      'Query read timeout',
      'timeout expired',
      'Client has encountered a connection error and is not queryable',
    ]) {
      expect(databaseFault(new Error(message))).toEqual({ isUnavailable: true, suspects: 'all' })
    }
    expect(databaseFault(new Error('timeout exceeded when trying to connect'))).toEqual({
      isUnavailable: true,
      suspects: 'none',
    })
  })

  test('a disk is known by its errors, also in an answer that was made of one', () => {
    expect(databaseFault(withCode('53100')).disk).toBe('full')
    expect(databaseFault(withCode('58030')).disk).toBe('failing')
    expect(databaseFault(withCode('42501', 'could not open file: Read-only file system')).disk).toBe(
      'read-only',
    )
    expect(databaseFault(translateDatabaseError(withCode('53100'))).disk).toBe('full')
    expect(databaseFault(withCode('57014')).disk).toBeUndefined()
  })
})

describe('errors of SQLite', () => {
  test.each([
    [5, undefined],
    [261, undefined],
    [7, undefined],
    [8, 'read-only'],
    [10, 'failing'],
    [778, 'failing'],
    [13, 'full'],
    [14, undefined],
  ])('%i is answered 503, and says of the disk: %s', (errcode, disk) => {
    expect(databaseFault(sqlite(errcode))).toMatchObject({ isUnavailable: true, ...(disk && { disk }) })
    expect(databaseFault(sqlite(errcode)).disk).toBe(disk)
  })

  test.each([1, 11, 19, 26, 2067])('%i is an internal error', (errcode) => {
    expect(translateDatabaseError(sqlite(errcode))).toMatchObject({ errcode })
  })
})

test('what is no error of the database comes back as it is', () => {
  for (const error of ['text', undefined, new Error('ours'), new ProtocolError(400, 'E0000001', 'ours')]) {
    expect(translateDatabaseError(error)).toBe(error)
    expect(databaseFault(error)).toEqual({ isUnavailable: false, suspects: 'none' })
  }
})
