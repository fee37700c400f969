import { isoTime, ProtocolError, VirtualClock } from '../../base/index.ts'
import type { ControlPerson, ControlPort, PathFault } from './port.ts'

/** A minimal implementation of the control port in memory, for the tests of this folder. */
export function createSmallEngine() {
  const clock = new VirtualClock({ frozen: true, startAt: 1_700_000_000_000 })
  const people = new Map<string, ControlPerson>()
  const pathFaults: PathFault[] = []
  const events: object[] = []
  let last = 0
  const record = (eventType: string): unknown =>
    events.unshift({ eventType, published: isoTime(clock.now()) })

  const engine: ControlPort = {
    people: {
      async add({ login, email = login, status = 'ACTIVE', password: _password, ...names }) {
        if ([...people.values()].some((person) => person.login === login)) {
          throw new ProtocolError(400, 'login_taken', 'the login is in use')
        }
        last += 1
        const person = { id: `00u${last}`, login, email, status, ...names }
        people.set(person.id, person)
        record('user.lifecycle.create')
        return person
      },
      async update(id, { password: _password, ...changes }) {
        const person = people.get(id)
        if (!person) return undefined
        const changed = { ...person, ...changes }
        people.set(id, changed)
        return changed
      },
      remove: async (id) => people.delete(id),
    },
    clock,
    faults: { next: (fault) => pathFaults.push(fault) },
    async reset() {
      people.clear()
      events.length = 0
      clock.set(1_700_000_000_000)
    },
    events: async () => events,
    transactions: {
      list: async () => [{ id: 'trs1', status: 'closed' }],
      get: async (id) => {
        if (id === 'trsBroken') throw new Error('the database is on fire at /var/lib')
        return id === 'trs1' ? { id, steps: ['identify'] } : undefined
      },
    },
  }
  return { engine, people, pathFaults }
}
