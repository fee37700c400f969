import type { IdxTransaction, NextStep } from '@okta/okta-auth-js'
import { type Option, optionsOf } from './form.ts'

// Which authenticators a step offers. The SDK lists each by its key; a user with two phones has two options of one key, which
// only the form of the server tells apart.

/** The parts of a form of the server that are read here. */
interface FormField {
  readonly name: string
  readonly value?: unknown
  readonly options?: readonly { readonly label: string; readonly value: string }[]
}
interface FormOption {
  readonly label: string
  readonly relatesTo?: {
    readonly key?: string
    readonly profile?: Readonly<Record<string, unknown>>
    readonly nickname?: string
    readonly gracePeriod?: GracePeriod
  }
  readonly value?: { readonly form?: { readonly value?: readonly FormField[] } }
}

/** How long a required authenticator may still be put off. */
export type GracePeriod =
  | { readonly type: 'BY_DATE_TIME'; readonly expiry: string }
  | { readonly type: 'BY_SKIP_COUNT'; readonly remainingSkips: number }

export interface Choice extends Option {
  readonly key: string
  /** The id of the authenticator, and of what the user has of it, as the server wants them back. */
  readonly id: string | undefined
  readonly enrollmentId: string | undefined
  /** The ways to send a code, where there are several. */
  readonly methods: readonly Option[]
  readonly gracePeriod: GracePeriod | undefined
}

type WithRemediations = Pick<IdxTransaction, 'neededToProceed'> | undefined

/** The choices of a step, `name`. */
export function choicesOf(
  transaction: WithRemediations,
  step: NextStep | undefined,
  name = step?.name,
): readonly Choice[] {
  const remediation = transaction?.neededToProceed?.find((one) => one.name === name)
  const list = remediation?.value?.find((field) => field.name === 'authenticator') as
    | { readonly options?: readonly FormOption[] }
    | undefined
  const options = list?.options ?? []
  if (options.length === 0) {
    return optionsOf(step, 'authenticator').map((option) => ({
      ...option,
      key: option.value,
      id: undefined,
      enrollmentId: undefined,
      methods: [],
      gracePeriod: undefined,
    }))
  }
  const keys = options.map(({ relatesTo }) => relatesTo?.key)
  return options.flatMap(({ label, relatesTo, value }): Choice[] => {
    const key = relatesTo?.key
    if (key === undefined) return []
    const fields = value?.form?.value ?? []
    const textOf = (field: string) => {
      const found = fields.find((one) => one.name === field)?.value
      return typeof found === 'string' ? found : undefined
    }
    const enrollmentId = textOf('enrollmentId')
    const isOneOfSeveral = keys.filter((other) => other === key).length > 1
    const { phoneNumber, email } = relatesTo?.profile ?? {}
    const whose = relatesTo?.nickname ?? [phoneNumber, email].find((one) => typeof one === 'string')
    return [
      {
        key,
        value: isOneOfSeveral && enrollmentId !== undefined ? `${key}:${enrollmentId}` : key,
        label: whose === undefined ? label : `${label} (${whose})`,
        id: textOf('id'),
        enrollmentId,
        methods: fields.find((one) => one.name === 'methodType')?.options ?? [],
        gracePeriod: relatesTo?.gracePeriod,
      },
    ]
  })
}

/** What the SDK sends for a choice: the key, or where there are several of it, the one that is meant. */
export const chosen = ({ key, value, id, enrollmentId }: Choice) =>
  value === key || id === undefined || enrollmentId === undefined ? key : { id, enrollmentId, key }

/** Whether the user may go back and choose another authenticator. */
export const offersOthers = (transaction: WithRemediations, name: string): boolean =>
  choicesOf(transaction, undefined, name).length > 1
