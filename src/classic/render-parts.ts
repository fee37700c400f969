import { isoTime } from '../base/index.ts'
import type { FlowAnswer } from '../flow/index.ts'

export type Json = Readonly<Record<string, unknown>>

export const link = (href: string, name?: string) => ({
  ...(name !== undefined && { name }),
  href,
  hints: { allow: ['POST'] },
})

export const relayIn = ({ context }: FlowAnswer): Json => {
  const { relayState } = context.interaction.request.classic ?? {}
  return relayState === undefined ? {} : { relayState }
}

/** The user, once the password is proven. */
export function userIn({ view }: FlowAnswer): Json {
  const { user } = view
  if (user === undefined) return {}
  const { login, firstName, lastName, locale, timezone } = user.profile as Readonly<Record<string, unknown>>
  return {
    user: {
      id: user.id,
      passwordChanged: user.passwordChangedAt === null ? null : isoTime(user.passwordChangedAt),
      profile: {
        login,
        firstName: firstName ?? null,
        lastName: lastName ?? null,
        locale: locale ?? 'en_US',
        timeZone: timezone ?? 'America/Los_Angeles',
      },
    },
  }
}
