import { askStopPage, stopEndPage } from '../../account/index.ts'
import { wordsFor } from '../../i18n/index.ts'
import { codePage, deadLinkPage, ownPage } from '../../idx/index.ts'
import { continuePage, endedPage, failedPage, signedOutPage, signOutPage } from '../../oidc/index.ts'
import { type Brand, renderDone, renderExpired, renderFront, renderLink } from '../../pages/index.ts'

/** A page that is no step of a transaction, in a language. */
type Notice = (brand: Brand, language: string) => string

const app = { label: 'Shop', address: '/pages' }
const site = ({ base, name }: Brand) => ({ base, orgName: name })
const account = ({ base, name }: Brand) => ({ orgName: name, baseUrl: () => base })
const errorId = 'oaeMadeUpForThePreview'

const otherUser = { user: 'sam@example.com', other: 'm***y@example.com' }

type Opened = Parameters<typeof codePage>[2]

const openedLink = (intent: string, request: object = {}): Opened =>
  ({
    state: 'alive',
    code: '482915',
    transaction: {
      progress: { intent, challenge: { startedAt: 1_790_000_000_000 } },
      createdAt: 1_790_000_000_000,
    },
    interaction: {
      request,
      origin: {
        ip: '203.0.113.7',
        userAgent:
          'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      },
    },
    client: { label: 'Shop' },
  }) as unknown as Opened

/** Pages that no response leads to: links of mails, ends and errors, with made-up users. */
export const noticeSamples: Readonly<Record<string, Notice>> = {
  'link-of-a-reset': (brand, language) =>
    renderLink(brand, language, { kind: 'recovery', state: 'good', login: 'm***y@example.com' }),
  'link-of-an-invitation': (brand, language) =>
    renderLink(brand, language, { kind: 'activation', state: 'good', login: 'm***y@example.com' }),
  'link-of-an-old-invitation': (brand, language) =>
    renderLink(brand, language, { kind: 'activation', state: 'lapsed' }),
  'link-of-no-use': (brand, language) =>
    renderLink(brand, language, { kind: 'activation', state: 'spent', wayOn: app }),
  'link-of-a-reset-of-another-user': (brand, language) =>
    renderLink(brand, language, {
      ...{ kind: 'recovery', state: 'good', login: 'm***y@example.com', otherUser },
    }),
  'link-with-a-code': (brand, language) =>
    codePage(wordsFor(language), site(brand), openedLink('recovery'), {
      ...{ own: '/pages/link-of-ones-own', here: undefined, otherUser: undefined },
    }),
  'link-without-a-code': (brand, language) =>
    codePage(wordsFor(language), site(brand), openedLink('recovery', { classic: { linkOnly: true } }), {
      ...{ own: '/pages/link-of-ones-own', here: undefined, otherUser: undefined },
    }),
  'link-in-the-same-browser': (brand, language) =>
    codePage(wordsFor(language), site(brand), openedLink('sign-in'), {
      ...{ own: undefined, here: { action: '/pages', token: '' }, otherUser: undefined },
    }),
  'link-of-another-user': (brand, language) =>
    codePage(wordsFor(language), site(brand), openedLink('recovery'), {
      ...{ own: '/pages/link-of-ones-own', here: undefined, otherUser },
    }),
  'link-of-ones-own': (brand, language) =>
    ownPage(wordsFor(language), site(brand), { action: '/pages', token: '' }),
  'link-that-is-over': (brand, language) =>
    deadLinkPage(wordsFor(language), site(brand), {
      ...{ state: 'expired', errorId, app: { label: 'Shop', home: '/pages' } },
    }),
  'link-that-is-over-in-the-same-browser': (brand, language) =>
    deadLinkPage(wordsFor(language), site(brand), {
      ...{ state: 'stale', errorId, app: { label: 'Shop', home: '/pages' }, held: '/pages' },
    }),
  'change-that-waits': (brand, language) =>
    askStopPage(wordsFor(language), account(brand), { kind: 'enrollment.remove', dueAt: 1_790_000_000_000 }),
  'change-that-was-stopped': (brand, language) =>
    stopEndPage(wordsFor(language), account(brand), { status: 'STOPPED' }),
  'change-that-is-over': (brand, language) => stopEndPage(wordsFor(language), account(brand), undefined),
  'signed-in': (brand, language) =>
    renderDone(brand, language, [app, { label: 'Back office', address: '/pages' }], 'mary@example.com'),
  'expired-request': (brand, language) => renderExpired(brand, language, app),
  'address-of-the-engine': (brand, language) =>
    renderFront(brand, language, { path: '/', basePath: '' }) ?? '',
  'on-to-an-app': (brand, language) =>
    continuePage(wordsFor(language), brand.base, {
      ...{ app: 'Shop', login: 'mary@example.com', scheme: 'com.example.shop:', fields: {} },
    }),
  'failed-request': (brand, language) =>
    failedPage(wordsFor(language), brand.base, {
      ...{ reason: "The 'redirect_uri' parameter is not registered for this app.", errorId },
    }),
  'ended-request': (brand, language) => endedPage(wordsFor(language), brand.base),
  'ended-request-of-an-app': (brand, language) =>
    endedPage(wordsFor(language), brand.base, { label: 'Shop', address: '/pages' }),
  'sign-out': (brand, language) =>
    signOutPage(wordsFor(language), brand.base, {
      ...{ login: 'mary@example.com', returnTo: '/pages', fields: {} },
    }),
  'signed-out': (brand, language) => signedOutPage(wordsFor(language), brand.base),
}
