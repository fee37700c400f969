import { describe, expect, test } from 'vitest'
import { encodeHash, type HashFields, isForeign, mayReplace, verifyForeign } from './foreign.ts'

const password = 'Tangerine-Kettle-42'
const salt = 'c29tZXNhbHQxMjM0NTY3OA=='

// Made by other programs than ours: OpenSSL's through another language, and crypt_blowfish's own test vector.
const hashes: readonly (readonly [string, HashFields, string?])[] = [
  [
    'bcrypt in parts',
    {
      algorithm: 'BCRYPT',
      workFactor: 5,
      salt: 'CCCCCCCCCCCCCCCCCCCCC.',
      value: 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    },
    'U*U',
  ],
  [
    'bcrypt as one text',
    { algorithm: 'bcrypt', value: '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' },
    'U*U',
  ],
  [
    'PBKDF2 with SHA-256',
    {
      algorithm: 'PBKDF2',
      digestAlgorithm: 'SHA256_HMAC',
      iterationCount: 1000,
      keySize: 32,
      salt,
      value: 'gxEYpZ8CCTBNnJTeuTk5phTGYV4EG1vTjpENdGCUKVY=',
    },
  ],
  [
    'PBKDF2 with SHA-512',
    {
      algorithm: 'PBKDF2',
      digestAlgorithm: 'SHA512_HMAC',
      iterationCount: 1000,
      keySize: 64,
      salt,
      value: 'bwqsuiSFqYCpyseNl/EoqBTQiV6xFLYc8Sm6IdR9tvWQhwjdw1Y0NGGr8kXcJjHM7AkXAhATQ/ZB7msmY4BL/g==',
    },
  ],
  [
    'PBKDF2 as one text',
    {
      algorithm: 'PBKDF2',
      value: '$pbkdf2-sha256$i=1000,l=32$c29tZXNhbHQxMjM0NTY3OA$gxEYpZ8CCTBNnJTeuTk5phTGYV4EG1vTjpENdGCUKVY',
    },
  ],
  [
    'scrypt',
    {
      algorithm: 'SCRYPT',
      value: '$scrypt$ln=10,r=8,p=1$c29tZXNhbHQxMjM0NTY3OA$x7GH+OP+wT6yMM5FEQbEOwRypsab64g4Jo8RoaueQzA',
    },
  ],
  [
    'SHA-512, salt first',
    {
      algorithm: 'SHA-512',
      salt,
      saltOrder: 'PREFIX',
      value: 'gr9msDtSxfRhberSi6pyQUbykYxPVqwHA9702SY8rwmbKGRIB1FBlOQ85/Rsrk8WRt92+ou7jC3hEuDJONK0Mg==',
    },
  ],
  [
    'SHA-512, salt last',
    {
      algorithm: 'SHA-512',
      salt,
      saltOrder: 'POSTFIX',
      value: '72O4szQHhLJvCF+JCxGKi0+Ru5/D4pAyqeeIQCqmXNIUJRXz3RMKNyxEQbBAq32tCu5+Zj8E//YExuskVwQC/A==',
    },
  ],
  [
    'SHA-256',
    {
      algorithm: 'SHA-256',
      salt,
      saltOrder: 'POSTFIX',
      value: 'Zi5xtZFdAYBpSAveQX+rzD1UD6u/OWuizlOAJkJ8kfY=',
    },
  ],
  ['SHA-256 without a salt', { algorithm: 'SHA-256', value: 'Srr+8hMmXFfeQV2HQTTQsHDuaSGkDAi5qB2HgD/SVlI=' }],
  ['SHA-1', { algorithm: 'SHA-1', salt, saltOrder: 'PREFIX', value: 'UHVl/vS14HNh/Bq9qSLjRIOrmrQ=' }],
  ['MD5', { algorithm: 'MD5', salt, saltOrder: 'PREFIX', value: 'P/iI6JBcwkJGc2LjI0X+4g==' }],
]

const encodedOf = (fields: HashFields): string => {
  const read = encodeHash(fields)
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return read.encoded
}

const all = hashes.map(([name, fields, own = password]) => [name, fields, own] as const)
test.each(all)('%s is right for its password alone', async (_, fields, own) => {
  const encoded = encodedOf(fields)

  expect(isForeign(encoded)).toBe(true)
  expect(await verifyForeign(own, encoded)).toBe(true)
  for (const other of [`${own} `, own.toLowerCase(), own.slice(1), '', `${own}\0`]) {
    expect(await verifyForeign(other, encoded), other).toBe(false)
  }
})

test('argon2 of any kind is no foreign hash, and neither is anything else', async () => {
  const argon2id =
    '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$c29tZXNhbHQxMjM0NTY3OHNvbWVzYWx0MTIzNDU2Nzg'
  expect(encodedOf({ algorithm: 'ARGON2ID', value: argon2id })).toBe(argon2id)
  for (const text of [argon2id, '', '$', '$2b$', '$digest-md5$', password]) {
    expect([text, isForeign(text), await verifyForeign(password, text)]).toEqual([text, false, false])
  }
})

test('of a password longer than bcrypt compares, nothing becomes of the rest', () => {
  const encoded = encodedOf({ algorithm: 'BCRYPT', value: `$2b$04$${'a'.repeat(53)}` })
  expect(mayReplace('x'.repeat(72), encoded)).toBe(true)
  expect(mayReplace('x'.repeat(73), encoded)).toBe(false)
  expect(mayReplace('ä'.repeat(37), encoded)).toBe(false)
  expect(mayReplace('x'.repeat(73), encodedOf(hashes[7]?.[1] ?? {}))).toBe(true)
})

describe('what is refused when it comes', () => {
  const parts = { workFactor: 5, salt: 'C'.repeat(22), value: 'E'.repeat(31) }
  const pbkdf2 = hashes[2]?.[1] ?? {}
  const long = 'A'.repeat(100_000)
  test.each<readonly [string, HashFields, string]>([
    ['no algorithm', { value: 'x' }, 'algorithm'],
    ['an algorithm of everybody', { algorithm: 'constructor', value: 'x' }, 'algorithm'],
    ['another one', { algorithm: 'CRYPT', value: 'x' }, 'algorithm'],
    ['a number for an algorithm', { algorithm: 7 }, 'algorithm'],
    ['bcrypt that costs a minute', { algorithm: 'BCRYPT', ...parts, workFactor: 20 }, 'workFactor'],
    [
      'bcrypt that costs a minute, as one text',
      { algorithm: 'BCRYPT', value: `$2b$20$${'a'.repeat(53)}` },
      'workFactor',
    ],
    ['bcrypt that costs a text', { algorithm: 'BCRYPT', ...parts, workFactor: '5' }, 'workFactor'],
    ['bcrypt without a salt', { algorithm: 'BCRYPT', ...parts, salt: undefined }, 'salt'],
    ['bcrypt with another alphabet', { algorithm: 'BCRYPT', ...parts, value: `${'E'.repeat(30)}+` }, 'value'],
    ['PBKDF2 of minus one round', { ...pbkdf2, iterationCount: -1 }, 'iterationCount'],
    ['PBKDF2 of a billion rounds', { ...pbkdf2, iterationCount: 1e9 }, 'value'],
    ['PBKDF2 of ten million rounds', { ...pbkdf2, iterationCount: 1e7 }, 'iterationCount'],
    ['PBKDF2 of half a round', { ...pbkdf2, iterationCount: 0.5 }, 'iterationCount'],
    ['PBKDF2 of another digest', { ...pbkdf2, digestAlgorithm: 'MD5_HMAC' }, 'digestAlgorithm'],
    ['PBKDF2 of another length', { ...pbkdf2, keySize: 64 }, 'keySize'],
    ['PBKDF2 with a salt that is no base64', { ...pbkdf2, salt: 'ä' }, 'salt'],
    ['PBKDF2 with an endless salt', { ...pbkdf2, salt: long }, 'salt'],
    [
      'scrypt that takes a gigabyte',
      { algorithm: 'SCRYPT', value: `$scrypt$ln=20,r=8,p=1$AAAA$${'A'.repeat(43)}` },
      'value',
    ],
    [
      'scrypt of nothing',
      { algorithm: 'SCRYPT', value: `$scrypt$ln=0,r=0,p=0$AAAA$${'A'.repeat(43)}` },
      'value',
    ],
    ['SHA-512 that is too short', { algorithm: 'SHA-512', value: 'AAAA' }, 'value'],
    [
      'SHA-256 as a list',
      { algorithm: 'SHA-256', value: ['Srr+8hMmXFfeQV2HQTTQsHDuaSGkDAi5qB2HgD/SVlI='] },
      'value',
    ],
    [
      'SHA-256 with its salt in the middle',
      { algorithm: 'SHA-256', salt, saltOrder: 'MIDDLE', value: 'AAAA' },
      'saltOrder',
    ],
    [
      'argon2id that takes a gigabyte',
      { algorithm: 'ARGON2ID', value: '$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA' },
      'value',
    ],
    [
      'a hash of another algorithm than named',
      { algorithm: 'SCRYPT', value: '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZXNhbHRzb21lc2FsdA' },
      'value',
    ],
    ['megabytes', { algorithm: 'ARGON2ID', value: long }, 'value'],
  ])('%s', (_, fields, member) => {
    const read = encodeHash(fields)
    expect(read).toEqual({ problems: expect.arrayContaining([expect.stringMatching(`^${member}: `)]) })
    expect(JSON.stringify(read).length).toBeLessThan(500)
  })
})
