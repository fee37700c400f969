import { type Static, Type } from 'typebox'
import { configuredRules } from './password-rules.ts'

// Without a default: absent members come from the preset, and a 0 in their place would weaken it.
const count = (description: string, maximum = 100) => Type.Integer({ description, minimum: 0, maximum })

/** The password, recovery and sign-on slices of the configuration. */
export const policiesOptions = Type.Object(
  {
    password: Type.Object(
      {
        preset: Type.Union([Type.Literal('modern'), Type.Literal('okta')], {
          description:
            '`modern`: at least 12 characters, blocklist, no composition rules (NIST SP 800-63B-4). `okta`: 8 characters, four classes, the last 4 refused.',
          default: 'modern',
        }),
        // Absent members come from the preset.
        complexity: Type.Optional(Type.Partial(Type.Object(configuredRules('complexity')))),
        age: Type.Optional(Type.Partial(Type.Object(configuredRules('age')))),
        lockout: Type.Optional(
          Type.Partial(
            Type.Object({
              maxAttempts: count('Wrong passwords in a row that lock an account; 0: never.'),
              autoUnlockMinutes: count(
                'Minutes after which a locked account is unlocked by itself; 0: never.',
                100_000,
              ),
            }),
          ),
        ),
        recovery: Type.Object(
          {
            authenticators: Type.Array(Type.String(), {
              description:
                'The authenticators that may start a recovery. Empty: users cannot recover a password themselves.',
              default: ['okta_email'],
              uniqueItems: true,
            }),
            // Absent and false are the same. Without a default, so that an upgrade leaves default policies as they are.
            unlock: Type.Optional(
              Type.Boolean({
                description:
                  'Users may open their own locked accounts, by the same proof as a recovery. The first page offers it to every name. `rekey dev` has it on where this is absent.',
              }),
            ),
          },
          { default: {} },
        ),
      },
      { default: {} },
    ),
  },
  { default: {} },
)

export const recoveryOptions = Type.Object(
  {
    offerRevokeSessions: Type.Boolean({
      description:
        'Offer "Sign me out of all other devices" at the reset. When not offered, other sessions are revoked.',
      default: false,
    }),
    revealUnknown: Type.Boolean({
      description:
        'Say "There is no account with the Username …" to any caller. Weakens security: everyone can find out who has an account.',
      default: false,
    }),
    signIn: Type.Boolean({
      description:
        'Whether a completed recovery signs the user in; otherwise it ends in a message. It also does where the app asks for more factors than the recovery proved: the new password adds none.',
      default: true,
    }),
    secondFactor: Type.Union([Type.Literal('if-enrolled'), Type.Literal('required')], {
      description:
        'Whether recovery asks for a second factor: of users who have one, or of all (a user who has none is refused).',
      default: 'if-enrolled',
    }),
    unlockContinues: Type.Boolean({
      description:
        'Whether an account that its user has unlocked goes on to the sign-in in the same transaction; otherwise a message ends it.',
      default: false,
    }),
    countsAsOneFactor: Type.Boolean({
      description:
        'Count a password that a user set by a recovery, and what proved that recovery, as one factor in later sign-ins, too: a reader of the mailbox has both. It counts again once the user has changed it by knowing it, or an administrator has set one.',
      default: false,
    }),
  },
  { default: {} },
)

export const signOnOptions = Type.Object(
  {
    start: Type.Union([Type.Literal('password'), Type.Literal('identifier')], {
      description: 'What the first page asks for: username and password, or the username only.',
      default: 'password',
    }),
    factors: Type.Union([Type.Literal('1FA'), Type.Literal('2FA')], {
      description: 'How many factors a sign-in requires.',
      default: '1FA',
    }),
  },
  { default: {} },
)

/** The sign-up slice of the configuration: what holds at every app, besides its profile enrollment policy. */
export const signUpOptions = Type.Object(
  {
    // Without a default, so that `rekey dev` and the testing kit recognise whether it was set.
    open: Type.Optional(
      Type.Boolean({
        description:
          'Whether visitors may make accounts. `true`: the default profile enrollment policy lets them. `false`: no policy does. Absent: as the policies say, of which the default one lets no visitor sign up; `rekey dev` and the testing kit have `true` then.',
      }),
    ),
    invitationOnly: Type.Boolean({
      description:
        'Only users whom an administrator has made get in, with the link of their invitation: no visitor makes an account.',
      default: false,
    }),
    terms: Type.Object(
      {
        version: Type.Optional(
          Type.String({
            description:
              'The version of the terms that a new user agrees to, such as `2026-01`: recorded with the time. With `signUp.terms.url` the form asks for it.',
          }),
        ),
        url: Type.Optional(Type.String({ description: 'The address of the terms.' })),
        label: Type.Optional(
          Type.String({
            description: 'The words beside the box. Default: `I agree to the terms (URL)`.',
          }),
        ),
      },
      { default: {} },
    ),
    domains: Type.Object(
      {
        allowed: Type.Array(Type.String(), {
          description:
            'The domains whose addresses may sign up: `example.com`, or `*.example.com` for those below it. Empty: all.',
          default: [],
          uniqueItems: true,
        }),
        blocked: Type.Array(Type.String(), {
          description:
            'The domains whose addresses may not sign up, each with all domains below it. Stronger than `signUp.domains.allowed`.',
          default: [],
          uniqueItems: true,
        }),
      },
      { default: {} },
    ),
  },
  { default: {} },
)

export type PoliciesOptions = Static<typeof policiesOptions>
export type RecoveryOptions = Static<typeof recoveryOptions>
export type SignOnOptions = Static<typeof signOnOptions>
type SignUp = Static<typeof signUpOptions>
/** As it is configured; an engine that was opened without it has none of it. */
export type SignUpOptions = Partial<SignUp>
