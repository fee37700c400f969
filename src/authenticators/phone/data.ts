import type { NewEnrollment } from '../../directory/index.ts'
import { masked, type ReadNumber } from './numbers.ts'

/** The key of the authenticator. */
export const phoneKey = 'phone_number'

/** What is stored of a phone. */
export interface PhoneData {
  /** E.164. */
  readonly number: string
  readonly callingCode: string
  readonly extension?: string
  /** By what codes may reach it, where an administrator has enrolled one method alone; absent: by all that it takes. */
  readonly methods?: readonly string[]
}

/** By what codes may reach a phone: one behind an extension takes calls only. */
export const methodsIn = ({ extension, methods }: PhoneData): readonly string[] =>
  methods ?? (extension === undefined ? ['sms', 'voice'] : ['voice'])

export const dataOfNumber = ({ number, callingCode, extension }: ReadNumber): PhoneData => ({
  number,
  callingCode,
  ...(extension !== undefined && { extension }),
})

/** As it is dialled, with the extension where there is one. */
export const dialled = ({ number, extension }: Pick<PhoneData, 'number' | 'extension'>): string =>
  extension === undefined ? number : `${number}x${extension}`

/** A phone to store. One with a number that the user has already takes its place. */
export const phoneEnrollment = (personId: string, method: string, data: PhoneData): NewEnrollment => ({
  personId,
  authenticator: phoneKey,
  prefix: 'pae',
  method,
  several: true,
  // Two users may have the same number: a family's, an office's.
  slot: `${personId} ${dialled(data)}`,
  data,
})

/** What a user is shown of a phone. */
export const maskedPhone = (data: PhoneData): string => masked(data)
