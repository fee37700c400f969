import { expect, test } from 'vitest'
import { startEngine } from '../../src/testing/index.ts'
import { atTheCode, mailTo } from '../support/attacks.ts'

// The canary sits in every engine of the suite (test/support/canary.ts). These show that it can sing.

test.each([
  ['a code', (mail: Mail) => mail.code],
  ['the token of a link', (mail: Mail) => new URL(mail.link ?? '').searchParams.get('token')],
])('A42: %s that is left in the database is found before it goes', async (_, secretOf) => {
  const idp = await startEngine()
  await atTheCode(idp, idp.person.login)
  const value = `left here: ${secretOf(await mailTo(idp, idp.person.login))}`
  await idp.engine.storage.db.insertInto('settings').values({ key: 'a leak', value }).execute()

  await expect(idp.reset()).rejects.toThrow(/a secret is left behind:\ntable settings: [\s\S]*left here/)
  await idp.engine.storage.db.deleteFrom('settings').where('key', '=', 'a leak').execute()
  await idp.close()
})

test('A42: a password, a state handle or a token that is kept as it is is found', async () => {
  const idp = await startEngine()
  const visitor = await atTheCode(idp, idp.person.login)
  const { accessToken } = await idp.signInAs(idp.person.login)

  for (const secret of [idp.person.password, visitor.stateHandle, accessToken]) {
    await idp.engine.storage.db
      .insertInto('settings')
      .values({ key: 'a leak', value: `${secret}` })
      .execute()
    await expect(idp.reset()).rejects.toThrow(/a secret is left behind/)
    await idp.engine.storage.db.deleteFrom('settings').where('key', '=', 'a leak').execute()
  }
  await idp.close()
})

type Mail = Awaited<ReturnType<typeof mailTo>>
