import { close, consentTo, type Input, type Step, type View, valueAt } from '../../flow/index.ts'

type ConsentScope = NonNullable<View['consent']>['scopes'][number]

/** Okta's words for the scopes that every server has; an administrator may have set others. */
const words: Readonly<Record<string, readonly [label: string, desc: string]>> = {
  openid: ['Know who you are.', 'This allows the app to sign you in.'],
  profile: [
    'View your profile information.',
    'The exact data varies based on what profile information you have provided, such as: name, time zone, picture, or birthday.',
  ],
  email: ['View your email address.', 'This allows the app to view your email address.'],
  address: [
    'View your address.',
    'This allows the app to view your address, such as: street address, city, state, and zip code.',
  ],
  phone: ['View your phone number.', 'This allows the app to view your phone number.'],
  groups: ['View your groups.', 'This allows the app to view the groups that you belong to.'],
  offline_access: [
    'Keep you signed in to the app.',
    'This keeps you signed in to the app, even when you are not using it.',
  ],
}

const labelOf = ({ name, label }: ConsentScope): string => label ?? words[name]?.[0] ?? name
const descOf = ({ name, label, desc }: ConsentScope): string | undefined =>
  desc ?? (label === undefined ? words[name]?.[1] : undefined)

/** By which a page finds the words of its own language; absent where an administrator chose them. */
const keyOf = ({ name, label }: ConsentScope): string | undefined =>
  label === undefined && Object.hasOwn(words, name) ? `consent.scope.${name}` : undefined

const isGranular = ({ consent }: View): boolean => consent?.scopes.some(({ optional }) => optional) === true

/** The answer of a form: whether the user agrees. JSON has it as a boolean, a page without JavaScript as a text. */
function answerIn(input: Input): boolean | undefined {
  const { consent } = input
  if (typeof consent === 'boolean') return consent
  return consent === 'true' ? true : consent === 'false' ? false : undefined
}

/** Which of the optional scopes the user leaves out: those of which the form says so, for what is not said is not agreed to. */
const leftOut = (input: Input, scopes: readonly ConsentScope[]): readonly string[] =>
  scopes.flatMap(({ name, optional }) => {
    const opted = valueAt({ opted: input.optedScopes }, `opted`)
    const value =
      typeof opted === 'object' && opted !== null && Object.hasOwn(opted, name)
        ? (opted as Input)[name]
        : undefined
    return optional === true && value !== true && value !== 'true' ? [name] : []
  })

/**
 * What an app wants of the user that the user has not allowed before: asked for at the end of a sign-in on the engine's own pages. One
 * who does not agree goes back to the app with `access_denied`, and nothing of it is remembered.
 */
export const consent: Step = {
  name: 'consent',
  path: 'consent',
  place: 'remediation',
  stages: ['consent'],
  offered: (view) => !isGranular(view),
  fields: () => [
    {
      name: 'consent',
      type: 'boolean',
      required: true,
      values: [
        { label: 'Allow Access', value: true },
        { label: 'Don’t Allow', value: false },
      ],
    },
  ],
  members: ({ consent: asked }) => ({
    scopes: (asked?.scopes ?? []).map((scope) => ({
      name: scope.name,
      label: labelOf(scope),
      ...(keyOf(scope) && { i18n: { key: keyOf(scope) } }),
      value: scope.name,
      desc: descOf(scope) ?? null,
    })),
  }),
  async accept(input, { progress, person, consent: asked, client, interaction }) {
    const agrees = answerIn(input)
    if (agrees === undefined || person === undefined || asked === undefined) {
      return { progress, refused: { status: 400, key: 'model.validation.field.blank', field: 'consent' } }
    }
    if (!agrees) return { progress: close(progress, 'declined'), rule: 'consent-declined' }
    const declined = leftOut(input, asked.scopes)
    const scopes = asked.scopes.map(({ name }) => name).filter((name) => !declined.includes(name))
    const without = [...declined, ...(asked.leftOut ?? [])]
    const all = interaction.request.scope.split(' ')
    return {
      progress: consentTo(progress, scopes),
      effects: [
        {
          type: 'consent.give',
          personId: person.id,
          clientId: client.id,
          scopes,
          leftOut: declined,
          ...(without.length > 0 && { leaves: all.filter((name) => !without.includes(name)).join(' ') }),
        },
        {
          type: 'audit.record',
          event: {
            eventType: 'app.oauth2.as.consent.grant',
            displayMessage: 'User granted consent to app',
            outcome: { result: 'SUCCESS' },
            actor: { id: person.id, type: 'User', alternateId: person.profile.login },
            target: [{ id: client.id, type: 'AppInstance', displayName: client.label }],
            debugData: { scopes: scopes.join(' ') },
          },
        },
      ],
    }
  },
}

/** The same where the user may leave some of it out: a box for each. */
export const granularConsent: Step = {
  ...consent,
  name: 'granular-consent',
  offered: isGranular,
  members: () => ({}),
  fields: ({ consent: asked }) => [
    { name: 'consent', type: 'boolean', required: true, hidden: true },
    {
      name: 'optedScopes',
      fields: (asked?.scopes ?? []).map((scope) => {
        const desc = descOf(scope)
        const labelKey = keyOf(scope)
        return {
          ...{ name: scope.name, label: labelOf(scope), type: 'boolean' as const, required: true },
          ...(desc !== undefined && { desc }),
          ...(labelKey !== undefined && { labelKey }),
          ...(scope.optional ? { value: true } : { fixed: true as const }),
        }
      }),
    },
  ],
}
