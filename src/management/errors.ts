import { apiError, type ProtocolError } from '../base/index.ts'

/** 404: there is no resource of this type with this id. */
export const notFound = (id: string, kind: string): ProtocolError =>
  apiError('E0000007', { summary: `Not found: Resource not found: ${id.slice(0, 100)} (${kind})` })

/** 400: a body or a query is invalid. Each cause is `field: problem`. */
export const invalid = (causes: readonly string[]): ProtocolError => {
  const [field = ''] = causes[0]?.split(':') ?? []
  return apiError('E0000001', { summary: `Api validation failed: ${field}`, causes })
}

/** 400: the search criteria are invalid. */
export const invalidCriteria = (why: string): ProtocolError => apiError('E0000031', { causes: [why] })

/** 403: the user's status does not allow the operation. */
export const wrongStatus = (): ProtocolError => apiError('E0000038')

/** The cause for a value that must be unique and is in use. */
export const alreadyExists = (field: string): string =>
  `${field}: An object with this field already exists in the current organization`
