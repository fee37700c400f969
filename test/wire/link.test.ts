import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { newVisitor, type VisitorOptions, wrong } from './visitor.ts'

const client = {
  applicationType: 'web',
  secret: 'a secret of sixteen characters',
  redirectUris: ['http://localhost:8080/callback'],
  postLogoutRedirectUris: [],
} as const
const own = { ...client, id: 'own-address', label: 'Own address' }
const none = { ...client, id: 'no-address', label: 'No & address' }

let idp: Kit
beforeAll(async () => {
  idp = await startEngine({
    clients: [
      {
        ...own,
        redirectUris: [...own.redirectUris],
        postLogoutRedirectUris: [],
        emailMagicLinkRedirectUri: 'http://localhost:8080/mail?from=link',
      },
      {
        ...none,
        redirectUris: [...none.redirectUris],
        postLogoutRedirectUris: [],
        emailMagicLinkRedirectUri: null,
      },
    ],
  })
})
beforeEach(() => idp.reset())
afterAll(() => idp.close())

const browser =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

async function mailed(options: VisitorOptions = {}) {
  const visitor = newVisitor(idp, options)
  await visitor.atTheCode()
  const mail = await visitor.mail()
  return { visitor, code: mail.code ?? '', link: mail.link ?? '', mail }
}

async function opened(link: string, options: RequestInit = {}) {
  const response = await fetch(link, { redirect: 'manual', ...options })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const callback = 'http://localhost:8080/callback'
const asOwn: VisitorOptions = { client: { ...own, redirectUri: callback } }
const asNone: VisitorOptions = {
  client: { ...none, redirectUri: callback },
  headers: { 'user-agent': browser },
}

describe('a link that is alive', () => {
  test('leads to where the app takes people back, with the code and the state', async () => {
    const { link, code } = await mailed()

    const { status, headers, text } = await opened(link)

    expect(status).toBe(302)
    expect(headers.get('location')).toBe(`${idp.redirectUri}?otp=${code}&state=the+state+of+the+app`)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(text).toBe('')
  })

  test("leads to the client's own address for links where it has one", async () => {
    const { link, code } = await mailed(asOwn)

    const { headers } = await opened(link)

    expect(headers.get('location')).toBe(
      `http://localhost:8080/mail?from=link&otp=${code}&state=the+state+of+the+app`,
    )
  })

  test('shows the code, and who asked for it, where the client has none', async () => {
    const { link, code } = await mailed(asNone)

    const { status, headers, text } = await opened(link)

    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(text).toContain(`>${code}<`)
    for (const fact of ['No &amp; address', 'Chrome 140', 'Linux', '127.0.0.1']) expect(text).toContain(fact)
    expect(text).not.toMatch(/<(script|form|img|iframe)\b|style=/)
  })

  test('is not spent by opening it: scanners look, then the person uses it', async () => {
    const { visitor, link, code } = await mailed()
    const first = await opened(link)
    for (let look = 0; look < 20; look++) {
      const { status, headers } = await opened(link, { method: look % 2 ? 'GET' : 'HEAD' })
      expect([status, headers.get('location')]).toEqual([302, first.headers.get('location')])
    }

    const { body } = await visitor.answers(code)

    expect(JSON.stringify(body)).toContain('"reset-authenticator"')
    expect(idp.outbox.to(idp.person.login)).toHaveLength(1)
  })

  test('of a sign-in says so on its page', async () => {
    const strict = await startEngine({
      settings: { signOn: { factors: '2FA' } },
      clients: [
        {
          ...none,
          redirectUris: [...none.redirectUris],
          postLogoutRedirectUris: [],
          emailMagicLinkRedirectUri: null,
        },
      ],
    })
    const visitor = newVisitor(strict, asNone)
    await visitor.begins()
    await visitor.signsIn(strict.person.login, strict.person.password)
    await visitor.selects('okta_email')
    const mail = await visitor.mail(strict.person.login)

    const { text } = await opened(mail.link ?? '')

    expect(mail.template).toBe('EmailChallenge')
    expect(text).toMatch(/sign-in|sign in/i)
    expect(text).not.toMatch(/reset/i)
    await strict.close()
  })
})

describe('a link that is dead', () => {
  const page = { status: 200, type: 'text/html; charset=utf-8' }
  const dead: readonly {
    readonly name: string
    readonly says: RegExp
    readonly link: () => Promise<string>
  }[] = [
    {
      name: 'is out of date once another mail was sent',
      says: /out of date/,
      async link() {
        const { visitor, link } = await mailed()
        await visitor.submits('challenge/resend')
        return link
      },
    },
    {
      name: 'has expired with its code',
      says: /expired/,
      async link() {
        const { link } = await mailed()
        idp.clock.advance('5m')
        return link
      },
    },
    {
      name: 'is worth nothing once its code was used',
      says: /could not/i,
      async link() {
        const { visitor, link, code } = await mailed()
        await visitor.answers(code)
        return link
      },
    },
    {
      name: 'is worth nothing once its conversation was cancelled',
      says: /could not/i,
      async link() {
        const { visitor, link } = await mailed()
        await visitor.cancels()
        return link
      },
    },
    {
      name: 'is worth nothing once its conversation was locked',
      says: /could not/i,
      async link() {
        const { visitor, link, code } = await mailed()
        for (let guess = 0; guess < 5; guess++) await visitor.answers(wrong(code))
        return link
      },
    },
    {
      name: 'is worth nothing once another recovery of hers has succeeded',
      says: /could not/i,
      async link() {
        const { link, mail } = await mailed()
        const other = newVisitor(idp)
        await other.atTheCode()
        const second = await idp.outbox.waitFor({ to: idp.person.login, after: mail.id })
        await other.answers(second.code)
        await other.answers('Lighthouse-Biscuit-77')
        return link
      },
    },
    {
      name: 'is worth nothing at another client',
      says: /could not/i,
      link: async () => (await mailed()).link.replace(idp.clientId, idp.publicClientId),
    },
    {
      name: 'is worth nothing with another token of the same conversation',
      says: /out of date/,
      link: async () => `${(await mailed()).link.slice(0, -4)}0000`,
    },
  ]

  test.each(dead)('$name', async ({ link, says }) => {
    const address = await link()
    const { status, headers, text } = await opened(address)

    expect({ status, type: headers.get('content-type') }).toEqual(page)
    expect(headers.get('location')).toBeNull()
    expect(text).toMatch(says)
    expect(text).not.toMatch(/\b\d{6}\b/)
    // A page of this engine, with what is wrong, the way back and a name for the id of the error (N-m33).
    expect(text).toContain('<strong>Rekey</strong>')
    expect(text).toContain('<h1>This link does not work</h1>')
    expect(text).toMatch(/If you report this, give the reference oae[\w-]+\./)
    const back = /<a href="([^"]+)">Go to ([^<]+)</.exec(text)?.slice(1)
    expect([undefined, 'http://localhost:8080|Sample Web App']).toContain(back?.join('|'))
    if (address.includes(`/${idp.clientId}?`)) expect(back).toBeDefined()
  })

  test('of a client for development leads to where its transaction began', async () => {
    const redirectUri = 'http://localhost:4321/cb'
    const { visitor, link, code } = await mailed({ client: { id: idp.publicClientId, redirectUri } })
    for (let guess = 0; guess < 5; guess++) await visitor.answers(wrong(code))
    const { text } = await opened(link)

    expect(text).toContain('or the attempt it belongs to is over')
    expect(text).toContain('<a href="http://localhost:4321">Go to ')
    const never = link.replace(/token=.*/, `token=ft${'0'.repeat(60)}`)
    expect((await opened(never)).text).not.toContain('<a ')
  })

  test.each(['%00', 'no-such-client', 'x'.repeat(90)])('of the client %s leads to no app', async (client) => {
    const { status, text } = await opened(`${idp.engineUrl}/email/verify/${client}?token=x`)
    expect(status).toBe(200)
    expect(text).toContain('<h1>This link does not work</h1>')
    expect(text).not.toContain('<a ')
  })
})
