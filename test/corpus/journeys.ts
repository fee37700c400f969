import type { KitOptions } from '../../src/testing/index.ts'
import type { Walk, Wire } from './walk.ts'

/** A way through the product on the bare wire. */
export interface Journey {
  readonly name: string
  /** Which engine, of `settings`; one with defaults where absent. */
  readonly on?: keyof typeof settings
  walk(walk: Walk): Promise<unknown>
}

const mary = 'mary@example.com'
const password = 'Tangerine-Kettle-42'
const newPassword = 'Lighthouse-Biscuit-77'
const unknown = 'unknown@example.com'
const wrong = (code: string) => (code === '000000' ? '111111' : '000000')

/** The engines that the journeys need. */
export const settings: Readonly<Record<string, KitOptions>> = {
  defaults: {},
  'the identifier first': { settings: { signOn: { start: 'identifier' } } },
  'the password first and two factors': { settings: { signOn: { factors: '2FA' } } },
  'the identifier first and two factors': { settings: { signOn: { start: 'identifier', factors: '2FA' } } },
  'a lockout': { policy: { password: { lockout: { maxAttempts: 3, autoUnlockMinutes: 30 } } } },
  'no recovery': { policy: { password: { recovery: { authenticators: [] } } } },
  'unknown users revealed': { settings: { recovery: { revealUnknown: true } } },
  'sessions asked about': { settings: { recovery: { offerRevokeSessions: true } } },
  'no sign-in after recovery': { settings: { recovery: { signIn: false } } },
  'a second factor at recovery': { settings: { recovery: { secondFactor: 'required' } } },
  'links of their own': {
    clients: [
      {
        id: 'no-address',
        label: 'No & address',
        secret: 'a secret of sixteen characters',
        redirectUris: ['http://localhost:8080/login/callback'],
        emailMagicLinkRedirectUri: null,
      },
    ],
  },
  'the limits of Okta': { settings: { limits: { preset: 'okta-integrator' } } },
}

const recovery: readonly Journey[] = [
  {
    name: 'recovery by code',
    async walk(walk) {
      await walk.toTheReset()
      await walk.answer('short')
      await walk.answer(password)
      await walk.answer(newPassword)
      const { interactionCode } = walk
      await walk.mail()
      await walk.idx('challenge/poll')
      await walk.redeem(interactionCode)
      await walk.begin()
      await walk.identify(mary, password)
      await walk.identify(mary, newPassword)
    },
  },
  {
    name: 'recovery of an unknown user',
    async walk(walk) {
      await walk.toTheCode(unknown)
      await walk.answer('000000')
      await walk.idx('challenge/poll')
      await walk.idx('challenge/resend')
      for (let guess = 1; guess < 5; guess++) await walk.answer('000000')
      await walk.answer('000000')
      walk.mails()
    },
  },
  {
    name: 'recovery by link',
    async walk(walk) {
      await walk.toTheCode()
      const { code, link } = await walk.mail()
      await walk.call('HEAD', link)
      await walk.call('GET', link)
      await walk.answer(code)
      await walk.call('GET', link)
      await walk.answer(newPassword)
      await walk.call('GET', link)
    },
  },
  {
    name: 'recovery by a link without an address',
    on: 'links of their own',
    async walk(walk) {
      walk.client = { id: 'no-address', secret: 'a secret of sixteen characters' }
      await walk.toTheCode()
      const { code, link } = await walk.mail()
      await walk.call('GET', link)
      await walk.answer(code)
      await walk.answer(newPassword)
      await walk.call('GET', link)
    },
  },
  {
    name: 'links that lead nowhere',
    async walk(walk) {
      await walk.toTheCode()
      const { link } = await walk.mail()
      await walk.idx('challenge/resend')
      const again = await walk.mail()
      await walk.call('GET', link)
      walk.wait('5m')
      await walk.call('GET', again.link)
      await walk.call('GET', '/email/verify/rekey-web?token=nothing')
      await walk.call('GET', '/email/verify/rekey-web')
      await walk.call('GET', '/email/verify/another?token=nothing')
    },
  },
  {
    name: 'a wrong code and then the right one',
    async walk(walk) {
      await walk.toTheCode()
      const { code } = await walk.mail()
      await walk.answer(wrong(code))
      await walk.answer('')
      await walk.answer(code)
      await walk.answer(newPassword)
    },
  },
  {
    name: 'the code asked for again',
    async walk(walk) {
      await walk.toTheCode()
      const first = await walk.mail()
      await walk.idx('challenge/resend')
      const second = await walk.mail()
      await walk.answer(first.code)
      await walk.answer(second.code)
    },
  },
  {
    name: 'the code asked for too often',
    async walk(walk) {
      await walk.toTheCode()
      for (let mail = 1; mail <= 5; mail++) await walk.idx('challenge/resend')
      walk.mails()
    },
  },
  {
    name: 'the code of an unknown user asked for too often',
    async walk(walk) {
      await walk.toTheCode(unknown)
      for (let mail = 1; mail <= 5; mail++) await walk.idx('challenge/resend')
      walk.mails()
    },
  },
  {
    name: 'an expired code',
    async walk(walk) {
      await walk.toTheCode()
      const { code } = await walk.mail()
      walk.wait('5m')
      await walk.answer(code)
      await walk.idx('challenge/resend')
      await walk.answer((await walk.mail()).code)
    },
  },
  {
    name: 'an expired transaction',
    async walk(walk) {
      await walk.toTheCode()
      walk.wait('31m')
      await walk.idx('challenge/poll')
      await walk.introspect()
      await walk.idx('cancel')
    },
  },
  {
    name: 'five wrong codes',
    async walk(walk) {
      await walk.toTheCode()
      const { code } = await walk.mail()
      for (let guess = 1; guess <= 5; guess++) await walk.answer(wrong(code))
      await walk.answer(code)
      await walk.idx('challenge/poll')
      await walk.introspect()
    },
  },
  {
    name: 'cancelled at each stage',
    async walk(walk) {
      await walk.begin()
      await walk.idx('cancel')
      await walk.idx('recover')
      await walk.idx('cancel')
      await walk.idx('recover')
      await walk.identify(mary)
      await walk.idx('cancel')
      await walk.idx('recover')
      await walk.identify(mary)
      await walk.choose('okta_email')
      const { code } = await walk.mail()
      await walk.idx('cancel')
      await walk.answer(code)
      await walk.idx('recover')
      await walk.identify(mary)
      await walk.choose('okta_email')
      await walk.answer((await walk.mail()).code)
      await walk.idx('cancel')
      await walk.answer(newPassword)
      await walk.identify(mary, password)
      await walk.idx('cancel')
    },
  },
  {
    name: 'polled at each stage',
    async walk(walk) {
      await walk.toTheCode()
      const { stateHandle } = walk
      await walk.idx('challenge/poll')
      const { code } = await walk.mail()
      await walk.idx('challenge/poll')
      await walk.introspect()
      walk.stateHandle = stateHandle
      await walk.answer(code)
      await walk.idx('challenge/poll')
      await walk.introspect()
      await walk.answer(newPassword)
      await walk.idx('challenge/poll')
      await walk.introspect()
    },
  },
  {
    name: 'recovery chosen again',
    async walk(walk) {
      await walk.toTheCode()
      await walk.mail()
      await walk.choose('okta_email')
      await walk.answer((await walk.mail()).code)
      await walk.answer(newPassword)
    },
  },
  {
    name: 'recovery where none is offered',
    on: 'no recovery',
    async walk(walk) {
      await walk.begin()
      await walk.idx('recover')
      await walk.identify(mary, password)
    },
  },
  {
    name: 'recovery and sign-in of an unknown user, revealed',
    on: 'unknown users revealed',
    async walk(walk) {
      await walk.begin()
      await walk.identify(unknown, password)
      await walk.idx('recover')
      await walk.identify(unknown)
      await walk.identify(mary)
    },
  },
  {
    name: 'recovery with other sessions ended',
    on: 'sessions asked about',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const { body } = await walk.redeem()
      await walk.toTheReset()
      await walk.idx('challenge/answer', { credentials: { passcode: newPassword, revokeSessions: 'yes' } })
      await walk.idx('challenge/answer', { credentials: { passcode: newPassword, revokeSessions: true } })
      await walk.refresh(body.refresh_token)
    },
  },
  {
    name: 'recovery with other sessions kept',
    on: 'sessions asked about',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const { body } = await walk.redeem()
      await walk.toTheReset()
      await walk.idx('challenge/answer', { credentials: { passcode: newPassword, revokeSessions: false } })
      await walk.refresh(body.refresh_token)
    },
  },
  {
    name: 'recovery without sign-in',
    on: 'no sign-in after recovery',
    async walk(walk) {
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.idx('challenge/poll')
      await walk.introspect()
    },
  },
  {
    name: 'recovery with a second factor that is missing',
    on: 'a second factor at recovery',
    async walk(walk) {
      await walk.toTheReset()
      await walk.idx('challenge/poll')
    },
  },
  {
    name: 'recovery by a token of an administrator',
    async walk(walk) {
      await walk.api('POST', `/users/${mary}/lifecycle/reset_password?sendEmail=false`)
      const token = String(walk.last.resetPasswordUrl).split('/').at(-1) ?? ''
      await walk.call('GET', `/signin/reset-password/${token}`)
      await walk.begin()
      await walk.identify(mary, password)
      await walk.interact({ recovery_token: 'nothing' })
      await walk.begin({ recovery_token: token })
      await walk.answer(newPassword)
      await walk.redeem()
      await walk.interact({ recovery_token: token })
    },
  },
  {
    name: 'recovery by a mail of an administrator',
    async walk(walk) {
      await walk.api('POST', `/users/${mary}/lifecycle/reset_password?sendEmail=true`)
      await walk.mail()
      await walk.toTheReset()
      await walk.answer(newPassword)
    },
  },
  {
    name: 'recovery at an app that the user is not assigned to',
    async walk(walk) {
      await unassign(walk)
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.begin()
      await walk.identify(mary, newPassword)
    },
  },
  {
    name: 'recovery by a public client',
    async walk(walk) {
      walk.client = { id: walk.idp.publicClientId }
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.redeem()
    },
  },
]

async function unassign(walk: Walk): Promise<void> {
  await walk.api('GET', `/apps/${walk.idp.clientId}/groups`)
  const [group] = walk.last as readonly Wire[]
  await walk.api('DELETE', `/apps/${walk.idp.clientId}/groups/${group.id}`)
}

const signIn: readonly Journey[] = [
  {
    name: 'sign-in with the password first',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, 'a wrong password')
      await walk.identify(unknown, password)
      await walk.identify(mary)
      await walk.idx('identify', { credentials: { passcode: password } })
      await walk.idx('identify', { identifier: mary, credentials: { passcode: password }, rememberMe: true })
      await walk.idx('challenge/poll')
      await walk.introspect()
    },
  },
  {
    name: 'five wrong passwords',
    async walk(walk) {
      await walk.begin()
      for (let guess = 1; guess <= 5; guess++) await walk.identify(mary, 'a wrong password')
      await walk.identify(mary, password)
    },
  },
  {
    name: 'five passwords of an unknown user',
    async walk(walk) {
      await walk.begin()
      for (let guess = 1; guess <= 5; guess++) await walk.identify(unknown, password)
      await walk.identify(unknown, password)
    },
  },
  {
    name: 'sign-in with the identifier first, by password',
    on: 'the identifier first',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary)
      await walk.choose('okta_password')
      await walk.answer('a wrong password')
      await walk.answer(password)
      await walk.redeem()
    },
  },
  {
    name: 'sign-in with the identifier first, by mail',
    on: 'the identifier first',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary)
      await walk.choose('okta_email')
      const { code } = await walk.mail()
      await walk.answer(wrong(code))
      await walk.answer(code)
      await walk.redeem()
    },
  },
  {
    name: 'sign-in with the identifier first, of an unknown user',
    on: 'the identifier first',
    async walk(walk) {
      await walk.begin()
      await walk.identify(unknown)
      await walk.choose('okta_password')
      await walk.answer(password)
      await walk.choose('okta_email')
      await walk.answer('000000')
      walk.mails()
    },
  },
  {
    name: 'recovery from the password of a sign-in with the identifier first',
    on: 'the identifier first',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary)
      await walk.choose('okta_password')
      await walk.idx('recover')
      await walk.choose('okta_email')
      await walk.answer((await walk.mail()).code)
      await walk.answer(newPassword)
    },
  },
  {
    name: 'sign-in with two factors',
    on: 'the password first and two factors',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      await walk.choose('okta_email')
      const { code } = await walk.mail()
      await walk.answer(wrong(code))
      await walk.answer(code)
      await walk.redeem()
    },
  },
  {
    name: 'recovery where sign-in takes two factors',
    on: 'the password first and two factors',
    async walk(walk) {
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.redeem()
    },
  },
  {
    name: 'sign-in with two factors and the identifier first, the password before',
    on: 'the identifier first and two factors',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary)
      await walk.choose('okta_password')
      await walk.answer(password)
      await walk.choose('okta_email')
      await walk.answer((await walk.mail()).code)
      await walk.redeem()
    },
  },
  {
    name: 'sign-in with two factors and the identifier first, the mail before',
    on: 'the identifier first and two factors',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary)
      await walk.choose('okta_email')
      await walk.answer((await walk.mail()).code)
      await walk.choose('okta_password')
      await walk.answer(password)
    },
  },
  {
    name: 'an expired password replaced',
    async walk(walk) {
      await walk.person({ login: 'eve@example.com', password, status: 'PASSWORD_EXPIRED' })
      await walk.begin()
      await walk.identify('eve@example.com', 'a wrong password')
      await walk.identify('eve@example.com', password)
      await walk.answer(password)
      await walk.answer(newPassword)
      await walk.redeem()
      await walk.begin()
      await walk.identify('eve@example.com', newPassword)
    },
  },
  {
    name: 'a lockout and its end',
    on: 'a lockout',
    async walk(walk) {
      await walk.begin()
      for (let guess = 1; guess <= 3; guess++) await walk.identify(mary, 'a wrong password')
      await walk.identify(mary, password)
      await walk.api('GET', `/users/${mary}`)
      walk.wait('31m')
      await walk.begin()
      await walk.identify(mary, password)
    },
  },
  {
    name: 'a lockout and a recovery',
    on: 'a lockout',
    async walk(walk) {
      await walk.begin()
      for (let guess = 1; guess <= 3; guess++) await walk.identify(mary, 'a wrong password')
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.api('GET', `/users/${mary}`)
    },
  },
  {
    name: 'wrong passwords of an unknown user where a lockout is set',
    on: 'a lockout',
    async walk(walk) {
      await walk.begin()
      for (let guess = 1; guess <= 4; guess++) await walk.identify(unknown, 'a wrong password')
    },
  },
  {
    name: 'an app that lets no user in',
    async walk(walk) {
      await walk.api('GET', '/policies?type=ACCESS_POLICY')
      const [policy] = walk.last as readonly Wire[]
      await walk.api('GET', `/policies/${policy.id}/rules`)
      const [rule] = walk.last as readonly Wire[]
      await walk.api('PUT', `/policies/${policy.id}/rules/${rule.id}`, {
        ...rule,
        actions: { appSignOn: { access: 'DENY' } },
      })
      await walk.begin()
      await walk.identify(mary, 'a wrong password')
      await walk.identify(mary, password)
      await walk.introspect()
      await walk.toTheReset()
      await walk.answer(newPassword)
    },
  },
  {
    name: 'an app that the user is not assigned to',
    async walk(walk) {
      await unassign(walk)
      await walk.begin()
      await walk.identify(mary, 'a wrong password')
      await walk.identify(mary, password)
      await walk.introspect()
    },
  },
  {
    name: 'sign-in at the org server',
    async walk(walk) {
      await walk.interact()
      await walk.call('POST', '/oauth2/v1/interact', {
        form: {
          ...walk.credentials(),
          redirect_uri: walk.idp.redirectUri,
          scope: 'openid email',
          state: 'state of the app',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
        },
      })
      walk.interactionHandle = walk.last.interaction_handle
      await walk.introspect()
      await walk.identify(mary, password)
      const form = {
        grant_type: 'interaction_code',
        interaction_code: walk.interactionCode,
        ...walk.credentials(),
        redirect_uri: walk.idp.redirectUri,
        code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
      }
      await walk.call('POST', '/oauth2/v1/token', { form })
      const authorization = `Bearer ${walk.last.access_token}`
      await walk.call('GET', '/oauth2/v1/userinfo', { headers: { authorization } })
    },
  },
]

const statuses = [
  'STAGED',
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
  'SUSPENDED',
  'DEPROVISIONED',
] as const
const unmailed: readonly string[] = ['STAGED', 'DEPROVISIONED']

const ofStatuses: readonly Journey[] = statuses.map((status) => ({
  name: `a user who is ${status}`,
  async walk(walk) {
    const login = `${status.toLowerCase()}@example.com`
    const id = await walk.person({ login, password, status })
    await walk.begin()
    await walk.identify(login, password)
    await walk.toTheCode(login)
    const code = unmailed.includes(status) ? '000000' : (await walk.mail(login)).code
    walk.mails()
    await walk.answer(code)
    await walk.answer(newPassword)
    await walk.api('GET', `/users/${id}`)
  },
}))

const badInput: readonly Journey[] = [
  {
    name: 'inputs that are none',
    async walk(walk) {
      await walk.begin()
      await walk.idx('identify')
      await walk.idx('identify', { identifier: 7, credentials: { passcode: password } })
      await walk.idx('identify', { identifier: mary, credentials: 'text' })
      await walk.idx('identify', { identifier: mary, credentials: { passcode: [] } })
      await walk.idx('identify', { identifier: `${mary},${unknown}`, credentials: { passcode: password } })
      await walk.idx('recover')
      await walk.idx('identify')
      await walk.identify(mary)
      await walk.idx('challenge')
      await walk.idx('challenge', { authenticator: { id: 'nothing' } })
      await walk.idx('challenge', { authenticator: 'nothing' })
      await walk.identify(mary)
      await walk.choose('okta_email')
    },
  },
  {
    name: 'answers that are none',
    async walk(walk) {
      await walk.toTheCode()
      const { code } = await walk.mail()
      await walk.idx('challenge/answer')
      await walk.answer(7)
      await walk.answer({ passcode: code })
      await walk.answer(code)
      await walk.idx('challenge/answer')
      await walk.answer(7)
      await walk.answer('x'.repeat(300))
      await walk.answer(newPassword)
    },
  },
  {
    name: 'steps that are not on offer',
    async walk(walk) {
      await walk.begin()
      for (const path of ['challenge', 'challenge/answer', 'challenge/resend', 'challenge/poll'])
        await walk.idx(path)
      await walk.idx('recover')
      for (const path of ['recover', 'challenge', 'challenge/answer', 'challenge/resend', 'challenge/poll']) {
        await walk.idx(path)
      }
      await walk.identify(mary)
      for (const path of ['recover', 'challenge/answer', 'challenge/resend', 'challenge/poll'])
        await walk.idx(path)
      for (const path of ['nothing', 'skip', 'enroll', 'unlock-account']) await walk.idx(path)
    },
  },
  {
    name: 'handles and bodies that are none',
    async walk(walk) {
      const post = (path: string, asking: object) => walk.call('POST', `/idp/idx/${path}`, asking)
      await walk.begin()
      await post('introspect', { json: {} })
      await post('introspect', { json: { interactionHandle: 'nothing' } })
      await post('introspect', { json: { stateHandle: 'nothing' } })
      await post('introspect', { json: { stateHandle: walk.stateHandle } })
      await post('introspect', { json: { interactionHandle: 7 } })
      await post('identify', { json: { stateHandle: 'nothing' } })
      await post('identify', { json: {} })
      await post('identify', { raw: '{', headers: { 'content-type': 'application/json' } })
      await post('identify', { raw: '{"a":1,"a":2}', headers: { 'content-type': 'application/json' } })
      await post('identify', { raw: '[]', headers: { 'content-type': 'application/json' } })
      await post('identify', { form: { identifier: mary } })
      await walk.call('GET', '/idp/idx/identify')
      await walk.call('GET', '/nothing')
      await walk.call('GET', '/idp/idx/%E0%A4%A')
      await post('introspect', {
        json: { stateHandle: walk.stateHandle },
        headers: { origin: 'https://elsewhere.example' },
      })
      await post('introspect', {
        json: { stateHandle: walk.stateHandle },
        headers: { origin: 'http://localhost:8080' },
      })
      await walk.call('OPTIONS', '/idp/idx/identify', {
        headers: { origin: 'http://localhost:8080', 'access-control-request-method': 'POST' },
      })
    },
  },
  {
    name: 'interactions refused',
    async walk(walk) {
      await walk.interact({ client_id: 'nothing' })
      await walk.interact({ client_secret: 'nothing' })
      await walk.interact({ client_secret: undefined })
      await walk.interact({ redirect_uri: 'https://elsewhere.example/' })
      await walk.interact({ redirect_uri: undefined })
      await walk.interact({ scope: undefined })
      await walk.interact({ scope: 'openid nothing' })
      await walk.interact({ state: undefined })
      await walk.interact({ code_challenge: undefined })
      await walk.interact({ code_challenge: 'short' })
      await walk.interact({ code_challenge_method: 'plain' })
      await walk.interact({ max_age: 'soon' })
      await walk.interact({ recovery_token: '' })
      await walk.interact({ activation_token: 'nothing' })
      await walk.call('POST', '/oauth2/default/v1/interact', { json: {} })
      await walk.call('GET', '/oauth2/default/v1/interact')
    },
  },
  {
    name: 'more requests than the limits of Okta',
    on: 'the limits of Okta',
    async walk(walk) {
      await walk.begin()
      for (let request = 1; request <= 10; request++) await walk.idx('challenge/poll')
      walk.wait('5s')
      await walk.idx('recover')
    },
  },
]

const bearer = (token: unknown) => ({ headers: { authorization: `Bearer ${token}` } })

const tokens: readonly Journey[] = [
  {
    name: 'an interaction code redeemed',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const code = walk.interactionCode
      await walk.redeem('nothing')
      await walk.redeem(code, { client_secret: 'nothing' })
      await walk.redeem(code)
      await walk.redeem(code)
    },
  },
  {
    name: 'an interaction code with another verifier, and one too late',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      await walk.redeem(walk.interactionCode, {
        code_verifier: 'another-verifier-of-pkce-that-is-long-enough-too',
      })
      await walk.begin()
      await walk.identify(mary, password)
      const code = walk.interactionCode
      walk.wait('61s')
      await walk.redeem(code)
    },
  },
  {
    name: 'refresh tokens',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const first = (await walk.redeem()).body
      walk.wait('10m')
      const second = (await walk.refresh(first.refresh_token)).body
      await walk.refresh(second.refresh_token, { scope: 'openid' })
      await walk.refresh('nothing')
      walk.wait('10m')
      await walk.refresh(first.refresh_token)
      await walk.refresh(second.refresh_token)
      await walk.call('GET', '/oauth2/default/v1/userinfo', bearer(second.access_token))
    },
  },
  {
    name: 'tokens asked about, used and revoked',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const { access_token: access, refresh_token: refresh, id_token: id } = (await walk.redeem()).body
      const ask = (token: string) => walk.oauth('introspect', { token, ...walk.credentials() })
      const userinfo = (token: string) => walk.call('GET', '/oauth2/default/v1/userinfo', bearer(token))
      await userinfo(access)
      await userinfo('nothing')
      await walk.call('GET', '/oauth2/default/v1/userinfo')
      for (const token of [access, refresh, id, 'nothing']) await ask(token)
      await walk.oauth('introspect', { token: access })
      await walk.oauth('introspect', walk.credentials())
      await walk.oauth('revoke', { token: access, ...walk.credentials() })
      await ask(access)
      await userinfo(access)
      await ask(refresh)
      await walk.oauth('revoke', { token: refresh, ...walk.credentials() })
      await ask(refresh)
      await walk.refresh(refresh)
      await walk.oauth('revoke', { token: 'nothing', ...walk.credentials() })
    },
  },
  {
    name: 'signed out',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const { access_token: access, refresh_token: refresh, id_token: id } = (await walk.redeem()).body
      const out = (query: Record<string, string>) =>
        walk.call('GET', `/oauth2/default/v1/logout?${new URLSearchParams(query)}`)
      await out({})
      await out({ id_token_hint: 'nothing' })
      await walk.call('POST', '/oauth2/default/v1/logout', {
        form: { id_token_hint: id, post_logout_redirect_uri: 'https://elsewhere.example/' },
      })
      await walk.call('POST', '/oauth2/default/v1/logout', {
        form: { id_token_hint: id, post_logout_redirect_uri: 'http://localhost:8080/', state: 'of the app' },
      })
      await walk.call('GET', '/oauth2/default/v1/userinfo', bearer(access))
      await walk.refresh(refresh)
    },
  },
  {
    name: 'token requests refused',
    async walk(walk) {
      await walk.oauth('token', {})
      await walk.oauth('token', walk.credentials())
      await walk.oauth('token', { grant_type: 'password', ...walk.credentials() })
      await walk.oauth('token', { grant_type: 'interaction_code', ...walk.credentials() })
      await walk.oauth('token', { grant_type: 'client_credentials', ...walk.credentials() })
      await walk.oauth('token', { grant_type: 'refresh_token', client_id: 'nothing' })
      await walk.call('POST', '/oauth2/default/v1/token', { json: {} })
    },
  },
  {
    name: 'what the servers say of themselves',
    async walk(walk) {
      await walk.call('GET', '/oauth2/default/.well-known/openid-configuration')
      await walk.call('GET', '/oauth2/default/.well-known/oauth-authorization-server')
      await walk.call('GET', '/.well-known/openid-configuration')
      await walk.call('GET', '/oauth2/default/v1/keys')
      await walk.call('GET', '/oauth2/v1/keys')
      await walk.call('GET', '/oauth2/nothing/.well-known/openid-configuration')
    },
  },
]

const ada = { login: 'ada@example.com', email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace' }

const management: readonly Journey[] = [
  {
    name: 'users managed',
    async walk(walk) {
      await walk.api('POST', '/users?activate=true', {
        profile: ada,
        credentials: { password: { value: password } },
      })
      const { id } = walk.last
      await walk.api('POST', '/users', { profile: ada })
      await walk.api('POST', '/users', { profile: { login: 'no email' } })
      await walk.api('GET', `/users/${id}`)
      await walk.api('GET', '/users/nothing')
      await walk.api('GET', `/users?${new URLSearchParams({ search: 'profile.firstName eq "Ada"' })}`)
      await walk.api('GET', `/users?${new URLSearchParams({ search: 'profile.nothing eq' })}`)
      await walk.api('GET', '/users?q=ada')
      await walk.api('POST', `/users/${id}`, { profile: { lastName: 'King' } })
      await walk.api('GET', `/users/${id}/groups`)
      await walk.api('GET', `/users/${id}/appLinks`)
      await walk.api('POST', `/users/${id}/credentials/change_password`, {
        oldPassword: { value: password },
        newPassword: { value: newPassword },
      })
      await walk.api('POST', `/users/${id}/credentials/forgot_password?sendEmail=false`)
      await walk.api('DELETE', `/users/${id}/sessions`)
      await walk.api('DELETE', `/users/${id}`)
      await walk.api('DELETE', `/users/${id}`)
      await walk.api('GET', `/users/${id}`)
    },
  },
  {
    name: 'the life of a user',
    async walk(walk) {
      await walk.api('POST', '/users?activate=false', { profile: ada })
      const { id } = walk.last
      const become = (name: string) => walk.api('POST', `/users/${id}/lifecycle/${name}`)
      await become('activate?sendEmail=false')
      await become('activate?sendEmail=false')
      await become('reset_password?sendEmail=false')
      await become('expire_password')
      await become('suspend')
      await become('unsuspend')
      await become('unlock')
      await become('deactivate')
      await become('activate?sendEmail=true')
      await walk.mail(ada.login)
      await become('nothing')
    },
  },
  {
    name: 'a user of an import signs in',
    async walk(walk) {
      // What bcrypt makes of `U*U`.
      const hash = {
        algorithm: 'BCRYPT',
        workFactor: 5,
        salt: 'CCCCCCCCCCCCCCCCCCCCC.',
        value: 'E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
      }
      await walk.api('POST', '/users', { profile: ada, credentials: { password: { hash } } })
      for (const passcode of ['a wrong password', 'U*U', 'U*U']) {
        await walk.begin()
        await walk.identify(ada.login, passcode)
      }
    },
  },
  {
    name: 'a session ended by an administrator',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, password)
      const { body } = await walk.redeem()
      await walk.begin()
      await walk.identify(mary, password)
      const code = walk.interactionCode
      await walk.api('DELETE', `/users/${mary}/sessions?oauthTokens=true`)
      await walk.refresh(body.refresh_token)
      await walk.call('GET', '/oauth2/default/v1/userinfo', bearer(body.access_token))
      await walk.redeem(code)
    },
  },
  {
    name: 'a user suspended in the middle',
    async walk(walk) {
      await walk.toTheReset()
      await walk.api('POST', `/users/${mary}/lifecycle/suspend`)
      await walk.answer(newPassword)
      await walk.idx('challenge/poll')
      await walk.api('POST', `/users/${mary}/lifecycle/unsuspend`)
      await walk.begin()
      await walk.identify(mary, password)
    },
  },
  {
    name: 'groups, apps and assignments managed',
    async walk(walk) {
      await walk.api('POST', '/groups', { profile: { name: 'Staff', description: 'Those who work here' } })
      const group = walk.last.id
      await walk.api('POST', '/groups', { profile: { name: 'Staff' } })
      await walk.api('GET', '/groups?q=Staff')
      await walk.api('PUT', `/groups/${group}/users/${mary}`)
      await walk.api('GET', `/groups/${group}/users`)
      await walk.api('POST', '/apps', {
        label: 'Shop',
        signOnMode: 'OPENID_CONNECT',
        settings: { oauthClient: { application_type: 'web', redirect_uris: ['https://shop.example/in'] } },
      })
      const app = walk.last.id
      await walk.api('GET', `/apps/${app}`)
      await walk.api('PUT', `/apps/${app}/groups/${group}`)
      await walk.api('GET', `/apps/${app}/groups`)
      await walk.api('POST', `/apps/${app}/lifecycle/deactivate`)
      await walk.api('DELETE', `/apps/${app}`)
      await walk.api('DELETE', `/groups/${group}`)
      await walk.api('GET', '/apps?q=Sample%20Web')
    },
  },
  {
    name: 'policies managed',
    async walk(walk) {
      for (const type of ['PASSWORD', 'ACCESS_POLICY', 'OKTA_SIGN_ON', 'NOTHING']) {
        await walk.api('GET', `/policies?type=${type}`)
      }
      await walk.api('POST', '/groups', { profile: { name: 'Staff' } })
      const group = walk.last.id
      await walk.api('POST', '/policies', {
        type: 'PASSWORD',
        name: 'Staff',
        conditions: { people: { groups: { include: [group] } } },
        settings: { password: { complexity: { minLength: 20 } } },
      })
      const policy = walk.last.id
      const selfServicePasswordReset = {
        access: 'ALLOW',
        requirement: { primary: { methods: ['email'] }, stepUp: { required: false } },
      }
      await walk.api('POST', `/policies/${policy}/rules`, {
        type: 'PASSWORD',
        name: 'By mail',
        actions: { selfServicePasswordReset },
      })
      await walk.api('GET', `/policies/${policy}/rules`)
      await walk.api('PUT', `/groups/${group}/users/${mary}`)
      await walk.toTheReset()
      await walk.answer(newPassword)
      await walk.api('POST', `/policies/${policy}/lifecycle/deactivate`)
      await walk.answer(newPassword)
    },
  },
  {
    name: 'a recovery that a policy of a group denies',
    async walk(walk) {
      await walk.api('POST', '/groups', { profile: { name: 'Staff' } })
      const group = walk.last.id
      await walk.api('PUT', `/groups/${group}/users/${mary}`)
      await walk.api('POST', '/policies', {
        type: 'PASSWORD',
        name: 'Staff',
        conditions: { people: { groups: { include: [group] } } },
      })
      const policy = walk.last.id
      await walk.api('POST', `/policies/${policy}/rules`, {
        type: 'PASSWORD',
        name: 'No reset',
        actions: { selfServicePasswordReset: { access: 'DENY' } },
      })
      await walk.toTheCode()
      walk.mails()
      await walk.answer('000000')
    },
  },
  {
    name: 'the log',
    async walk(walk) {
      await walk.begin()
      await walk.identify(mary, 'a wrong password')
      walk.wait('1s')
      await walk.toTheReset()
      walk.wait('1s')
      await walk.answer(newPassword)
      // On PostgreSQL the last second of the log may still be written to, and is not shown.
      walk.wait('2s')
      for (const type of [
        'user.session.start',
        'user.account.reset_password',
        'user.authentication.auth_via_mfa',
      ]) {
        const query = new URLSearchParams({ filter: `eventType eq "${type}"`, since: '2030-01-07T00:00:00Z' })
        await walk.api('GET', `/logs?${query}`)
      }
      await walk.api('GET', '/logs?filter=nothing')
    },
  },
  {
    name: 'the management API refuses',
    async walk(walk) {
      const as = (authorization: string) => walk.call('GET', '/api/v1/users', { headers: { authorization } })
      await walk.call('GET', '/api/v1/users')
      await as('SSWS nothing')
      await as('Bearer nothing')
      await walk.api('GET', '/nothing')
      await walk.api('PATCH', '/users')
      await walk.api('POST', '/users', [])
      await walk.api('GET', '/users?limit=nothing')
    },
  },
  {
    name: 'other resources',
    async walk(walk) {
      await walk.api('GET', '/authenticators')
      await walk.api('GET', '/authorizationServers')
      await walk.api('GET', '/meta/schemas/user/default')
      await walk.api('POST', '/trustedOrigins', {
        name: 'Shop',
        origin: 'https://shop.example',
        scopes: [{ type: 'CORS' }],
      })
      await walk.api('GET', '/trustedOrigins')
    },
  },
]

export const journeys: readonly Journey[] = [
  ...recovery,
  ...signIn,
  ...ofStatuses,
  ...badInput,
  ...tokens,
  ...management,
]
