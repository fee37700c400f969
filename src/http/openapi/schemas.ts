import { Type } from 'typebox'

const closed = { additionalProperties: false } as const

/** What is described of no operation: the body of every error of the management API. */
export const schemas = {
  Error: Type.Object(
    {
      errorCode: Type.String({ description: 'For example E0000001.' }),
      errorSummary: Type.String(),
      errorLink: Type.String(),
      errorId: Type.String({ description: 'Identifies the error in the log of the server.' }),
      errorCauses: Type.Array(Type.Object({ errorSummary: Type.String() }, closed)),
    },
    closed,
  ),
}

export const errorReference = { $ref: '#/components/schemas/Error' }
