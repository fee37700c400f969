import { apiError } from '../base/index.ts'
import { type Input, textAt, valueAt } from '../flow/index.ts'

/** What a state token begins with here: the widget takes its classic engine by it. What follows is the state handle. */
const prefix = '00'

export const stateTokenOf = (stateHandle: string): string => `${prefix}${stateHandle}`

/** The one answer to state tokens that are unknown, used up, expired, or of another API. */
export const invalidToken = () => apiError('E0000011')

/** The state handle of a body. Throws 401 `E0000011` where there is none. */
export function readStateToken(body: Input): string {
  const token = textAt(body, 'stateToken') ?? ''
  if (!token.startsWith(prefix) || token.length > 512) throw invalidToken()
  return token.slice(prefix.length)
}

/** A text that must be there, of at most so many characters. Throws 400 `E0000001`. */
export function required(body: Input, name: string, longest = 1024): string {
  const text = textAt(body, name)
  if (text === undefined || text === '') {
    throw apiError('E0000001', {
      summary: `Api validation failed: ${name}`,
      causes: [`${name}: The field cannot be left blank`],
    })
  }
  if (text.length > longest) {
    throw apiError('E0000001', {
      summary: `Api validation failed: ${name}`,
      causes: [`${name}: The field is too long`],
    })
  }
  return text
}

/** What the caller is given back unchanged. Throws 400 `E0000001` where it is none, or too long to be stored. */
export function readRelayState(body: Input): string | undefined {
  const value = valueAt(body, 'relayState')
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value.length > 2048 || !value.isWellFormed() || value.includes('\0')) {
    throw apiError('E0000001', {
      summary: 'Api validation failed: relayState',
      causes: ['relayState: must be a text of at most 2048 characters'],
    })
  }
  return value
}
