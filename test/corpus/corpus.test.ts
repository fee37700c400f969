import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Kit, startEngine } from '../../src/testing/index.ts'
import { onEachDatabase, type TestDatabase } from '../support/postgres.ts'
import { journeys, settings } from './journeys.ts'
import { render, start } from './mask.ts'
import { type Counter, newCounter, type Recorded, Walk } from './walk.ts'

/**
 * Every journey's answers, as they were when the corpus was recorded: bytes, statuses and headers, and how many
 * statements each step costs on each database. REKEY_RECORD_CORPUS=1 records anew; the difference is for reading.
 */

type Database = 'sqlite' | 'postgres'
type Counts = Readonly<Partial<Record<Database, readonly number[]>>>
interface File extends Recorded {
  /** How many statements each step costs, in the order of the steps. */
  readonly statements: Counts
}

const folder = join(import.meta.dirname, 'journeys')
const isRecording = process.env.REKEY_RECORD_CORPUS === '1'
const fileOf = (name: string) => join(folder, `${name.replaceAll(',', '').replaceAll(' ', '-')}.json`)
const read = (name: string): File | undefined =>
  existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), 'utf8')) as File) : undefined

function split({ headers, steps }: Recorded) {
  const counts = steps.flatMap(({ statements }) => (statements === undefined ? [] : [statements]))
  return { answers: { headers, steps: steps.map(({ statements: _, ...step }) => step) }, counts }
}

/** Each request with what it costs, for a difference that names the step. */
const costs = ({ steps }: Pick<Recorded, 'steps'>, counts: readonly number[]) =>
  steps
    .filter(({ status }) => status !== undefined)
    .map(({ step, status }, index) => `${step} (${status}): ${counts[index]}`)

onEachDatabase('the corpus', ({ name: database, create }) => {
  describe.each(Object.keys(settings))('an engine with %s', (setting) => {
    let counter: Counter
    let idp: Kit
    let own: TestDatabase
    beforeAll(async () => {
      counter = newCounter(database)
      own = await create()
      idp = await startEngine({
        clock: 'frozen',
        tokens: 'virtual',
        ...settings[setting],
        // As a production engine is. test/wire/registration.test.ts records what an open one shows.
        settings: { ...settings[setting]?.settings, signUp: { open: false } },
        database: own.url,
      })
      await idp.engine.maintain()
      // Policies are read anew every two seconds of the process's time, which would count for one request or another.
      const stopped = performance.now()
      vi.spyOn(performance, 'now').mockReturnValue(stopped)
    })
    afterAll(async () => {
      await idp?.close()
      await own?.drop()
      vi.restoreAllMocks()
    })

    test.each(journeys.filter((journey) => (journey.on ?? 'defaults') === setting))(
      '$name',
      async (journey) => {
        await idp.reset()
        idp.clock.set(start)
        const walk = new Walk(idp, counter)
        await journey.walk(walk)
        const { answers, counts } = split(walk.recorded)

        if (isRecording && database === 'sqlite') {
          const statements = { ...read(journey.name)?.statements, sqlite: counts }
          write(journey.name, { ...answers, statements })
        }
        const corpus = read(journey.name)
        if (corpus === undefined)
          throw new Error(`${fileOf(journey.name)} is missing: REKEY_RECORD_CORPUS=1 records it`)
        const { statements, ...expected } = corpus
        expect(render(answers)).toBe(render(expected))
        if (isRecording)
          write(journey.name, { ...expected, statements: { ...statements, [database]: counts } })
        else expect(costs(answers, counts), database).toEqual(costs(expected, statements[database] ?? []))
      },
    )
  })
})

function write(name: string, file: File): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(name), `${render(file)}\n`)
}

test('each file of the corpus belongs to a journey', () => {
  const known = journeys.map(({ name }) => fileOf(name))
  expect(readdirSync(folder).map((file) => join(folder, file))).toEqual(known.toSorted())
})
