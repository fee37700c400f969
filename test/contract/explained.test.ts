import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authenticatorsWith } from '../../src/authenticators/index.ts'
import { errorCodes, isoTime } from '../../src/base/index.ts'
import {
  explain,
  explainStray,
  type FlowFacts,
  plain,
  type Recorded,
} from '../../src/devtools/inspector/index.ts'
import { messages } from '../../src/idx/wire/messages.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { accountApi, accountVisitor, grantAccount, tokenIn } from '../support/account.ts'
import { apiOf } from '../support/management.ts'
import { enrollmentPolicy } from '../wire/totp.ts'

// What `rekey dev` says of a refusal (`/flows`): each message and each code has words of its own there.

const noon = Date.parse('2030-01-01T12:00:00Z')

const exchange = (more: Partial<Recorded>): Recorded => ({
  ...{
    id: 'exc1',
    times: 1,
    at: noon,
    durationMs: 1,
    endpoint: 'idx',
    method: 'POST',
    sent: {},
    offered: [],
  },
  ...{
    path: '/idp/idx/challenge/answer',
    status: 400,
    messages: [],
    stageBefore: 'verify',
    stageAfter: 'verify',
  },
  ...more,
})

const factsOf = (last: Recorded): FlowFacts => ({
  timeline: {
    ...{
      id: 'txn1',
      createdAt: isoTime(noon),
      updatedAt: isoTime(noon),
      expiresAt: isoTime(noon + 3_600_000),
    },
    ...{ intent: 'sign-in', stage: 'verify', closed: null, identifier: null, clientId: 'web', userId: null },
    ...{ events: [], waiting: [], stepsTaken: [] },
  } as unknown as FlowFacts['timeline'],
  ...{ exchanges: [last], moves: [], personStatus: undefined, codeLifetimeMs: 300_000, now: noon + 1000 },
})

const hasher = createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 1 })
const ofAuthenticators = [...authenticatorsWith(hasher).values()].flatMap((one) =>
  Object.entries(one.messages ?? {}),
)
/** Pages that say what has become of a link: no answer to a form is refused with them. */
const ofPages = ['idx.return.error', 'idx.expired.activation.token']
const errors = [...Object.entries(messages), ...ofAuthenticators]
  .filter(([key, entry]) => entry.class === 'ERROR' && !ofPages.includes(key))
  .map(([key]) => key)

test('a refusal of the protocol is explained, whatever its message is', () => {
  expect(errors.length).toBeGreaterThan(40)
  const unexplained = errors.filter((key) => {
    const { cause } = explain(factsOf(exchange({ messages: [key] })))
    return cause === 'engine-failed' || cause === 'waiting'
  })
  expect(unexplained).toEqual([])
})

test.each(Object.entries(errorCodes))(
  'a call of an API that is refused with %s is explained',
  (code, error) => {
    const path = '/api/v1/users/:id'
    const { cause, sentence, advice } = explainStray({
      exchange: exchange({ endpoint: 'api', path, status: error.status, messages: [code] }),
      client: undefined,
    })
    const summary = error.summary.replace(/\.$/, '')
    if (code === 'E0000009') return expect(cause).toBe('failure-asked-for')
    expect(plain(sentence)).toBe(
      `POST ${path} was refused at 12:00 UTC (${error.status} ${code}): ${summary}.`,
    )
    expect(advice).toMatch(/^[^`\]]{20,}$/)
  },
)

describe('in an engine', () => {
  let idp: Kit
  beforeAll(async () => {
    idp = await startEngine()
  })
  afterAll(() => idp.close())

  /** What the inspector shows of the newest refusal: the cause, the sentence, the advice. */
  async function newest(): Promise<string> {
    const page = async (path: string) => (await fetch(`${idp.controlUrl}${path}`)).text()
    const [, id] = /data-id="(exc\d+)"/.exec(await page('/flows')) ?? []
    const [, shown = ''] =
      /<p class="verdict-text">([\s\S]*?)<\/section>/.exec(await page(`/flows/${id}`)) ?? []
    return shown.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
  }

  test('the eleventh phone that waits, and a change that cannot be carried out, are explained by their own sentences', async () => {
    await grantAccount(idp)
    await enrollmentPolicy(idp, { phone_number: 'OPTIONAL' })
    const visitor = accountVisitor(idp)
    await visitor.begins()
    await visitor.signsIn(idp.person.login, idp.person.password)
    if (visitor.remediations.includes('skip')) await visitor.submits('skip')
    const own = accountApi(idp, await tokenIn(visitor))
    let status = 0
    for (let index = 0; index < 11; index++) {
      const profile = { phoneNumber: `+1202456${1000 + index}` }
      ;({ status } = await own('POST', '/phones', { profile, sendCode: false }))
    }
    expect(status).toBe(429)
    const phones = await newest()
    expect(phones).toMatch(
      /^POST \/idp\/myaccount\/phones was refused at .* \(429 E0000047\): The account has 10 phones/,
    )
    expect(phones).not.toContain('+1202')

    const email = { profile: { email: 'new@example.com' }, sendEmail: true }
    expect((await own('POST', '/emails', email)).status).toBe(201)
    const api = apiOf(idp)
    const [person] = await idp.people.list(idp.person.login)
    const changes = await api('GET', `/users/${person?.id}/account-changes`)
    const id = changes.list[0]?.id
    const refused = await api('POST', `/users/${person?.id}/account-changes/${id}/lifecycle/carry_out`, {})
    expect(refused.status).toBe(409)
    expect(await newest()).toMatch(
      /^POST \S+carry_out was refused at .* \(409 E0000157\): .*confirm.*errorCauses/,
    )
  })

  test('something that is looked for and is not there is no refusal', async () => {
    await apiOf(idp)('POST', '/users/nobody/lifecycle/unlock', {})
    const before = await newest()
    expect(before).toContain('E0000007')
    expect((await apiOf(idp)('GET', '/users/00uelsewhere')).status).toBe(404)
    expect(await newest()).toBe(before)
  })
})
