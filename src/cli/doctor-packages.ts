import type { Finding } from '../config/index.ts'

/**
 * The packages that are loaded at their first use, so that a start does not wait for them. One that is damaged, or was
 * pruned, would be found by the first user who needs it; here all of them are loaded.
 */
const later: Readonly<Record<string, () => Promise<unknown>>> = {
  '@simplewebauthn/server': () => import('@simplewebauthn/server'),
  '@zxcvbn-ts/language-common': () => import('@zxcvbn-ts/language-common'),
  'libphonenumber-js/max': () => import('libphonenumber-js/max'),
  'nodemailer/lib/smtp-connection': () => import('nodemailer/lib/smtp-connection'),
  pg: () => import('pg'),
  qrcode: () => import('qrcode'),
  re2js: () => import('re2js'),
  tldts: () => import('tldts'),
  yaml: () => import('yaml'),
}

/** The names of `later`, for the test that no other package is loaded late. */
export const packagesLoadedLater: readonly string[] = Object.keys(later)

/** Whether every package that is loaded at its first use can be loaded. */
export async function packagesOf(packages = later): Promise<Finding> {
  const tried = await Promise.all(
    Object.entries(packages).map(([name, load]) =>
      load().then(
        () => [],
        (error: unknown) => [`${name} (${error instanceof Error ? error.message.split('\n')[0] : error})`],
      ),
    ),
  )
  const failed = tried.flat()
  return {
    id: 'packages',
    standard: 'Operation',
    asks: 'every package that is loaded at its first use is installed',
    ...(failed.length === 0
      ? { result: 'met', why: `all ${tried.length} of them can be loaded` }
      : { result: 'deviates', why: `cannot be loaded: ${failed.join(', ')}; install the package again` }),
  }
}
