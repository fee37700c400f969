import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemRandom } from '../../src/base/index.ts'
import { findEnrollments, putEnrollment } from '../../src/directory/index.ts'
import { createHasher, insecureFastHash } from '../../src/passwords/index.ts'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { apiOf } from '../support/management.ts'
import { enrollmentPolicy } from './totp.ts'
import { type Answer, type Json, newVisitor, type Visitor } from './visitor.ts'

// This file runs on SQLite, and in `npm run test:pg` on PostgreSQL.
let idp: Kit
beforeAll(async () => {
  idp = await startEngine()
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const key = 'security_question'
const wrong = 'errors.E0000087'
const partOf = ({ body }: Answer, name: string) => (body[name] as { value: Json } | undefined)?.value
const keyOf = ({ body }: Answer) => /"i18n":\{"key":"([\w.]+)"/.exec(JSON.stringify(body))?.[1]
const answers = (visitor: Visitor, credentials: Json) => visitor.submits('challenge/answer', { credentials })

async function atTheEnrolment(visitor = newVisitor(idp)): Promise<Visitor> {
  await enrollmentPolicy(idp, { [key]: 'REQUIRED' })
  await visitor.begins()
  await visitor.signsIn(idp.person.login, idp.person.password)
  await visitor.enrolls(key)
  return visitor
}

/** A recovery of a user who has a question, which asks it after the mailed code. */
async function atTheQuestion(): Promise<Visitor> {
  await enrollmentPolicy(idp, { [key]: 'OPTIONAL' })
  const visitor = newVisitor(idp)
  await visitor.atTheCode()
  await visitor.answers((await visitor.mail()).code)
  await visitor.selects(key)
  return visitor
}

async function stored(): Promise<Json | undefined> {
  const { db } = idp.engine.storage
  const found = await findEnrollments(db, await personId())
  return found.find(({ authenticator }) => authenticator === key)?.data as Json | undefined
}
const personId = async () => (await apiOf(idp)('GET', `/users/${idp.person.login}`)).body.id as string
const setByApi = async (recovery_question: Json): Promise<void> => {
  const { status } = await apiOf(idp)('POST', `/users/${idp.person.login}`, {
    credentials: { recovery_question },
  })
  expect(status).toBe(200)
}

describe('an enrolment', () => {
  test('takes a question of the list, and signs in with it', async () => {
    const visitor = await atTheEnrolment()
    const done = await answers(visitor, { questionKey: 'disliked_food', answer: 'Brussels sprouts' })
    expect(done.interactionCode).toBeDefined()
    expect(await stored()).toEqual({
      questionKey: 'disliked_food',
      question: 'What is the food you least liked as a child?',
      hash: expect.stringMatching(/^\$argon2id\$/),
      form: 2,
    })
    // Okta's API shows the question, and never the answer.
    const { body } = await apiOf(idp)('GET', `/users/${idp.person.login}`)
    expect(body.credentials).toMatchObject({
      recovery_question: { question: 'What is the food you least liked as a child?' },
    })
  })

  test.each([
    ['by its key', { questionKey: 'custom' }],
    ['beside another key, as apps send all fields', { questionKey: 'disliked_food' }],
    ['without a key', {}],
  ])('takes a question of the user’s own, %s', async (_, more) => {
    const visitor = await atTheEnrolment()
    const done = await answers(visitor, { ...more, question: ' Whose cat was it? ', answer: 'Felix' })
    expect(done.interactionCode).toBeDefined()
    expect(await stored()).toMatchObject({ questionKey: 'custom', question: 'Whose cat was it?' })
  })

  test('ignores an empty text beside a key', async () => {
    const visitor = await atTheEnrolment()
    await answers(visitor, { questionKey: 'disliked_food', question: '', answer: 'Felix' })
    expect(await stored()).toMatchObject({ questionKey: 'disliked_food' })
  })

  const own = { questionKey: 'custom', question: 'Whose kettle was it?' }
  test.each([
    [
      'an answer of three characters',
      { questionKey: 'disliked_food', answer: 'tea' },
      'securityQuestion.answer.tooShort.arg',
    ],
    [
      'three characters among white space',
      { ...own, answer: ' t e\u3000' },
      'securityQuestion.answer.tooShort.arg',
    ],
    ['an answer of 101', { ...own, answer: 'x'.repeat(101) }, 'securityQuestion.answer.tooLong.arg'],
    ['an answer out of the question', { ...own, answer: 'KETTLE' }, 'securityQuestion.answer.inQuestion'],
    ['the username', { ...own, answer: ' MARY@example.com' }, 'securityQuestion.answer.inUsername'],
    ['a part of it', { ...own, answer: 'Mary' }, 'securityQuestion.answer.inUsername'],
    ['an empty answer', { questionKey: 'disliked_food', answer: '  ' }, 'model.validation.field.blank'],
    ['no answer', { questionKey: 'disliked_food' }, 'model.validation.field.blank'],
    [
      'an answer that is no text',
      { questionKey: 'disliked_food', answer: ['Felix'] },
      'model.validation.field.blank',
    ],
    ['no question', { answer: 'Felix' }, 'model.validation.field.blank'],
    [
      'an empty question',
      { questionKey: 'custom', question: '', answer: 'Felix' },
      'model.validation.field.blank',
    ],
    ['an unknown key', { questionKey: 'constructor', answer: 'Felix' }, 'E0000020'],
    ['markup', { questionKey: 'custom', question: '<b>Cat?</b>', answer: 'Felix' }, 'tagsNotAllowed'],
    [
      'nothing to read',
      { questionKey: 'custom', question: '\u200b?', answer: 'Felix' },
      'securityQuestion.question.unreadable',
    ],
    [
      'a question of 256',
      { questionKey: 'custom', question: 'x'.repeat(256), answer: 'Felix' },
      'securityQuestion.question.tooLong.arg',
    ],
  ])('refuses %s, however often, and stores nothing', async (_, credentials, message) => {
    const visitor = await atTheEnrolment()
    for (let time = 1; time <= 6; time++) {
      const refused = await answers(visitor, credentials)
      expect([refused.status, keyOf(refused)]).toEqual([400, message])
    }
    expect(await stored()).toBeUndefined()
  })
})

// R-F5: by one function at both ends, whichever way it was set.
describe.each([
  [
    'at a sign-in',
    async (answer: string): Promise<void> =>
      void (await answers(await atTheEnrolment(), { questionKey: 'favorite_vacation_location', answer })),
  ],
  [
    'over the management API',
    (answer: string) => setByApi({ question: 'Where did you go for your favorite vacation?', answer }),
  ],
  ['by an export of an earlier version', earlierVersion],
] as const)('an answer that was set %s', (_, set) => {
  test.each([
    ['Île-de-France ', 'ÎLE-DE-FRANCE'],
    ['Île-de-France ', 'île-de-france'.normalize('NFD')],
    ['İstanbul', 'istanbul'],
    ['İstanbul', 'İSTANBUL'],
    ['New York', '　Ｎｅｗ　Ｙｏｒｋ'],
  ])('%j is answered by %j', async (answer, given) => {
    await set(answer)
    const visitor = await atTheQuestion()
    expect(partOf(visitor.response, 'currentAuthenticatorEnrollment')).toMatchObject({
      profile: { questionKey: 'favorite_vacation_location' },
      contextualData: { enrolledQuestion: { questionKey: 'favorite_vacation_location' } },
    })
    const refused = await answers(visitor, { answer: 'Madrid' })
    expect([refused.status, keyOf(refused)]).toEqual([401, wrong])
    const right = await answers(visitor, { questionKey: 'favorite_vacation_location', answer: given })
    expect(visitor.remediations, JSON.stringify(right.body)).toEqual(['reset-authenticator'])
    // From now on in today's form.
    expect(await stored()).toMatchObject({ form: 2, questionKey: 'favorite_vacation_location' })
  })
})

/** As versions stored it that did not ask it: without a key, and the answer in a form that changed less. */
async function earlierVersion(answer: string): Promise<void> {
  const hasher = createHasher({ parameters: insecureFastHash, concurrency: 1, queue: 4 })
  const hash = await hasher.hash(answer.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim())
  const data = { question: 'Where did you go for your favorite vacation?', hash }
  await putEnrollment(
    idp.engine.storage.db,
    { personId: await personId(), authenticator: key, prefix: 'qae', method: key, data },
    { random: systemRandom, now: idp.clock.now() },
  )
}

test('a question that was set over the management API is shown in its own words', async () => {
  await setByApi({ question: 'Whose cat was it?', answer: 'Felix' })
  const visitor = await atTheQuestion()
  expect(partOf(visitor.response, 'currentAuthenticatorEnrollment')).toMatchObject({
    profile: { questionKey: 'custom', question: 'Whose cat was it?' },
  })
  expect(JSON.stringify(visitor.response.body)).toContain('"label":"Whose cat was it?"')
  await answers(visitor, { answer: 'felix' })
  expect(visitor.remediations).toEqual(['reset-authenticator'])
})

test('an answer over the management API must not be a part of the username either', async () => {
  const recovery_question = { question: 'Whose cat was it?', answer: 'Mary' }
  const refused = await apiOf(idp)('POST', `/users/${idp.person.login}`, {
    credentials: { recovery_question },
  })
  expect(refused.text).toContain('recovery_question.answer: must not be part of the username')
})

test('it is knowledge: beside a password no second factor', async () => {
  const visitor = await atTheEnrolment()
  const done = await answers(visitor, { questionKey: 'disliked_food', answer: 'Felix' })
  const { body } = await visitor.redeems(done.interactionCode)
  const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString())
  expect(claims.amr).toEqual(['pwd', 'kba'])
})
