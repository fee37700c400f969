import { type Clock, derivedId, type Logger, plainHash } from '../base/index.ts'
import { type Budget, type Budgets, type Refusals, type Source, sizedFor, spend } from '../limits/index.ts'
import { isPublicAddress } from '../outbound/index.ts'
import type { Storage } from '../storage/index.ts'
import { type CaptchaOptions, captchaForms, verifyUrls } from './options.ts'
import { type CaptchaProvider, createProvider, type ProviderAnswer } from './provider.ts'

/** What became of the captcha of a form. */
export const captchaOutcomes = [
  'passed',
  /** There was no token. */
  'missing',
  /** The provider refused the token, or it is of another page or of another time. */
  'wrong',
  /** The token was used before, in whatever transaction. */
  'reused',
  /** A budget is spent. */
  'limited',
  /** The provider does not answer, and the form is closed without it. */
  'away',
  /** The provider does not answer, and the form goes on without it. */
  'waived',
] as const
export type CaptchaOutcome = (typeof captchaOutcomes)[number]

export type CaptchaVerdict =
  | { readonly outcome: Exclude<CaptchaOutcome, 'limited' | 'away'> }
  /** @param retryAt when it is worth trying again, in epoch milliseconds */
  | { readonly outcome: 'limited' | 'away'; readonly retryAt: number }

/** What a form shows of it. */
export interface CaptchaSite {
  readonly id: string
  readonly name: string
  readonly type: NonNullable<CaptchaOptions['type']>
  readonly siteKey: string
}

export interface Captcha {
  readonly site: CaptchaSite
  /** Whether a form asks for it. */
  guards(form: CaptchaForm): boolean
  /**
   * Checks the answer of a visitor; without a token it passes only where the provider is away. Each token is good for one call, on whatever node, whether or not it is right: it is
   * claimed in the database before the provider is asked (A75).
   *
   * @param answer.waivable whether the form goes on, within budgets, while the provider is away
   */
  check(
    answer: {
      readonly form: CaptchaForm
      readonly captchaId: string | undefined
      readonly token: string | undefined
      readonly source: Source
      /** The address of the user's device, where it is known. */
      readonly address: string | undefined
      readonly waivable: boolean
    },
    signal?: AbortSignal | undefined,
  ): Promise<CaptchaVerdict>
}

export type CaptchaForm = CaptchaOptions['forms'][number]

const minute = 60_000
/** How long a used token is remembered: longer than any provider takes one (two minutes, five with Turnstile). */
const rememberedMs = 15 * minute
/** What was solved before is refused, whatever the provider says of it: a token must not outlive the memory of its use. */
const oldestMs = 10 * minute
/** A provider that was away so many times in a row is not asked for a while, so that no form waits for it. */
const failuresUntilPause = 3
const pauseMs = 10_000
/** How long a probe of the provider holds. */
const probeMs = 30_000
/** The longest token of a provider has some thousand characters. */
const longestToken = 8192

const used: Budget = { purpose: 'captcha-token', limit: 1, windowMs: rememberedMs }

const names: Readonly<Record<CaptchaSite['type'], string>> = {
  HCAPTCHA: 'hCaptcha',
  RECAPTCHA_V2: 'reCAPTCHA',
  TURNSTILE: 'Turnstile',
}

const providerOf = (
  { verifyUrl, insecureAddresses }: CaptchaOptions,
  { type, siteKey, secret }: Pick<CaptchaSite, 'type' | 'siteKey'> & { readonly secret: string },
): CaptchaProvider =>
  createProvider({
    url: verifyUrl ?? verifyUrls[type],
    siteKey: type === 'HCAPTCHA' ? siteKey : undefined,
    ...{ secret, insecureAddresses },
  })

/** Why the provider would verify nothing, in words; undefined: it answers and knows the keys, or none is configured. */
export async function captchaProblem(options: CaptchaOptions): Promise<string | undefined> {
  const { type, siteKey, secret } = options
  if (type === undefined || siteKey === undefined || secret === undefined) return undefined
  // No provider takes this token; one that does not know the secret says that first.
  const answer = await providerOf(options, { type, siteKey, secret }).verify({ token: 'rekey-doctor' })
  return answer.result === 'away' ? answer.reason : undefined
}

interface CaptchaParts {
  readonly storage: Pick<Storage, 'db'>
  readonly clock: Clock
  readonly log: Logger
  readonly budgets: Budgets
  readonly refusals?: Refusals
  /** For metrics. */
  onOutcome?(outcome: CaptchaOutcome): void
}

/** The captcha of a configuration; undefined where there is none. */
export function createCaptcha(options: CaptchaOptions, parts: CaptchaParts): Captcha | undefined {
  const { type, siteKey, secret, forms, hostnames, sendAddress } = options
  if (type === undefined || siteKey === undefined || secret === undefined) return undefined
  const { storage, clock, log, budgets, refusals } = parts
  const provider = providerOf(options, { type, siteKey, secret })
  const site: CaptchaSite = { id: derivedId('cap', `${type} ${siteKey}`), name: names[type], type, siteKey }
  let failures = 0
  let pausedUntil = 0
  let probe: { readonly at: number; readonly reached: Promise<boolean> } | undefined

  const charge = async (budget: Budget, subject: string) => {
    const spent = await spend(storage.db, budget, subject, clock.now())
    if (!spent.allowed) refusals?.count(budget.purpose)
    return spent
  }
  /** Charges a source, then all of them; when the spent one is open again, or undefined. */
  async function chargeBoth(own: Budget, all: Budget, source: Source): Promise<number | undefined> {
    const ofSource = await charge(sizedFor(own, source, budgets), source.key)
    if (!ofSource.allowed) return ofSource.resetsAt
    const ofAll = await charge(all, 'all')
    return ofAll.allowed ? undefined : ofAll.resetsAt
  }

  async function ask(
    call: Parameters<typeof provider.verify>[0],
    signal: AbortSignal | undefined,
  ): Promise<ProviderAnswer> {
    const now = clock.now()
    if (now < pausedUntil) return { result: 'away', reason: 'the provider did not answer a moment ago' }
    const answer = await provider.verify(call, signal)
    if (answer.result !== 'away') failures = 0
    // A caller that went away ended the call: it says nothing of the provider.
    else if (!signal?.aborted) {
      log.warn({ reason: answer.reason }, 'no captcha can be verified: sign-up is closed, recovery limited')
      failures = answer.misconfigured ? 0 : failures + 1
      if (failures >= failuresUntilPause) {
        failures = 0
        pausedUntil = now + pauseMs
      }
    }
    return answer
  }

  /** Whether the provider is away, asked at most once in half a minute: a page that gets no captcha of it can send no token. */
  async function isAway(): Promise<boolean> {
    const now = clock.now()
    if (now < pausedUntil) return true
    if (probe === undefined || now >= probe.at + probeMs || now < probe.at) {
      probe = { at: now, reached: provider.isReachable() }
    }
    return !(await probe.reached)
  }

  async function waive(source: Source): Promise<CaptchaVerdict> {
    const closedUntil = await chargeBoth(budgets.withoutCaptcha, budgets.withoutCaptchaEverywhere, source)
    return closedUntil === undefined ? { outcome: 'waived' } : { outcome: 'limited', retryAt: closedUntil }
  }

  function isOurs(
    { hostname, solvedAt, action }: Extract<ProviderAnswer, { result: 'right' }>,
    form: CaptchaForm,
  ): boolean {
    // A page need not name an action, and may have its own: one that is a form's name is of that form alone (A75).
    if (captchaForms.some((name) => name === action && name !== form)) return false
    if (hostnames.length > 0 && !hostnames.includes(hostname?.toLowerCase() ?? '')) return false
    return solvedAt === undefined || solvedAt > clock.now() - oldestMs
  }

  const check: Captcha['check'] = async (
    { form, captchaId, token = '', source, address, waivable },
    signal,
  ) => {
    if (token === '') return waivable && (await isAway()) ? waive(source) : { outcome: 'missing' }
    if (captchaId !== site.id || token.length > longestToken) return { outcome: 'wrong' }
    const spentUntil = await chargeBoth(budgets.captchas, budgets.captchasEverywhere, source)
    if (spentUntil !== undefined) return { outcome: 'limited', retryAt: spentUntil }
    // The hash is the same with every secret of the engine: nodes that rotate it know each other's tokens.
    const claim = await spend(storage.db, used, plainHash(`captcha token ${token}`), clock.now())
    if (!claim.allowed) return { outcome: 'reused' }
    const isKnown =
      sendAddress && source.kind === 'address' && address !== undefined && isPublicAddress(address)
    const answer = await ask({ token, remoteIp: isKnown ? address : undefined }, signal)
    if (answer.result === 'right') return { outcome: isOurs(answer, form) ? 'passed' : 'wrong' }
    if (answer.result === 'wrong') return { outcome: 'wrong' }
    if (!waivable) return { outcome: 'away', retryAt: clock.now() + pauseMs }
    return waive(source)
  }

  return {
    site,
    guards: (form) => forms.includes(form),
    async check(answer, signal) {
      const verdict = await check(answer, signal)
      parts.onOutcome?.(verdict.outcome)
      return verdict
    },
  }
}
