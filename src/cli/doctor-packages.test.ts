import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packagesLoadedLater, packagesOf } from './doctor-packages.ts'

test('every package that is loaded at its first use can be loaded, and one that cannot is named', async () => {
  expect(await packagesOf()).toMatchObject({ id: 'packages', result: 'met' })
  const lost = { pruned: () => Promise.reject(new Error('Cannot find package')), whole: async () => ({}) }
  expect(await packagesOf(lost)).toMatchObject({
    result: 'deviates',
    why: expect.stringContaining('pruned (Cannot find package)'),
  })
})

test('no other package is loaded later', () => {
  const src = join(import.meta.dirname, '..')
  const found = readdirSync(src, { recursive: true, encoding: 'utf8' })
    // The tools of development are loaded as a test asks for them.
    .filter((file) => /(?<!\.test|\.fixture)\.ts$/.test(file) && !file.startsWith('devtools'))
    .filter((file) => !file.endsWith('doctor-packages.ts'))
    .flatMap((file) =>
      [
        ...readFileSync(join(src, file), 'utf8').matchAll(
          /(?:await |= |=> |return )(?:import|createRequire\(import\.meta\.url\))\('([^'.][^']*)'\)/g,
        ),
      ].map(([, name = '']) => name),
    )
    .filter((name) => !name.startsWith('node:'))
  expect([...new Set(found)].sort()).toEqual([...packagesLoadedLater].sort())
})
