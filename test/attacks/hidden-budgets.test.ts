import { afterEach, describe, expect, test } from 'vitest'
import type { Settings } from '../../src/config/index.ts'
import type { Answer, Kit } from '../../src/testing/index.ts'
import { mailTo, manyMails, startTarget, visit } from '../support/attacks.ts'

const ada = { login: 'adaada', email: 'adaada@example.com', password: 'Marmalade-Harbour-31' }
/** Two names of one account, and two that belong to none. */
const known = [ada.login, ada.email] as const
const unknown = ['noraxx', 'noraxx@example.com'] as const
type Names = readonly [username: string, address: string]

let idp: Kit | undefined
afterEach(async () => {
  await idp?.close()
  idp = undefined
})

/** What a visitor sees of a reply, as far as a budget may show in it. */
function seen({ status, headers, body, messages }: Answer): string {
  const forms = body.remediation?.value?.map(
    ({ name, value }: { name: string; value?: readonly { form?: { value: readonly object[] } }[] }) =>
      `${name} ${JSON.stringify(value?.flatMap(({ form }) => form?.value ?? []).map((field) => ('maxLength' in field ? field.maxLength : '-')))}`,
  )
  return [status, headers.get('retry-after'), ...messages, ...(forms ?? [])].join(' | ')
}

type Told = string[]
type Walk = (target: Kit, names: Names, told: Told) => Promise<void>

/** A new transaction at the code of a name, and so many wrong codes. */
async function wrongCodes(target: Kit, told: Told, name: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 4) {
    const visitor = await visit(target)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: name })
    told.push(seen(await visitor.selects('okta_email')))
    for (let guess = 0; guess < Math.min(4, left); guess++) {
      told.push(seen(await visitor.answers('000000x')))
    }
  }
}

const forms = (target: Kit, told: Told, name: string) => wrongCodes(target, told, name, 1)

async function wrongPasswords(target: Kit, told: Told, name: string, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const visitor = await visit(target)
    const reply = await visitor.submits('identify', {
      identifier: name,
      credentials: { passcode: 'Summer2026!!' },
    })
    told.push(seen(reply))
  }
}

async function mails(target: Kit, told: Told, name: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 2) {
    const visitor = await visit(target)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: name })
    told.push(seen(await visitor.selects('okta_email')))
    told.push(seen(await visitor.submits('challenge/resend')))
  }
}

/** Every budget past its end, by both names of an account, and together with the others. */
const walks: Readonly<Record<string, { readonly limits?: Settings['limits']; readonly walk: Walk }>> = {
  'the codes of a day, by the username and then by the address': {
    limits: manyMails,
    async walk(target, [username, address], told) {
      await wrongCodes(target, told, username, 24)
      await wrongCodes(target, told, address, 24)
      await forms(target, told, username)
      await forms(target, told, address)
    },
  },
  'the codes of a day, in turns': {
    limits: manyMails,
    async walk(target, names, told) {
      for (let round = 0; round < 12; round++) await wrongCodes(target, told, names[round % 2] ?? '', 4)
      for (const name of names) await forms(target, told, name)
    },
  },
  'the codes until the next success, for five days': {
    limits: { ...manyMails, codesPerDay: 8, codesUntilSuccess: 20 },
    async walk(target, [username, address], told) {
      for (let day = 0; day < 5; day++) {
        await wrongCodes(target, told, username, 12)
        await forms(target, told, username)
        target.clock.advance('25h')
      }
      for (let day = 0; day < 2; day++) {
        await wrongCodes(target, told, address, 12)
        await forms(target, told, address)
        target.clock.advance('25h')
      }
    },
  },
  'the mails of ten minutes, by both names': {
    async walk(target, [username, address], told) {
      await mails(target, told, username, 8)
      await mails(target, told, address, 8)
      target.clock.advance('6m')
      await mails(target, told, username, 4)
      target.clock.advance('5m')
      await mails(target, told, address, 8)
      await mails(target, told, username, 8)
    },
  },
  'the passwords of an hour by both names, and then codes and mails': {
    async walk(target, [username, address], told) {
      await wrongPasswords(target, told, username, 24)
      await wrongPasswords(target, told, address, 24)
      await wrongCodes(target, told, address, 24)
      await mails(target, told, username, 8)
      target.clock.advance('2h')
      await wrongPasswords(target, told, username, 4)
      await forms(target, told, username)
    },
  },
  'the mails first, and then codes by the other name': {
    limits: { mailsPerRecipient: 8 },
    async walk(target, [username, address], told) {
      await mails(target, told, username, 10)
      await wrongCodes(target, told, address, 28)
      target.clock.advance('11m')
      await wrongCodes(target, told, username, 28)
      await forms(target, told, address)
    },
  },
  'the wrong answers of the installation, counted past the end of an account': {
    limits: { ...manyMails, sprayEverywhere: 58 },
    async walk(target, [username, address], told) {
      await wrongCodes(target, told, username, 24)
      await wrongPasswords(target, told, username, 12)
      await wrongPasswords(target, told, address, 12)
      // The form is long from the wrong answer on that brings the installation under attack.
      for (let round = 0; round < 14; round++) await forms(target, told, address)
    },
  },
  'the wrong answers of a source, counted past the end of an account': {
    limits: { ...manyMails, sprayPerAddressMinute: 6 },
    async walk(target, [username, address], told) {
      await wrongCodes(target, told, username, 24)
      await wrongPasswords(target, told, address, 24)
      await wrongCodes(target, told, address, 24)
    },
  },
  'the attempts before a lock': {
    async walk(target, [username, address], told) {
      await wrongPasswords(target, told, username, 12)
      await wrongPasswords(target, told, address, 12)
      await wrongCodes(target, told, address, 8)
    },
  },
}

async function told(names: Names, limits: Settings['limits'], walk: Walk, title: string): Promise<Told> {
  idp = await startTarget({
    ...(title.includes('lock') && { policy: { password: { lockout: { maxAttempts: 6 } } } }),
    settings: { limits: { ...limits } },
  })
  await idp.people.add(ada)
  const lines: Told = []
  await walk(idp, names, lines)
  await idp.close()
  idp = undefined
  return lines
}

describe('two names of one account, and two of none', () => {
  test.each(Object.entries(walks))('A52: read the same: %s', async (title, { limits, walk }) => {
    const lines = await told(known, limits, walk, title)
    expect(await told(unknown, limits, walk, title)).toEqual(lines)
    expect(lines.join()).toMatch(title.includes('lock') ? /E0000004/ : /429|\[10/)
  })
})

describe('a right answer that a spent budget makes wrong', () => {
  test('A52: is counted for its source like a wrong one, so that counting does not find it', async () => {
    const statuses = async (guesses: readonly string[]) => {
      idp = await startTarget({ settings: { limits: { sprayPerAddressMinute: 30 } } })
      await idp.people.add(ada)
      const from = (address: string) => visit(idp as Kit, { headers: { 'x-forwarded-for': address } })
      const guess = async (address: string, passcode: string) => {
        const visitor = await from(address)
        return visitor.submits('identify', { identifier: ada.login, credentials: { passcode } })
      }
      // Strangers use up what they may.
      for (let index = 0; index < 30; index++) await guess(`203.0.113.${index % 6}`, 'Summer2026!!')
      const replies = []
      for (const passcode of guesses) replies.push((await guess('192.0.2.77', passcode)).status)
      for (let index = 0; index < 31; index++) {
        const visitor = await from('192.0.2.77')
        const wrong = { identifier: `other${index}@example.com`, credentials: { passcode: 'Summer2026!!' } }
        replies.push((await visitor.submits('identify', wrong)).status)
      }
      await idp.close()
      idp = undefined
      return replies
    }
    const wrong = await statuses(['one wrong one', 'another wrong one', 'a third wrong one'])
    expect(await statuses(['one wrong one', ada.password, 'a third wrong one'])).toEqual(wrong)
    expect(wrong.indexOf(429)).toBe(30)
  })

  test('A52: the owner with a long code is not counted, and gets in', async () => {
    idp = await startTarget({ settings: { limits: manyMails } })
    await idp.people.add(ada)
    const lines: Told = []
    await wrongCodes(idp, lines, ada.login, 24)
    // Mails that are delivered side by side arrive in any order: the earlier ones come first.
    await idp.engine.delivery.idle()
    // By her address the form is short, and the mail carries a long code.
    const visitor = await visit(idp)
    await visitor.submits('recover')
    await visitor.submits('identify', { identifier: ada.email })
    expect(seen(await visitor.selects('okta_email'))).not.toContain('[10')
    const { code } = await mailTo(idp, ada.email)
    expect(code).toHaveLength(10)
    await visitor.answers(code)
    expect((await visitor.answers('Lighthouse-Biscuit-77')).interactionCode).toBeDefined()
  })
})
