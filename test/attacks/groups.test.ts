import { expect, onTestFinished, test, vi } from 'vitest'
import { findMember } from '../../src/directory/index.ts'
import { isCached, spyOnStatements } from '../contract/statements.ts'
import { atTheCode, atTheReset, manyMails, newPassword, startTarget } from '../support/attacks.ts'
import { apiOf } from '../support/management.ts'
import { onEachDatabase } from '../support/postgres.ts'

/** Takes note of how many rows each statement of a request answers, by the beginning of its text, in their order. */
function noteRows(kind: 'sqlite' | 'postgres'): () => Promise<readonly string[]> {
  const noted: Promise<string>[] = []
  spyOnStatements(kind, (sent) => {
    const { text, request, rows } = sent
    if (request === undefined || isCached(sent) || !/^\s*(select|with)/i.test(text)) return
    noted.push(rows.then((count) => `${text.trim().replace(/\s+/g, ' ').slice(0, 60)}: ${count}`))
  })
  return () => Promise.all(noted)
}

onEachDatabase('a user of a hundred groups', (database) => {
  test('A02: is read in as few rows as a user of none, and has the policies of the groups', async () => {
    const { url, drop } = await database.create()
    const idp = await startTarget({ database: url, settings: { limits: manyMails } })
    onTestFinished(async () => {
      vi.restoreAllMocks()
      await idp.close()
      await drop()
    })
    const api = apiOf(idp)
    const { db } = idp.engine.storage
    const password = 'Marmalade-Harbour-31'
    const add = async (login: string) => (await idp.people.add({ login, password })).id
    const many = await add('many@example.com')
    const few = await add('none@example.com')
    const groups: string[] = []
    for (let n = 0; n < 100; n++) {
      const { id } = (await api('POST', '/groups', { profile: { name: `Group ${n}` } })).body
      groups.push(id)
      expect((await api('PUT', `/groups/${id}/users/${many}`)).status).toBe(204)
    }
    const member = await findMember(db, many)
    expect(member.groupIds).toHaveLength(101)
    expect(member.groupIds).toEqual(expect.arrayContaining(groups))
    const policy = await api('POST', '/policies', {
      type: 'PASSWORD',
      name: 'Long',
      conditions: { people: { groups: { include: [groups[57]] } } },
      settings: { password: { complexity: { minLength: 30 } } },
    })
    const rule = {
      type: 'PASSWORD',
      name: 'By mail',
      actions: {
        selfServicePasswordReset: {
          access: 'ALLOW',
          requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
        },
      },
    }
    expect((await api('POST', `/policies/${policy.body.id}/rules`, rule)).status).toBe(200)

    const rowsOf = async (identifier: string) => {
      const noted = noteRows(database.name)
      const visitor = await atTheCode(idp, identifier)
      await visitor.answers('000000x')
      await visitor.submits('challenge/poll')
      vi.restoreAllMocks()
      await idp.engine.delivery.idle()
      return noted()
    }
    // What was cached is there from the first visit on.
    await rowsOf('mary@example.com')
    const ofFew = await rowsOf('none@example.com')
    expect(ofFew.length).toBeGreaterThan(10)
    // How many rows the counter of all wrong answers has depends on its earlier users, as it is spread over several.
    const ofVisit = (lines: readonly string[]) =>
      lines.map((line) => (line.includes('from budgets') ? line.replace(/: \d+$/, '') : line))
    expect(ofVisit(await rowsOf('many@example.com'))).toEqual(ofVisit(ofFew))
    expect(ofVisit(await rowsOf('nobody@example.com'))).toEqual(ofVisit(ofFew))

    const short = await (await atTheReset(idp, 'many@example.com')).answers(newPassword)
    expect([short.status, short.interactionCode]).toEqual([400, undefined])
    expect(short.messages).toContain('password.passwordRequirementsNotMet')
    expect(
      (await (await atTheReset(idp, 'none@example.com')).answers(newPassword)).interactionCode,
    ).toBeDefined()
    // Out of the one group, the policy of all applies again.
    expect((await api('DELETE', `/groups/${groups[57]}/users/${many}`)).status).toBe(204)
    expect((await findMember(db, many)).groupIds).toHaveLength(100)
    expect(
      (await (await atTheReset(idp, 'many@example.com')).answers(newPassword)).interactionCode,
    ).toBeDefined()
    expect((await findMember(db, few)).groupIds).toHaveLength(1)
  })
})
