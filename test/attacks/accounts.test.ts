import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { noticeTemplates } from '../../src/delivery/index.ts'
import type { PersonStatus } from '../../src/directory/index.ts'
import type { Answer, Kit } from '../../src/testing/index.ts'
import {
  atTheCode,
  atTheReset,
  mailTo,
  manyMails,
  newPassword,
  startTarget,
  visit,
} from '../support/attacks.ts'

const login = 'ada'
const oldMailbox = 'ada@old.example'
const newMailbox = 'ada@new.example'
const password = 'Marmalade-Harbour-31'
const set = 'Set-By-The-Administrator-9'
let idp: Kit
let id: string
beforeAll(async () => {
  idp = await startTarget({ settings: { limits: manyMails } })
})
beforeEach(async () => {
  await idp.reset()
  id = (await idp.people.add({ login, email: oldMailbox, password })).id
})
afterAll(() => idp.close())

const isThrough = ({ remediations }: Answer): boolean => remediations[0] === 'reset-authenticator'
const signIn = async (passcode: string) =>
  (await (await visit(idp)).submits('identify', { identifier: login, credentials: { passcode } }))
    .interactionCode

/** A recovery under her login, up to the code, and what was mailed where. */
async function recovering() {
  const visitor = await visit(idp)
  await visitor.submits('recover')
  await visitor.submits('identify', { identifier: login })
  await visitor.selects('okta_email')
  return visitor
}

/** The mails besides the notices of what was changed: those that have a code. */
const codeMails = () =>
  idp.outbox.all().filter(({ template }) => !noticeTemplates.some((notice) => notice === template))

describe('an address that changes in the middle', () => {
  test('A38: the mail came first: its code and link are worth nothing after the change', async () => {
    const visitor = await recovering()
    const mail = await mailTo(idp, oldMailbox)
    await idp.people.update(id, { email: newMailbox })

    expect((await visitor.answers(mail.code)).status).toBe(401)
    const opened = await fetch(mail.link ?? '', { redirect: 'manual' })
    expect([opened.status, await opened.text()]).toEqual([200, expect.not.stringContaining(mail.code ?? '')])
    expect(await signIn(password)).toBeDefined()
  })

  test('A38: the mailbox was proven first: it sets no password after the change', async () => {
    const visitor = await recovering()
    const proven = await visitor.answers((await mailTo(idp, oldMailbox)).code)
    expect(isThrough(proven)).toBe(true)
    await idp.people.update(id, { email: newMailbox })

    expect((await visitor.answers(newPassword)).status).toBe(401)
    expect(await signIn(newPassword)).toBeUndefined()
    expect(await signIn(password)).toBeDefined()
  })

  test('A38: the change came first: the mail goes to the new mailbox, and the old name belongs to no user', async () => {
    const early = await visit(idp)
    await early.submits('recover')
    await early.submits('identify', { identifier: login })
    await idp.people.update(id, { email: newMailbox })

    // It goes on as that of an unknown user (A86), and mails to no address.
    expect((await early.selects('okta_email')).status).toBe(200)
    await recovering()
    await atTheCode(idp, oldMailbox)
    await idp.engine.delivery.idle()
    expect(codeMails().map(({ to }) => to)).toEqual([newMailbox])
  })

  test('A38: a mail that still waits is not worth anything when it arrives', async () => {
    // The address changes between the commit that queued the mail and its delivery.
    const visitor = await recovering()
    await idp.people.update(id, { email: newMailbox })
    await idp.engine.delivery.idle()
    for (const { code } of codeMails()) expect((await visitor.answers(code)).status).toBe(401)
    expect(await signIn(password)).toBeDefined()
  })

  test('A38: a change of the name alone keeps a recovery going', async () => {
    const visitor = await recovering()
    await idp.people.update(id, { firstName: 'Augusta' })
    expect(isThrough(await visitor.answers((await mailTo(idp, oldMailbox)).code))).toBe(true)
  })
})

describe('a status that changes in the middle', () => {
  const changes: readonly (readonly [
    name: string,
    change: () => Promise<unknown>,
    good: string | undefined,
  ])[] = [
    ...(['SUSPENDED', 'DEPROVISIONED', 'LOCKED_OUT', 'STAGED'] as const).map(
      (status) => [status, () => idp.people.update(id, { status }), undefined] as const,
    ),
    ['given a password by an administrator', () => idp.people.update(id, { password: set }), set],
    ['removed', () => idp.people.remove(id), undefined],
  ]
  const points = {
    'after the name': async () => {
      const visitor = await visit(idp)
      await visitor.submits('recover')
      await visitor.submits('identify', { identifier: login })
      return { next: () => visitor.selects('okta_email') }
    },
    'after the mail': async () => {
      const visitor = await recovering()
      const { code } = await mailTo(idp, oldMailbox)
      return { next: () => visitor.answers(code) }
    },
    'after the proof': async () => {
      const visitor = await recovering()
      await visitor.answers((await mailTo(idp, oldMailbox)).code)
      return { next: () => visitor.answers(newPassword) }
    },
    'after the grant': async () => {
      const visitor = await recovering()
      await visitor.answers((await mailTo(idp, oldMailbox)).code)
      const code = (await visitor.answers(newPassword)).interactionCode ?? ''
      return { next: () => visitor.redeems(code) }
    },
  } as const

  test.each(changes.flatMap(([name]) => Object.keys(points).map((point) => [name, point] as const)))(
    'A39: a user who is %s %s gets no further',
    async (name, point) => {
      const [, change, good] = changes.find(([other]) => other === name) ?? []
      const { next } = await points[point as keyof typeof points]()
      await idp.engine.delivery.idle()
      const before = codeMails().length
      await change?.()

      const reply = await next()
      await idp.engine.delivery.idle()
      // Before a proof it goes on as that of an unknown user (A86): the choice is taken, and mails to no address.
      expect(point === 'after the name' ? [200] : [400, 401]).toContain(reply.status)
      expect(codeMails()).toHaveLength(before)
      expect(reply.interactionCode !== undefined).toBe(false)
      expect([reply.interactionCode, reply.body.access_token]).toEqual([undefined, undefined])
      expect(await signIn(newPassword)).toBeUndefined()
      if (good !== undefined) expect(await signIn(good)).toBeDefined()
    },
  )

  /** As another program with the same database would: nothing ends her transactions, the next step must look itself. */
  const behindTheBack = (status: PersonStatus) =>
    idp.engine.storage.db.updateTable('people').set({ status }).where('id', '=', id).execute()

  test.each(['SUSPENDED', 'DEPROVISIONED', 'STAGED'] as const)(
    'A39: each step reads the status again: %s set in the database alone stops the proof and the reset',
    async (status) => {
      const early = await recovering()
      const { code } = await mailTo(idp, oldMailbox)
      const late = await recovering()
      await late.answers((await mailTo(idp, oldMailbox)).code)
      await behindTheBack(status)

      for (const reply of [await early.answers(code), await late.answers(newPassword)]) {
        expect([reply.status, ...reply.messages]).toEqual([403, 'oie.selfservice.reset.password.not.allowed'])
      }
      await behindTheBack('ACTIVE')
      expect(await signIn(newPassword)).toBeUndefined()
      expect(await signIn(password)).toBeDefined()
    },
  )

  test('A39: nor does a recovery that ends without a sign-in set a password for a suspended user', async () => {
    const own = await startTarget({ settings: { recovery: { signIn: false } } })
    const visitor = await atTheReset(own, 'mary@example.com')
    await own.engine.storage.db.updateTable('people').set({ status: 'SUSPENDED' }).execute()
    const refused = await visitor.answers(newPassword)
    await own.engine.storage.db.updateTable('people').set({ status: 'ACTIVE' }).execute()

    expect([refused.status, ...refused.messages]).toEqual([403, 'oie.selfservice.reset.password.not.allowed'])
    const next = await visit(own)
    const credentials = { passcode: own.person.password }
    expect(
      (await next.submits('identify', { identifier: 'mary@example.com', credentials })).interactionCode,
    ).toBeDefined()
    await own.close()
  })

  test('A39: tokens of a user who is suspended are refused at once', async () => {
    const visitor = await visit(idp)
    const done = await visitor.submits('identify', { identifier: login, credentials: { passcode: password } })
    const { body: tokens } = await visitor.redeems(done.interactionCode ?? '')
    await behindTheBack('SUSPENDED')
    const userinfo = await fetch(`${idp.issuer}/v1/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(userinfo.status).toBe(401)
  })

  test('A39: a reset and a suspension at the same moment leave no active thief', async () => {
    for (let round = 0; round < 10; round++) {
      const visitor = await atTheReset(idp, oldMailbox)
      const [reply] = await Promise.all([
        visitor.answers(`Lighthouse Biscuit ${round}`),
        idp.people.update(id, { status: 'SUSPENDED' }),
      ])
      const { status } = (await idp.people.update(id, {})) ?? {}
      expect(status).toBe('SUSPENDED')
      const code = reply.interactionCode
      if (code !== undefined) expect((await visitor.redeems(code)).status).toBe(400)
      await idp.people.update(id, { status: 'ACTIVE' })
    }
  })
})
