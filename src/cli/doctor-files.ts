import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readableByOthers } from '../base/index.ts'
import type { Config, Environment, Finding, Loaded } from '../config/index.ts'

/**
 * Whether other users of this machine can read the files that secrets come from: those that variables such as
 * REKEY_SECRET_FILE name, and the configuration file where a secret stands in it. Reads only.
 */
export function secretFilesOf(
  { folder, env }: { readonly folder: string; readonly env: Environment },
  { file }: Pick<Loaded, 'file'>,
  config: Config,
): readonly Finding[] {
  const named = Object.entries(env)
    .filter(([name, value]) => /^(REKEY|DATABASE|SMTP)_.*FILE$/.test(name) && value)
    .map(([, value = '']) => resolve(folder, value))
  const own = file !== undefined && holdsSecret(file, config) ? [file] : []
  const paths = [...named, ...own].filter((path) => existsSync(path))
  if (paths.length === 0) return []
  const readable = readableByOthers(paths)
  return [
    {
      id: 'secret files',
      standard: 'Operation',
      asks: 'the files that hold secrets can be read by their owner only',
      ...(readable.length === 0
        ? { result: 'met', why: 'no other user can read them' }
        : {
            result: 'deviates',
            why: `other users of this machine can read ${readable.join(', ')}: chmod 600 them`,
          }),
    },
  ]
}

function holdsSecret(
  file: string,
  { secrets, clients, people, management, database, mail }: Config,
): boolean {
  const text = readFileSync(file, 'utf8')
  const password = (url: string | undefined) => (URL.canParse(url ?? '') ? new URL(url ?? '').password : '')
  const values = [
    ...secrets,
    ...clients.map(({ secret }) => secret),
    ...people.map((person) => person.password),
    management.apiToken,
    password(database.url),
    password(mail.url),
  ]
  return values.some((value) => value !== undefined && value !== '' && text.includes(value))
}
