import { ProtocolError, shownCauses, type VirtualClock } from '../../base/index.ts'
import { findPerson, listPeople, type Person } from '../../directory/index.ts'
import type { Engine } from '../../engine/index.ts'
import { rebaseTime } from '../../storage/index.ts'
import type { ControlPerson, ControlPort, PersonChanges } from '../control/port.ts'
import { refusing } from '../control/requests.ts'
import type { Recorder } from '../inspector/index.ts'
import type { EnrolledFactor, KitFactors } from './factors.ts'
import type { Faults } from './faults.ts'

/** Implements the operations of the control API on an engine. */
export function controlPortOf(
  engine: Engine,
  parts: {
    readonly clock: VirtualClock
    readonly faults: Faults
    readonly recorder: Recorder
    readonly factors: KitFactors
    reset(): Promise<void>
    seededAt(): number
    /** Whether any visitor has been here since the last reset. */
    isUsed(): boolean
  },
): ControlPort {
  const moveClock = async (move: () => void) => {
    const before = engine.clock.now()
    move()
    // The monotonic clock ignores backward steps of its source, but must follow a deliberate move.
    engine.clock.rewind()
    const to = engine.clock.now()
    parts.recorder.clockMoved({ at: before, byMs: to - before })
    // Time went back: what was made later has as long to live as it had, and spent budgets refill when they would have.
    if (to < before - 1000 && parts.isUsed())
      await rebaseTime(engine.storage, { from: before, to, onlyNewer: true })
    engine.delivery.wake()
  }
  return {
    people: {
      async list(name) {
        if (name === undefined)
          return (await listPeople(engine.storage.db, { limit: mostListed })).map(toControlPerson)
        const person = await engine.people.find(name)
        return person === undefined ? [] : [toControlPerson(person)]
      },
      async get(id) {
        const person = await findPerson(engine.storage.db, id)
        return person && toControlPerson(person)
      },
      async add(person) {
        const { login, email = login, password, status, firstName, lastName, locale, emailVerified } = person
        const names = { ...(firstName && { firstName }), ...(lastName && { lastName }) }
        const state = { ...(status && { status }), ...(emailVerified && { emailVerified }) }
        const profile = { login, email, ...names, ...(locale && { locale }) }
        // An email that was not given is the login: what is wrong with it is wrong with that.
        const added = await withReasons(
          async () => toControlPerson(await engine.people.add({ profile, password, ...state })),
          (cause) => (profile.email === login ? cause.replace(/^email:/, 'login:') : cause),
        )
        const { phone, factors = [] } = person
        const wanted = [
          ...(phone === undefined ? [] : [{ type: 'phone_number', phoneNumber: phone } as const]),
          ...factors,
        ]
        if (wanted.length === 0) return added
        try {
          const enrolled: EnrolledFactor[] = []
          for (const factor of wanted)
            enrolled.push(await refusing(() => parts.factors.enroll(added, factor)))
          return { ...added, factors: enrolled }
        } catch (error) {
          // All of it or nothing: a test that mends its call finds the login free.
          await engine.people.remove(added.id)
          throw error
        }
      },
      async update(id, changes) {
        const person = await withReasons(() =>
          engine.people.change(id, changesOf(changes), { notifies: false }),
        )
        return person && toControlPerson(person)
      },
      remove: (id) => engine.people.remove(id),
    },
    factors: parts.factors,
    clock: {
      now: () => engine.clock.now(),
      seededAt: parts.seededAt,
      advance: (ms) => moveClock(() => parts.clock.advance(ms)),
      set: (at) => moveClock(() => parts.clock.set(at)),
    },
    faults: { next: ({ path, status, times }) => parts.faults.next(path, { status, times }) },
    reset: parts.reset,
    events: () => engine.events(),
    transactions: { list: () => engine.transactions(), get: (id) => engine.timeline(id) },
  }
}

/** As many as a test can want; a bound for an engine that was filled. */
const mostListed = 1000

/** A refusal with its reasons in its sentence: which member, and why. */
async function withReasons<Result>(
  work: () => Promise<Result>,
  renamed: (cause: string) => string = (cause) => cause,
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.causes.length === 0) throw error
    const { status, code } = error
    const causes = [...new Set(shownCauses(error.causes).map(renamed))]
    throw new ProtocolError(status, code, causes.join('; '), { cause: error, causes })
  }
}

function changesOf({ email, firstName, lastName, locale, password, status }: PersonChanges) {
  const profile = {
    ...(email !== undefined && { email }),
    ...(firstName !== undefined && { firstName }),
    ...(lastName !== undefined && { lastName }),
    ...(locale !== undefined && { locale }),
  }
  return {
    ...(Object.keys(profile).length > 0 && { profile }),
    ...(status !== undefined && { status }),
    password,
  }
}

const toControlPerson = ({ id, status, profile }: Person): ControlPerson => ({
  id,
  status,
  login: profile.login,
  email: profile.email,
  ...(profile.firstName !== undefined && { firstName: profile.firstName }),
  ...(profile.lastName !== undefined && { lastName: profile.lastName }),
  ...(profile.locale !== undefined && { locale: profile.locale }),
})
