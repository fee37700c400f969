import { ProtocolError } from '../base/index.ts'

/** 404: there is no resource of this type with this id. */
export const notFound = (id: string, kind: string): ProtocolError =>
  new ProtocolError(404, 'E0000007', `Not found: Resource not found: ${id.slice(0, 100)} (${kind})`)

/** 400: a body or a query is invalid. Each cause is `field: problem`. */
export const invalid = (causes: readonly string[]): ProtocolError => {
  const [field = ''] = causes[0]?.split(':') ?? []
  return new ProtocolError(400, 'E0000001', `Api validation failed: ${field}`, { causes })
}

/** 400: the search criteria are invalid. */
export const invalidCriteria = (why: string): ProtocolError =>
  new ProtocolError(400, 'E0000031', 'Invalid search criteria.', { causes: [why] })

/** 403: the user's status does not allow the operation. */
export const wrongStatus = (): ProtocolError =>
  new ProtocolError(403, 'E0000038', "This operation is not allowed in the user's current status.")

/** The cause for a value that must be unique and is in use. */
export const alreadyExists = (field: string): string =>
  `${field}: An object with this field already exists in the current organization`
