import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { compareKey } from '../../src/directory/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { atTheCode, isFull, mailCount, manyMails, startTarget, visit } from '../support/attacks.ts'

const victim = 'mary@example.com'
let idp: Kit
beforeAll(async () => {
  idp = await startTarget({ settings: { limits: manyMails } })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

/** Sends a body as it is to the step that takes a name, and asks for the mail whatever was answered. */
async function ask(body: string): Promise<number> {
  const visitor = await visit(idp)
  const named = await visitor.submits('recover')
  expect(named.remediations).toEqual(['identify-recovery'])
  const response = await fetch(`${idp.engineUrl}/idp/idx/identify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: body.replace('STATE', visitor.stateHandle),
  })
  await response.text()
  const { body: select } = await atTheChoice()
  await visitor.submits('challenge', { authenticator: { id: select.authenticators?.value[0]?.id } })
  return response.status
}

async function atTheChoice() {
  const visitor = await visit(idp)
  await visitor.submits('recover')
  return visitor.submits('identify', { identifier: 'nobody@example.com' })
}

describe('an identifier that is not one text', () => {
  const eve = 'eve@evil.example'
  test.each([
    ['an array', `{"identifier":["${victim}","${eve}"],"stateHandle":"STATE"}`],
    ['an array of one', `{"identifier":["${victim}"],"stateHandle":"STATE"}`],
    ['an object', `{"identifier":{"email":"${victim}"},"stateHandle":"STATE"}`],
    ['an object that tells its text', `{"identifier":{"toString":"${victim}"},"stateHandle":"STATE"}`],
    ['a number', '{"identifier":1,"stateHandle":"STATE"}'],
    ['true', '{"identifier":true,"stateHandle":"STATE"}'],
    ['a list with a comma', `{"identifier":"${victim},${eve}","stateHandle":"STATE"}`],
    ['a list with a comma and a blank', `{"identifier":"${victim}, ${eve}","stateHandle":"STATE"}`],
    ['a list with a semicolon', `{"identifier":"${victim};${eve}","stateHandle":"STATE"}`],
    ['a line end', `{"identifier":"${victim}\\n${eve}","stateHandle":"STATE"}`],
    ['a header', `{"identifier":"${victim}\\r\\nBcc: ${eve}","stateHandle":"STATE"}`],
    ['an encoded line end', `{"identifier":"${victim}%0a${eve}","stateHandle":"STATE"}`],
    ['an encoded header', `{"identifier":"${victim}%0D%0ABcc:${eve}","stateHandle":"STATE"}`],
    ['an encoded list', `{"identifier":"${victim}%2C${eve}","stateHandle":"STATE"}`],
    ['a line separator', `{"identifier":"${victim}\\u2028${eve}","stateHandle":"STATE"}`],
    ['a NUL', `{"identifier":"${victim}\\u0000","stateHandle":"STATE"}`],
    ['half of a character', `{"identifier":"${victim}\\ud800","stateHandle":"STATE"}`],
    ['a key twice', `{"identifier":"${victim}","identifier":"${eve}","stateHandle":"STATE"}`],
    [
      'a key twice, once in escapes',
      `{"identifier":"${victim}","\\u0069dentifier":"${eve}","stateHandle":"STATE"}`,
    ],
    ['__proto__', `{"__proto__":{"identifier":"${victim}"},"stateHandle":"STATE"}`],
    ['a constructor', `{"constructor":{"prototype":{"identifier":"${victim}"}},"stateHandle":"STATE"}`],
    ['nothing', '{"stateHandle":"STATE"}'],
    [
      'a text of a million letters',
      `{"identifier":"${'a'.repeat(60_000)}@example.com","stateHandle":"STATE"}`,
    ],
  ])('A22: %s is refused and sends no mail', async (_, body) => {
    expect(await ask(body)).toBe(400)
    expect(await mailCount(idp)).toBe(0)
  })

  test('A22: a form instead of JSON is refused and sends no mail', async () => {
    const visitor = await visit(idp)
    await visitor.submits('recover')
    const body = new URLSearchParams(
      `identifier=${victim}&identifier=${eve}&stateHandle=${visitor.stateHandle}`,
    )
    const response = await fetch(`${idp.engineUrl}/idp/idx/identify`, { method: 'POST', body })
    expect(response.status).toBe(415)
    expect(await mailCount(idp)).toBe(0)
  })
})

describe('an identifier that looks like another', () => {
  /** To whom a recovery that was asked for under a name writes. */
  async function mailedBy(identifier: string): Promise<readonly string[]> {
    idp.outbox.clear()
    const visitor = await visit(idp)
    await visitor.submits('recover')
    const named = await visitor.submits('identify', { identifier })
    if (named.status === 200) await visitor.selects('okta_email')
    await idp.engine.delivery.idle()
    return idp.outbox.all().map(({ to }) => to)
  }

  test.each([
    ['mike@example.com', 'm\u0131ke@example.com', []],
    ['mike@example.com', 'M\u0130KE@example.com', []],
    ['mike@example.com', 'mi\u0307ke@example.com', []],
    ['mike@example.com', 'MIKE@EXAMPLE.COM', ['mike@example.com']],
    ['mike@example.com', 'mi\u212ae@example.com', ['mike@example.com']],
    ['mike@example.com', 'mike\uff20example.com', ['mike@example.com']],
    ['mike@example.com', 'mike@ex\uff41mple.com', ['mike@example.com']],
    ['mike@example.com', 'mike@example\u3002com', ['mike@example.com']],
    ['mike@example.com', 'm\u0456ke@example.com', []],
    ['mike@example.com', 'mike@ex\u0430mple.com', []],
    ['mike@example.com', 'mike\u200b@example.com', []],
    ['office@example.com', 'o\ufb03ce@example.com', ['office@example.com']],
    ['strasse@example.com', 'stra\u00dfe@example.com', []],
    ['mary@strasse.example', 'mary@stra\u00dfe.example', []],
    ['admin@example.com', 'admin@example.com\u00ad', ['admin@example.com']],
    ['jos\u00e9@example.com', 'jose\u0301@example.com', ['jos\u00e9@example.com']],
    ['\u017fam@example.com', 'sam@example.com', ['\u017fam@example.com']],
  ])(
    'A23: to the account %s the name %s writes nowhere but to the stored address',
    async (stored, typed, to) => {
      await idp.people.add({ login: stored, password: 'Marmalade-Harbour-31' })
      expect(await mailedBy(typed)).toEqual(to)
    },
  )

  test('A23: no account is opened under a name that compares as that of another', async () => {
    for (const login of [
      '\uff4dary@example.com',
      'MARY@example.com',
      'mary\uff20example.com',
      'mary@EXAMPLE\uff0ecom',
    ]) {
      await expect(idp.people.add({ login, email: 'eve@evil.example' }), login).rejects.toThrow()
      await expect(idp.people.add({ login: 'eve', email: login }), login).rejects.toThrow()
    }
  })

  test('A23: the code that was mailed for a look-alike is of the account it names, and of no other', async () => {
    await idp.people.add({ login: 'm\u0131ke@example.com', password: 'Marmalade-Harbour-31' })
    await idp.people.add({ login: 'mike@example.com', password: 'Marmalade-Harbour-31' })
    const eve = await atTheCode(idp, 'm\u0131ke@example.com')
    await idp.engine.delivery.idle()
    expect(idp.outbox.to('mike@example.com')).toEqual([])
    const mail = idp.outbox.all()[0]
    const mike = await atTheCode(idp, 'mike@example.com')
    expect((await mike.answers(mail?.code)).status).toBe(401)
    expect((await eve.answers(mail?.code)).remediations).toEqual(['reset-authenticator'])
  })
})

test('A24: comparing a name changes it once at most, over all of Unicode', () => {
  const unstable: string[] = []
  // The planes in between hold nothing yet that any mapping knows.
  const isUnmapped = (point: number): boolean => !isFull && point > 0x32fff && point >> 16 !== 0xe
  for (let point = 0; point <= 0x10ffff; point++) {
    if ((point >= 0xd800 && point <= 0xdfff) || isUnmapped(point)) continue
    const character = String.fromCodePoint(point)
    const mapped = character.normalize('NFKC').toLowerCase() !== character
    const places = mapped || isFull ? [character, `a${character}`, `${character}b@x.example`] : [character]
    for (const text of [...places, `a@${character}x.example`]) {
      const once = compareKey(text)
      if (compareKey(once) !== once) unstable.push(`U+${point.toString(16)} in ${JSON.stringify(text)}`)
    }
  }
  expect(unstable).toEqual([])
})
