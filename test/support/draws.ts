/**
 * Property tests draw the same examples in each run of `npm test`, so that a failure is the change's and not the run's.
 * `npm run test:draws` draws fresh ones, and names the seed with which a run is repeated: REKEY_TEST_SEED=<number>.
 */
import fc from 'fast-check'

const wanted = process.env.REKEY_TEST_SEED ?? '20261128'
const seed = wanted === 'fresh' ? Date.now() % 2 ** 31 : Number(wanted)
if (!Number.isInteger(seed)) throw new Error('REKEY_TEST_SEED: must be a whole number, or fresh')
if (wanted === 'fresh') console.info(`REKEY_TEST_SEED=${seed}`)

fc.configureGlobal({ seed })

export { fc }
