import { Type } from 'typebox'
import { apiError, derivedId, isoTime } from '../base/index.ts'
import {
  compareKey,
  hasVerifiedEmail,
  nameProblems,
  type Person,
  verifiedSecondEmail,
} from '../directory/index.ts'
import type { AccountChange } from '../people/index.ts'
import {
  type Answer,
  type Call,
  invalid,
  link,
  notFound,
  type Operation,
  operation,
  text,
} from './operation.ts'

const kind = 'UserProfileEmail'

/** The id of an address that the account has: the same each time. */
const idOf = (person: Person, role: 'PRIMARY' | 'SECONDARY'): string =>
  derivedId('eml', `${role} ${person.id}`)

interface Address {
  readonly id: string
  readonly email: string
  readonly role: 'PRIMARY' | 'SECONDARY'
  readonly isVerified: boolean
  /** The change that would make it one of the account, or verify it. */
  readonly change?: AccountChange | undefined
  /** Whether the account has it: it cannot be deleted here. */
  readonly isOwn: boolean
}

const roleOf = ({ kind: of }: AccountChange) => (of === 'secondEmail' ? 'SECONDARY' : 'PRIMARY')

/** The addresses of the account, and those that are not confirmed or wait. */
async function addressesOf({ parts, caller: { person } }: Call<unknown>): Promise<readonly Address[]> {
  const open = (await parts.changes.open(person.id)).filter(({ data }) => data.email !== undefined)
  const { email, secondEmail } = person.profile
  const changeTo = (address: string, role: Address['role']) =>
    open.find(
      (change) => roleOf(change) === role && compareKey(change.data.email ?? '') === compareKey(address),
    )
  const own: Address[] = [
    {
      ...{ id: idOf(person, 'PRIMARY'), email, role: 'PRIMARY', isOwn: true },
      isVerified: hasVerifiedEmail(person),
      change: changeTo(email, 'PRIMARY'),
    },
  ]
  if (typeof secondEmail === 'string' && secondEmail !== '') {
    own.push({
      ...{ id: idOf(person, 'SECONDARY'), email: secondEmail, role: 'SECONDARY', isOwn: true },
      isVerified: isSecondVerified(person),
      change: changeTo(secondEmail, 'SECONDARY'),
    })
  }
  const others = open.filter((change) => own.every((one) => one.change?.id !== change.id))
  return [
    ...own,
    ...others.map((change): Address => {
      const { email: address = '' } = change.data
      return { id: change.id, email: address, role: roleOf(change), isVerified: false, change, isOwn: false }
    }),
  ]
}

/** The secondary address counts as proven where a code that was sent to it came back. */
const isSecondVerified = (person: Person): boolean => verifiedSecondEmail(person) !== undefined

function shown(call: Call<unknown>, address: Address) {
  const { change } = address
  const at = `/emails/${address.id}`
  const challenge = change?.challengeId === undefined ? undefined : `${at}/challenge/${change.challengeId}`
  const isPending = !address.isVerified && challenge !== undefined && change?.status === 'UNVERIFIED'
  return {
    id: address.id,
    status: address.isVerified ? 'VERIFIED' : 'UNVERIFIED',
    roles: [address.role],
    profile: { email: address.email },
    ...(change?.dueAt !== undefined && { waitingUntil: isoTime(change.dueAt) }),
    _links: {
      self: link(call, at, 'GET', ...(address.isOwn ? [] : (['DELETE'] as const))),
      challenge: link(call, `${at}/challenge`, 'POST'),
      ...(isPending && {
        verify: link(call, `${challenge}/verify`, 'POST'),
        poll: link(call, challenge, 'GET'),
      }),
    },
  }
}

async function find(call: Call<unknown>): Promise<Address> {
  const { id = '' } = call.params
  const found = (await addressesOf(call)).find((address) => address.id === id)
  if (found === undefined) throw notFound(id, kind)
  return found
}

const challengeOf = (call: Call<unknown>, address: Address, change: AccountChange, status: string) => {
  const at = `/emails/${address.id}/challenge/${change.challengeId}`
  return {
    id: change.challengeId,
    status,
    expiresAt: isoTime(change.codeEndsAt ?? call.now),
    profile: { email: address.email },
    _links: { verify: link(call, `${at}/verify`, 'POST'), poll: link(call, at, 'GET') },
  }
}

async function add(
  call: Call<{
    readonly profile: { readonly email: string }
    readonly sendEmail?: boolean
    readonly state?: string
    readonly role?: 'PRIMARY' | 'SECONDARY'
  }>,
): Promise<Answer> {
  const { parts, body, caller } = call
  const { person } = caller
  const email = body.profile.email.trim()
  const [problem] = nameProblems({ login: person.profile.login, email })
  if (problem !== undefined) throw invalid('email', problem[1])
  const own = await addressesOf(call)
  if (own.some((address) => compareKey(address.email) === compareKey(email))) {
    throw apiError('E0000157', { causes: ['The account has this address, or it waits to be confirmed.'] })
  }
  const isPrimary = body.role !== 'SECONDARY'
  const added = await parts.changes.addEmail(person, {
    ...{ email, isPrimary },
    ...(body.state !== undefined && { state: body.state }),
  })
  const change = body.sendEmail === false ? added : await parts.changes.challenge(person, added)
  return {
    status: 201,
    body: shown(call, {
      id: change.id,
      email,
      role: roleOf(change),
      isVerified: false,
      change,
      isOwn: false,
    }),
  }
}

async function challenge(call: Call<unknown>): Promise<Answer> {
  const { parts, caller } = call
  const { person } = caller
  const address = await find(call)
  const { role, email } = address
  if (address.change?.status === 'WAITING') throw apiError('E0000157')
  const change =
    address.change ?? (await parts.changes.addEmail(person, { email, isPrimary: role === 'PRIMARY' }))
  const sent = await parts.changes.challenge(person, change)
  return { status: 201, body: challengeOf(call, address, sent, 'UNVERIFIED') }
}

/** How far a challenge is; also for clients that poll by POST. */
async function poll(call: Call<unknown>): Promise<Answer> {
  const { cid = '', id = '' } = call.params
  const found = await call.parts.changes.findChallenge(call.caller.person, cid)
  if (found === undefined) throw notFound(cid, 'EmailChallenge')
  const { email = '' } = found.data
  const address: Address = { id, email, role: roleOf(found), isVerified: false, isOwn: false }
  const status = found.status === 'UNVERIFIED' ? 'UNVERIFIED' : 'VERIFIED'
  return { body: challengeOf(call, address, found, status) }
}

async function verify(call: Call<{ readonly verificationCode: string }>): Promise<Answer> {
  const { parts, caller, body, params } = call
  const { cid = '' } = params
  const address = await find(call)
  if (address.change?.challengeId !== cid) throw notFound(cid, 'EmailChallenge')
  const code = body.verificationCode.normalize('NFKC').replace(/[\s-]/g, '')
  // To prove an address that the account has already changes nothing.
  const proof = address.isOwn ? 'proven' : caller.proof
  const result = await parts.changes.verify(caller.person, address.change, { challengeId: cid, code }, proof)
  if (result === undefined) {
    throw apiError('E0000004', { causes: ['The verification challenge failed due to an invalid code.'] })
  }
  return { status: result.done ? 200 : 202 }
}

const path = '/emails/:id'
const read = { scope: 'email.read' } as const
const manage = { scope: 'email.manage' } as const

export const emailOperations: readonly Operation[] = [
  operation({
    ...{ method: 'GET', path: '/emails', ...read, summary: 'List the addresses of the account' },
    handle: async (call) => ({ body: (await addressesOf(call)).map((address) => shown(call, address)) }),
  }),
  operation({
    ...{ method: 'POST', path: '/emails', ...manage, stepUp: true, status: 201 },
    summary:
      'Add an address, which takes the place of the former one once a code that is sent to it came back',
    body: Type.Object({
      profile: Type.Object({ email: text() }),
      sendEmail: Type.Optional(Type.Boolean()),
      state: Type.Optional(Type.String({ maxLength: 512 })),
      role: Type.Optional(Type.Union([Type.Literal('PRIMARY'), Type.Literal('SECONDARY')])),
    }),
    handle: add,
  }),
  operation({
    ...{ method: 'GET', path, ...read, summary: 'Get an address' },
    handle: async (call) => ({ body: shown(call, await find(call)) }),
  }),
  operation({
    ...{
      method: 'DELETE',
      path,
      ...manage,
      stepUp: true,
      summary: 'Take back an address that is not confirmed, or waits',
      answers: false,
    },
    async handle(call) {
      const address = await find(call)
      if (address.isOwn || address.change === undefined) {
        throw invalid('id', 'an address that the account has cannot be deleted')
      }
      await call.parts.changes.drop(call.caller.person, address.change.id)
      return {}
    },
  }),
  operation({
    ...{ method: 'POST', path: `${path}/challenge`, ...manage, stepUp: true, status: 201 },
    summary: 'Send a code to an address',
    handle: challenge,
  }),
  operation({
    ...{ method: 'GET', path: `${path}/challenge/:cid`, ...read, summary: 'Get a challenge' },
    handle: poll,
  }),
  operation({
    ...{
      method: 'POST',
      path: `${path}/challenge/:cid`,
      ...read,
      summary: 'Get a challenge, as okta-auth-js asks',
    },
    handle: poll,
  }),
  operation({
    ...{
      method: 'POST',
      path: `${path}/challenge/:cid/verify`,
      ...manage,
      stepUp: true,
      status: 200,
      answers: false,
    },
    summary: 'Confirm an address by the code; 202 where the change waits',
    body: Type.Object({ verificationCode: text(32) }),
    handle: verify,
  }),
]
