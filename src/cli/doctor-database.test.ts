import { expect, test } from 'vitest'
import { checkConfig } from '../config/index.ts'
import { connectionOf } from './doctor-database.ts'

test.each([
  ['postgres://u@db.example/x?sslmode=verify-full', 'met'],
  ['postgres://u@db.example/x?sslmode=require', 'deviates'],
  ['postgres://u@db.example/x', 'deviates'],
  ['postgres://u@localhost/x', 'met'],
  // One server of several is elsewhere.
  ['postgres://u@localhost,db.example/x', 'deviates'],
  // Their names begin as those of this machine.
  ['postgres://u@localhost.example/x', 'deviates'],
  ['postgres://u@127.example.com/x', 'deviates'],
  ['postgres://u@127.0.0.2/x', 'met'],
  ['sqlite:rekey.db', undefined],
])('the connection to %s: %s', (url, result) => {
  const config = checkConfig({ secrets: ['a secret for this test only, long'], database: { url } })
  expect(connectionOf(config)[0]?.result).toBe(result)
})
