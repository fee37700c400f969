import type { Random, Secrets } from '../base/index.ts'
import { randomId } from '../base/index.ts'
import {
  hasVerifiedEmail,
  type Member,
  mailboxKey,
  type NewEnrollment,
  type Person,
  type Profile,
} from '../directory/index.ts'
import { evidenceOf, type RegistrationPolicy } from '../policies/index.ts'
import type { StepContext } from './authenticator.ts'
import type { Effect, Outcome, Replacing } from './outcome.ts'
import { backToSignIn, createUser, enrolls, type Progress, type Registration } from './progress.ts'

const purpose = 'registration'

/** What a visitor has filled in, as it stands in the transaction until something is proven. */
export function sealRegistration(
  { secrets, random, now }: { readonly secrets: Secrets; readonly random: Random; readonly now: number },
  {
    profile,
    password,
    terms,
    id = newUserId(random),
  }: {
    readonly profile: Profile
    /** Of the form. */
    readonly password?: NewEnrollment | undefined
    readonly terms?: { readonly version: string; readonly url: string } | undefined
    readonly id?: string
  },
): Registration {
  return {
    id,
    profile: secrets.seal(purpose, JSON.stringify(profile)),
    ...(password && { password: secrets.seal(purpose, JSON.stringify(password)) }),
    ...(terms && { terms: { version: terms.version, url: terms.url, at: now } }),
    at: now,
  }
}

/** The id of a user who will be made. */
export const newUserId = (random: Random): string => randomId(random, '00u')

/** The user that a registration will make, as far as anything may read of one. */
export function prospectiveUser(secrets: Secrets, { id, profile, at }: Registration): Person {
  return prospectiveOf({ id, profile: JSON.parse(secrets.open(purpose, profile) ?? 'null') as Profile, at })
}

/** The same of what was filled in a moment ago. */
export const prospectiveOf = ({
  id,
  profile,
  at,
}: {
  readonly id: string
  readonly profile: Profile
  readonly at: number
}): Person => ({
  id,
  // Being created: so an authenticator sends to the user what it sends to one who is about to come in.
  status: 'PROVISIONED',
  profile,
  createdAt: at,
  updatedAt: at,
  statusChangedAt: at,
  passwordChangedAt: null,
  lastLoginAt: null,
  version: 0,
  prospective: true,
})

/** The enrollment of the password that the form asked for. */
export const passwordOf = (secrets: Secrets, { password }: Registration): NewEnrollment | undefined =>
  password === undefined
    ? undefined
    : (JSON.parse(secrets.open(purpose, password) ?? 'null') as NewEnrollment)

/** The user of a registration that has not made one yet, in the groups that the user will be in; else the member as read. */
export function memberOf(
  secrets: Secrets,
  { intent, subject, registration }: Progress,
  member: Member,
  { targetGroupIds }: RegistrationPolicy,
  isBeingMade = false,
): Member {
  if (intent !== 'registration' || member.person !== undefined) return member
  const isAhead = registration !== undefined && (isBeingMade || subject?.userId === undefined)
  return {
    person: isAhead ? prospectiveUser(secrets, registration) : undefined,
    groupIds: [...new Set([member.everyoneId, ...targetGroupIds])],
    everyoneId: member.everyoneId,
  }
}

/**
 * Whether the holder of a name gives way to a sign-up with it: a user whose own sign-up never ended, so that an abandoned one
 * blocks no address (A63). Nothing of that user stays. Who has proven the mailbox gives way to a proof of it alone.
 */
export const givesWay = (holder: Person, to: Profile, { before, sameMailbox }: Replacing): boolean =>
  holder.status === 'PROVISIONED' &&
  holder.unfinishedAt !== undefined &&
  holder.unfinishedAt < before &&
  (sameMailbox ? mailboxKey(holder.profile.email) === mailboxKey(to.email) : !hasVerifiedEmail(holder))

/**
 * Whom a sign-up may take the place of. With the mailbox proven: a user who was made before the code was sent; of two who have
 * their codes the first to answer wins. Without: one whose transaction is over, and who has proven no mailbox.
 */
export const replacing = (
  { now, lifetimes, registration }: Pick<StepContext, 'now' | 'lifetimes' | 'registration'>,
  sentAt = now,
): Replacing =>
  registration?.emailVerification === false
    ? { before: now - (lifetimes.transaction ?? 3_600_000), sameMailbox: false }
    : { before: sentAt, sameMailbox: true }

/** What a visitor is answered where no sign-up is open any more: the first page. Undefined: it is open. */
export const closedSignUp = ({
  progress,
  registration,
}: Pick<StepContext, 'progress' | 'registration'>): Outcome | undefined =>
  registration?.isOpen === true
    ? undefined
    : {
        progress: backToSignIn(progress),
        refused: { status: 403, key: 'idx.error.registration.unavailable' },
      }

/** What the first proof of a registration brings about besides itself: the user is made, with the password of the form. */
export interface Creation {
  readonly effects: readonly Effect[]
  /** The progress with it, from the one with that proof. */
  with(progress: Progress): Progress
}

/** Undefined where no user is to be made: in any other transaction, and once there is one. */
export function creationOf(context: StepContext): Creation | undefined {
  const { progress, person, secrets, now, registration: policy, authenticators } = context
  const { registration, challenge } = progress
  if (registration === undefined || person?.prospective !== true) return undefined
  const password = passwordOf(secrets, registration)
  const authenticator = authenticators.get(password?.authenticator ?? '')
  return {
    effects: [
      {
        type: 'person.create',
        person,
        groupIds: policy?.targetGroupIds ?? [],
        replaces: replacing(context, challenge?.startedAt),
        ...(registration.terms && { terms: registration.terms }),
      },
      ...(password === undefined
        ? []
        : ([
            { type: 'enrollment.put', enrollment: password },
            { type: 'person.update', personId: person.id, changes: { passwordChangedAt: now } },
          ] as const)),
    ],
    with: (proven) => {
      const made = createUser(proven)
      return authenticator === undefined ? made : enrolls(made, { ...evidenceOf(authenticator), at: now })
    },
  }
}
