import { isoTime } from '../../base/index.ts'
import {
  type Authenticator,
  authenticatorId,
  choicesOf,
  enrollmentId,
  type FlowAnswer,
  onOffer,
  recovered,
  type Step,
  type TransactionContext,
  type View,
} from '../../flow/index.ts'
import { wireForm } from './form.ts'
import { wireMessage } from './messages.ts'

/** What a response is made with. */
export interface WireParts {
  readonly steps: readonly Step[]
  readonly authenticators: ReadonlyMap<string, Authenticator>
  /** The public address of the engine, without a slash at the end. */
  readonly baseUrl: string
  /** The OAuth base of an issuer's name, for the hint where the interaction code is redeemed. */
  tokenUrl(issuer: string): string
}

type Json = Readonly<Record<string, unknown>>

const array = (value: readonly unknown[]): Json => ({ type: 'array', value })
const object = (value: Json): Json => ({ type: 'object', value })

/** An answer of the flow as the protocol writes it: exactly the steps on offer, and what they are about. */
export function wireResponse(parts: WireParts, answer: FlowAnswer): Json {
  const { context: standing, refused, notice, interactionCode } = answer
  const { transaction, stage } = standing
  const said = refused ?? notice
  const message = said && wireMessage(said, parts.authenticators)
  const onField =
    refused?.field !== undefined && message ? { field: refused.field, value: message } : undefined
  const head = {
    version: '1.0.0',
    stateHandle: transaction.stateHandle,
    expiresAt: isoTime(Math.floor(transaction.expiresAt / 1000) * 1000),
    intent: 'LOGIN',
    ...(message && !onField && { messages: array([message]) }),
  }
  if (interactionCode !== undefined)
    return { ...head, ...context(standing), ...success(parts, standing, interactionCode) }
  // A terminal response carries no `cancel`: the SDK would be stuck on it.
  if (stage === 'closed') return head

  const view: View = { ...standing, progress: transaction.progress, authenticators: parts.authenticators }
  const rendered = onOffer(parts.steps, view).filter((step) => step.rendered?.(view) ?? true)
  const form = (step: Step) => stepForm(parts, standing, view, step, onField)
  const at = (place: Step['place']) => rendered.filter((step) => step.place === place)
  const actions = Object.fromEntries(at('authenticator').map((step) => [step.name, form(step)]))
  return {
    ...head,
    remediation: array(at('remediation').map(form)),
    ...about(view, standing, actions),
    ...context(standing),
    ...Object.fromEntries(at('top').map((step) => [step.name, form(step)])),
  }
}

function stepForm(
  parts: WireParts,
  standing: TransactionContext,
  view: View,
  step: Step,
  message: Parameters<typeof wireForm>[0]['message'],
): Json {
  const { challenge } = view.progress
  const polled = challenge && parts.authenticators.get(challenge.authenticator)?.verify?.polls?.(challenge)
  const related = relations[step.name]
  return wireForm({
    name: step.name,
    href: `${parts.baseUrl}/idp/idx/${step.path}`,
    fields: step.fields(view),
    stateHandle: standing.transaction.stateHandle,
    ...(related !== undefined && { relatesTo: related }),
    refresh: step.name === 'poll' ? polled : undefined,
    message,
    optionPath: ({ authenticator }) =>
      `$.authenticatorEnrollments.value[${choicesOf(view.progress, view.policy).indexOf(authenticator)}]`,
  })
}

/** Which part of the response a form is about. */
const relations: Readonly<Record<string, string>> = {
  'challenge-authenticator': '$.currentAuthenticatorEnrollment',
  'reset-authenticator': '$.currentAuthenticator',
  'reenroll-authenticator': '$.currentAuthenticator',
}

/** The authenticators that the forms point to, with the actions that hang on the current one. */
function about(view: View, standing: TransactionContext, actions: Json): Json {
  const { progress, policy, authenticators, stage } = view
  const password = authenticators.get(recovered)
  if (password === undefined) throw new Error('the password authenticator is missing')
  const settings = { settings: password.reset?.settings(policy.password) }

  if (stage === 'identify') {
    if (Object.keys(actions).length === 0) return {}
    return { currentAuthenticator: object({ ...describe(password), ...actions }) }
  }
  if (stage === 'identify-recovery') return { recoveryAuthenticator: object(describe(password)) }
  if (stage === 'reset' || stage === 'reenroll') {
    return {
      currentAuthenticator: object({ ...describe(password), ...settings, ...actions }),
      recoveryAuthenticator: object({ ...describe(password), ...settings }),
      ...(stage === 'reenroll' && {
        enrollmentAuthenticator: object({ ...describe(password), ...settings }),
      }),
      ...user(standing),
    }
  }
  return {
    ...current(view, standing, actions),
    ...selection(view, standing),
    ...(progress.intent === 'recovery' && { recoveryAuthenticator: object(describe(password)) }),
    ...user(standing),
  }
}

/** The enrollment that is being challenged. */
function current(
  { progress, authenticators }: View,
  { transaction }: TransactionContext,
  actions: Json,
): Json {
  const { challenge } = progress
  const authenticator = authenticators.get(challenge?.authenticator ?? '')
  if (challenge === undefined || authenticator === undefined) return {}
  const contextualData = authenticator.verify?.contextualData?.(challenge)
  return {
    currentAuthenticatorEnrollment: object({
      ...enrollment(authenticator, { progress, transactionId: transaction.id }),
      ...(contextualData && { contextualData }),
      ...actions,
    }),
  }
}

/** What can be chosen, in the order of the options. */
function selection({ progress, policy, authenticators }: View, { transaction }: TransactionContext): Json {
  const choices = choicesOf(progress, policy).flatMap((key) => authenticators.get(key) ?? [])
  return {
    authenticators: array(choices.map(describe)),
    authenticatorEnrollments: array(
      choices.map((choice) => enrollment(choice, { progress, transactionId: transaction.id })),
    ),
  }
}

const describe = ({ key, type, displayName, methods }: Authenticator): Json => ({
  type,
  key,
  id: authenticatorId(key),
  displayName,
  methods: methods.map((method) => ({ type: method })),
})

function enrollment(
  authenticator: Authenticator,
  { progress, transactionId }: { readonly progress: View['progress']; readonly transactionId: string },
): Json {
  const profile = authenticator.verify?.profile?.(progress)
  return {
    ...(profile && { profile }),
    ...describe(authenticator),
    id: enrollmentId(authenticator, transactionId),
  }
}

/** Who it is about, as typed. The id stands only in the last response: before that it would tell who exists. */
const user = ({ transaction }: TransactionContext): Json => {
  const { subject } = transaction.progress
  return subject === undefined ? {} : { user: object({ identifier: subject.identifier }) }
}

const context = ({ client }: TransactionContext): Json => ({
  app: object({ name: 'oidc_client', label: client.label, id: client.id }),
})

function success(
  parts: WireParts,
  { transaction, interaction, client }: TransactionContext,
  interactionCode: string,
): Json {
  const { subject } = transaction.progress
  return {
    user: object({ id: subject?.userId, identifier: subject?.identifier }),
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
