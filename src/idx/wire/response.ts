import { isObject, isoTime, type Secrets } from '../../base/index.ts'
import { isOwnPages } from '../../clients/index.ts'
import type { Enrollment, Profile } from '../../directory/index.ts'
import {
  type Authenticator,
  authenticatorAsked,
  authenticatorId,
  enrollmentId,
  type FlowAnswer,
  intents,
  isEnrolling,
  type Message,
  type Option,
  onOffer,
  type RenderContext,
  type Stage,
  type Step,
  type TransactionContext,
  type View,
} from '../../flow/index.ts'
import { type FieldMessage, wireForm } from './form.ts'
import { wireMessage } from './messages.ts'

/** What a response is made with. */
interface WireParts {
  readonly steps: readonly Step[]
  readonly authenticators: ReadonlyMap<string, Authenticator>
  readonly secrets: Secrets
  readonly orgName: string
  /** The public address of the engine, without a slash at the end. */
  readonly baseUrl: string
  /** The OAuth base of an issuer's name, for the hint where the interaction code is redeemed. */
  tokenUrl(issuer: string): string
}

type Json = Readonly<Record<string, unknown>>

const array = (value: readonly unknown[]): Json => ({ type: 'array', value })
const object = (value: Json): Json => ({ type: 'object', value })

/** An answer of the flow as the protocol writes it: exactly the steps on offer, and the parts they point to. */
export async function wireResponse(parts: WireParts, answer: FlowAnswer): Promise<Json> {
  const { context, view, refused, notice, interactionCode } = answer
  const { transaction, stage } = context
  const shown = refused ?? notice
  const message = shown && wireMessage(shown, parts.authenticators)
  const warning: Message | undefined =
    stage === 'reenroll-warning'
      ? { key: 'idx.password.expiring.message', params: [parts.orgName] }
      : stage === 'request-activation'
        ? { key: 'idx.expired.activation.token' }
        : undefined
  const onFields: readonly FieldMessage[] =
    refused?.field !== undefined && message
      ? [
          { field: refused.field, value: message },
          ...(refused.besides ?? []).map((one) => ({
            field: one.field,
            value: wireMessage(one, parts.authenticators),
          })),
        ]
      : []
  const messages = [
    ...(message && onFields.length === 0 ? [message] : []),
    ...(warning ? [wireMessage(warning, parts.authenticators)] : []),
  ]
  const head = {
    version: '1.0.0',
    stateHandle: transaction.stateHandle,
    expiresAt: isoTime(Math.floor(transaction.expiresAt / 1000) * 1000),
    intent: 'LOGIN',
    ...(messages.length > 0 && { messages: array(messages) }),
  }
  if (interactionCode !== undefined) {
    return { ...head, ...appOf(context), ...success(parts, context, interactionCode) }
  }
  if (answer.returns)
    return { ...head, ...appOf(context), ...userAt(context), ...redirecting(parts, context) }
  // A terminal response carries no `cancel`: the SDK would be stuck on it.
  if (stage === 'closed') return head

  const rendered = onOffer(parts.steps, view).filter((step) => step.rendered?.(view) ?? true)
  const form = (step: Step) => stepForm(parts, context, view, step, onFields)
  const at = (place: Step['place']) => rendered.filter((step) => step.place === place)
  const actions = Object.fromEntries(at('authenticator').map((step) => [step.name, form(step)]))
  return {
    ...head,
    remediation: array(at('remediation').map(form)),
    ...(await about(parts, context, view, actions)),
    ...Object.assign({}, ...rendered.map((step) => step.parts?.(renderContext(parts, view)) ?? {})),
    ...appOf(context),
    ...(stage === 'consent' && authenticationOf(parts, context)),
    ...Object.fromEntries(at('top').map((step) => [step.name, form(step)])),
  }
}

function stepForm(
  parts: WireParts,
  { transaction }: TransactionContext,
  view: View,
  step: Step,
  messages: readonly FieldMessage[],
): Json {
  const related = step.about?.(view)
  return wireForm({
    name: step.name,
    href: `${parts.baseUrl}/idp/idx/${step.path}`,
    fields: step.fields(view),
    stateHandle: transaction.stateHandle,
    ...(related !== undefined && { relatesTo: typeof related === 'string' ? paths[related] : related.part }),
    refresh: step.refresh?.(view),
    ...(step.members && { members: step.members(view) }),
    messages,
    optionPath: (option) => optionPath(view, option),
  })
}

/** Where the part that a form is about stands. */
const paths = {
  authenticator: '$.currentAuthenticator',
  enrollment: '$.currentAuthenticatorEnrollment',
} as const

/** Where the part that an option is about stands. */
function optionPath(view: View, { authenticator, enrollmentId: id }: Option): string {
  if (isEnrolling(view.stage)) {
    return `$.authenticators.value[${view.enrollable.findIndex(({ key }) => key === authenticator)}]`
  }
  const chosen = view.choices.findIndex(({ key }) => key === authenticator)
  if (view.choices[chosen]?.challenge?.optionAbout === 'authenticator') {
    return `$.authenticators.value[${chosen}]`
  }
  const at = listed(view).findIndex(
    (one) => one.authenticator.key === authenticator && (id === undefined || one.enrollment?.id === id),
  )
  return `$.authenticatorEnrollments.value[${at}]`
}

type PartsOf = (
  parts: WireParts,
  context: TransactionContext,
  view: View,
  actions: Json,
) => Promise<Json> | Json

/** The parts of a response at each stage: the authenticators that the forms point to, with the actions on the current one. */
const about: PartsOf = (parts, context, view, actions) => partsAt[view.stage](parts, context, view, actions)

const nothing: PartsOf = () => ({})

const replacing: PartsOf = (_, context, view, actions) => {
  const current = replaced(view)
  const { expiring } = view.progress
  const settings = {
    settings: {
      ...current.reset?.settings(view.policy.password),
      ...(view.stage === 'reenroll-warning' && expiring && { daysToExpiry: expiring.days }),
    },
  }
  return {
    currentAuthenticator: object({ ...describe(view, current), ...settings, ...actions }),
    recoveryAuthenticator: object({ ...describe(view, current), ...settings }),
    ...(view.stage.startsWith('reenroll') && {
      enrollmentAuthenticator: object({ ...describe(view, current), ...settings }),
    }),
    ...user(context),
  }
}

const challenging: PartsOf = async (parts, context, view, actions) => ({
  ...(await challenged(parts, view, actions)),
  authenticators: array(view.choices.map((one) => describe(view, one))),
  authenticatorEnrollments: array(listed(view).map((one) => enrollment(view, one))),
  ...(intents[view.progress.intent].replaces !== undefined && {
    recoveryAuthenticator: object(describe(view, replaced(view))),
  }),
  ...user(context),
})

const enrolling: PartsOf = async (parts, context, view, actions) => {
  const { challenge } = view.progress
  const current = view.authenticators.get(challenge?.authenticator ?? '')
  const contextualData =
    challenge &&
    !challenge.pending &&
    (await current?.enroll?.contextualData?.(challenge, renderContext(parts, view)))
  return {
    ...(challenge &&
      current && {
        currentAuthenticator: object({
          ...(contextualData && { contextualData }),
          ...describe(view, current, challenge.pending ? undefined : challenge.method),
          ...(current.reset && { settings: current.reset.settings(view.policy.password) }),
          ...actions,
        }),
      }),
    authenticators: array(
      view.enrollable.map((one) => ({ ...describe(view, one), ...gracePeriodOf(view, one) })),
    ),
    authenticatorEnrollments: array(
      view.enrollments.flatMap((one) => {
        const authenticator = view.authenticators.get(one.authenticator)
        return authenticator === undefined ? [] : [enrollment(view, { authenticator, enrollment: one })]
      }),
    ),
    ...(challenge &&
      current &&
      !challenge.pending && { enrollmentAuthenticator: object(describe(view, current, challenge.method)) }),
    ...user(context),
  }
}

/** Until when an enrolment that is required may be put off, while it may be. */
function gracePeriodOf({ gracePeriods = {} }: View, { key }: Authenticator): Json {
  const period = gracePeriods[key]
  if (period === undefined) return {}
  const { type } = period
  const end =
    type === 'BY_DATE_TIME' ? { expiry: isoTime(period.expiry) } : { remainingSkips: period.remainingSkips }
  return { gracePeriod: { type, ...end } }
}

const partsAt: Readonly<Record<Stage, PartsOf>> = {
  identify: (_, __, view, actions) =>
    Object.keys(actions).length === 0
      ? {}
      : { currentAuthenticator: object({ ...describe(view, replaced(view)), ...actions }) },
  'identify-recovery': (_, __, view) => ({ recoveryAuthenticator: object(describe(view, replaced(view))) }),
  'identify-unlock': challenging,
  // The password of the form stands on an authenticator that the user does not have yet. It has no actions: there is
  // nothing to recover.
  'enroll-profile': (_, __, view) =>
    view.registration?.passwordInForm
      ? {
          currentAuthenticator: object({
            ...describe(view, replaced(view)),
            ...(replaced(view).reset && { settings: replaced(view).reset?.settings(view.policy.password) }),
          }),
        }
      : {},
  'request-activation': (_, context) => user(context),
  select: challenging,
  'verify-data': challenging,
  verify: challenging,
  reset: replacing,
  reenroll: replacing,
  'reenroll-warning': replacing,
  'enroll-profile-update': (_, context) => user(context),
  consent: (_, context) => user(context),
  'select-enroll': enrolling,
  'enroll-data': enrolling,
  enroll: enrolling,
  recovered: nothing,
  unlocked: nothing,
  granted: nothing,
  closed: nothing,
}

/** The authenticator whose credential a recovery replaces. */
function replaced({ replaceable }: View): Authenticator {
  if (replaceable === undefined) throw new Error('no authenticator can be replaced')
  return replaceable
}

/** What is being challenged: an enrollment, or for some authenticators the authenticator itself. */
async function challenged(parts: WireParts, view: View, actions: Json): Promise<Json> {
  const { challenge } = view.progress
  const authenticator = authenticatorAsked(view)
  if (authenticator?.challenge === undefined) return {}
  const { challenge: ways } = authenticator
  const sent = challenge?.pending ? undefined : challenge
  const contextualData = sent && (await ways.contextualData?.(sent, renderContext(parts, view)))
  const method = sent?.method
  if (ways.about === 'authenticator') {
    const current = {
      ...describe(view, authenticator, method),
      ...(contextualData && { contextualData }),
      ...actions,
    }
    return { currentAuthenticator: object(current) }
  }
  const own = view.enrollments.filter((one) => one.authenticator === authenticator.key)
  const chosen = own.find(({ id }) => id === challenge?.enrollmentId) ?? own[0]
  return {
    currentAuthenticatorEnrollment: object({
      ...enrollment(view, { authenticator, enrollment: chosen }, method),
      ...(contextualData && { contextualData }),
      ...actions,
    }),
  }
}

const renderContext = ({ secrets, orgName, baseUrl }: WireParts, view: View): RenderContext => ({
  ...view,
  secrets,
  org: { name: orgName, baseUrl },
})

/** What stands in the list of enrollments: an entry for each option, and for some authenticators one for each enrollment. */
interface Listed {
  readonly authenticator: Authenticator
  readonly enrollment: Enrollment | undefined
}

const listed = ({ choices, enrollments }: View): readonly Listed[] =>
  choices.flatMap((authenticator) => {
    const { optionPerEnrollment, optionAbout } = authenticator.challenge ?? {}
    const own = enrollments.filter((one) => one.authenticator === authenticator.key)
    const all = optionPerEnrollment || optionAbout === 'authenticator' ? own : own.slice(0, 1)
    const entries: readonly (Enrollment | undefined)[] = all.length === 0 ? [undefined] : all
    return entries.map((one): Listed => ({ authenticator, enrollment: one }))
  })

/** An authenticator as it stands in a response. Once a method is chosen it alone is listed. */
const describe = (view: View, authenticator: Authenticator, chosen?: string): Json => {
  const { key, type, displayName, methods } = authenticator
  const listed =
    chosen === undefined ? view.methodsOf(authenticator) : methods.filter(({ type: one }) => one === chosen)
  return {
    type,
    key,
    id: authenticatorId(key),
    displayName,
    methods: listed.map((method) => ({ type: method.type })),
  }
}

/** An enrollment as it stands in a response: before a proof with an id that says nothing of the user. */
function enrollment(view: View, { authenticator, enrollment: own }: Listed, method?: string): Json {
  const profile = authenticator.challenge?.profile?.(view, own)
  return {
    ...(profile && { profile }),
    ...describe(view, authenticator, method),
    id: own?.id ?? enrollmentId(authenticator, view.transaction.id),
    ...(own?.name && { displayName: own.name }),
    ...(own && authenticator.challenge?.details?.(own)),
  }
}

/** Who it is about, as typed. The id stands only in the last response: before that it would show who has an account. */
const user = ({ transaction }: TransactionContext): Json => {
  const { subject } = transaction.progress
  return subject === undefined ? {} : { user: object({ identifier: subject.identifier }) }
}

/** Absent on the engine's own pages where no app has sent the browser. */
const appOf = ({ client, stage }: TransactionContext): Json =>
  isOwnPages(client.id)
    ? {}
    : {
        app: object({
          ...{ name: 'oidc_client', label: client.label, id: client.id },
          ...(stage === 'consent' && pagesOf(client)),
        }),
      }

/** Who asks for the consent: the widget shows no page of it without this. */
const authenticationOf = ({ baseUrl }: WireParts, { interaction: { issuer } }: TransactionContext): Json => ({
  authentication: object({
    protocol: 'OAUTH2.0',
    issuer: { uri: issuer === 'default' ? `${baseUrl}/oauth2/default` : baseUrl },
  }),
})

/** Where an app says more of itself, as it was registered: for who is asked to allow it something. */
function pagesOf({ settings: { registration } }: TransactionContext['client']): Json {
  const { oauthClient } = membersOf(membersOf(registration).settings)
  const { client_uri: clientUri, tos_uri: terms, policy_uri: privacy } = membersOf(oauthClient)
  return {
    ...(typeof clientUri === 'string' && { clientUri: { href: clientUri } }),
    ...(typeof terms === 'string' && { termsOfService: { href: terms, rel: ['terms-of-service'] } }),
    ...(typeof privacy === 'string' && { privacyPolicy: { href: privacy, rel: ['privacy-policy'] } }),
  }
}

const membersOf = (value: unknown): Json => (isObject(value) ? value : {})

/**
 * The names of a user who is signed in: strict clients refuse the last answer without them. No earlier answer has
 * them. What is not set is as in a new user of Okta, but for the place of the time zone.
 */
const profileOf = (person: TransactionContext['person']): Json => {
  const { firstName, lastName, timezone, locale }: Partial<Profile> = person?.profile ?? {}
  return { firstName, lastName, timeZone: timezone ?? 'UTC', locale: locale ?? 'en_US' }
}

const userAt = ({ transaction, person }: TransactionContext): Json => {
  const { subject } = transaction.progress
  return {
    user: object({ id: subject?.userId, identifier: subject?.identifier, profile: profileOf(person) }),
  }
}

/** The end on the engine's own pages: the browser itself goes there, with the cookie that the request is bound to (A80). */
const redirecting = ({ baseUrl }: WireParts, { transaction }: TransactionContext): Json => ({
  success: {
    name: 'success-redirect',
    href: `${baseUrl}/login/token/redirect?stateToken=${encodeURIComponent(transaction.stateHandle)}`,
  },
})

function success(parts: WireParts, context: TransactionContext, interactionCode: string): Json {
  const { interaction, client } = context
  return {
    ...userAt(context),
    successWithInteractionCode: {
      rel: ['create-form'],
      name: 'issue',
      href: parts.tokenUrl(interaction.issuer),
      method: 'POST',
      produces: 'application/json',
      value: [
        { name: 'grant_type', required: true, value: 'interaction_code' },
        { name: 'interaction_code', required: true, value: interactionCode },
        { name: 'client_id', required: true, value: client.id },
        { name: 'code_verifier', required: true },
      ],
      accepts: 'application/x-www-form-urlencoded',
    },
  }
}
