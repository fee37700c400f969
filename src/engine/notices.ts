import type { Config } from '../config/index.ts'
import type { Authenticator } from '../flow/index.ts'
import type { MailParts } from '../people/index.ts'

/** What an engine does for mails that changes of users queue; a core without an engine leaves them to the workers. */
export interface Outgoing {
  /** The public address; undefined until an engine knows it. */
  baseUrl: string | undefined
  /** Called after a commit that has queued a mail. */
  onCommitted(): void
}

/** What notices to users are made from. */
export const noticePartsOf = (
  { org, mail }: Config,
  authenticators: ReadonlyMap<string, Authenticator>,
  outgoing: Pick<Outgoing, 'baseUrl'>,
): Pick<MailParts, 'notices' | 'org' | 'nameOf'> => ({
  notices: mail.notices,
  org: {
    name: org.name,
    get baseUrl() {
      return outgoing.baseUrl
    },
  },
  nameOf: (key) => authenticators.get(key)?.displayName ?? key,
})
