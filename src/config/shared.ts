import { plainHash } from '../base/index.ts'
import type { Config } from './options.ts'
import { isObject, leavesOf, type Schema, schemaAt, valueAt } from './schema.ts'

/** A setting that all nodes of an installation should have alike. */
export interface SharedSetting {
  /** `limits.codesPerDay`, `clients.shop.label`. */
  readonly name: string
  /** Its value as text, for hashing: it may hold a secret. */
  readonly text: string
  readonly isSecret: boolean
}

/** Whether all nodes should have a setting alike: not where it listens, how much it does, how it reaches the database. */
export const isShared = (setting: string): boolean =>
  schemaAt(setting)?.ofNode !== true && schemaAt(setting.split('.')[0] ?? '')?.ofNode !== true

/** Lists with more entries are compared as a whole. */
const mostEntries = 200

/** The settings that decide how the installation behaves, the same on every node. */
export const sharedSettings = (config: Config): readonly SharedSetting[] =>
  leavesOf()
    .filter(([option]) => isShared(option))
    .flatMap(([option, schema]): readonly SharedSetting[] => {
      const value = valueAt(config, option)
      if (value === undefined) return []
      if (Array.isArray(value) && schema.items?.type === 'object' && value.length <= mostEntries) {
        return value.flatMap((entry, index) => entrySettings(option, entry, index))
      }
      return [settingOf(option, value, schema)]
    })

/** Each member of a client or user is a setting of its own, named by the id or login. */
function entrySettings(option: string, entry: unknown, index: number): readonly SharedSetting[] {
  if (!isObject(entry)) return []
  const name = entry.id ?? entry.login ?? index
  return Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .map(([member, value]) =>
      settingOf(`${option}.${name}.${member}`, value, schemaAt(`${option}.0.${member}`)),
    )
}

function settingOf(name: string, value: unknown, schema: Schema | undefined): SharedSetting {
  // Addresses hold passwords; a list of clients or users that is compared as a whole holds their secrets.
  const isSecret =
    schema?.secret === true ||
    schema?.items?.type === 'object' ||
    /^(mail\.url|telephony\.hook\.url|captcha\.verifyUrl|resources\..*)$/.test(name)
  return { name, text: JSON.stringify(value), isSecret }
}

/**
 * The configuration in a few letters, the same on all nodes that are configured alike. Secrets are left out, so that it can
 * be shown anywhere: of a hash of them a weak one could be guessed.
 */
export const configurationHash = (config: Config): string =>
  plainHash(
    sharedSettings(config)
      .filter(({ isSecret }) => !isSecret)
      .map(({ name, text }) => `${name}=${text}\n`)
      .sort()
      .join(''),
  ).slice(0, 12)
