import { ProtocolError } from '../base/index.ts'

/** Something of this kind is not there. */
export const notFound = (id: string, kind: string): ProtocolError =>
  new ProtocolError(404, 'E0000007', `Not found: Resource not found: ${id.slice(0, 100)} (${kind})`)

/** What is wrong with a body or a query, a sentence a field. */
export const invalid = (causes: readonly string[]): ProtocolError => {
  const [field = ''] = causes[0]?.split(':') ?? []
  return new ProtocolError(400, 'E0000001', `Api validation failed: ${field}`, { causes })
}

/** What is searched for cannot be told from the request. */
export const invalidCriteria = (why: string): ProtocolError =>
  new ProtocolError(400, 'E0000031', 'Invalid search criteria.', { causes: [why] })

/** The status does not allow it. */
export const wrongStatus = (): ProtocolError =>
  new ProtocolError(403, 'E0000038', "This operation is not allowed in the user's current status.")

export const taken = (field: string): string =>
  `${field}: An object with this field already exists in the current organization`
