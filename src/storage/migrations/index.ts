import type { SchemaChange } from '../migrator.ts'
import { initial } from './0001-initial.ts'
import { serviceApps } from './0002-service-apps.ts'
import { peopleSearch } from './0003-people-search.ts'
import { userVersion } from './0004-user-version.ts'
import { sources } from './0005-sources.ts'
import { names } from './0006-names.ts'
import { enrollments } from './0007-enrollments.ts'
import { mailSuppressions } from './0009-mail-suppressions.ts'
import { contracts } from './0010-contracts.ts'
import { verifiedEmails } from './0011-verified-emails.ts'
import { assignments } from './0012-assignments.ts'
import { messageChannels } from './0013-message-channels.ts'
import { textQueue } from './0013-text-queue.ts'
import { policies } from './0014-policies.ts'
import { ownChanges } from './0015-own-changes.ts'
import { factorChallenges } from './0016-factor-challenges.ts'
import { passkeys, passkeysByHandle } from './0018-passkeys.ts'
import { verifiedSecondEmails } from './0020-verified-second-emails.ts'
import { signUps } from './0021-sign-ups.ts'
import { agreedTerms } from './0022-agreed-terms.ts'
import { settlingEnrollments } from './0025-settling-enrollments.ts'
import { unfinishedSignUps } from './0026-unfinished-sign-ups.ts'
import { browserSessions } from './0028-browser-sessions.ts'
import { userConsents } from './0031-user-consents.ts'
import { logout, logoutQueue } from './0033-logout.ts'
import { hotUpdates, transactionsByBeginning } from './0034-hot-updates.ts'

/**
 * In the order of their names. A released migration never changes; a change of the schema is a new one. From 0008 on
 * each expands only, or says with `contract` which versions it shuts out.
 */
export const migrations: Readonly<Record<string, SchemaChange>> = {
  '0001-initial': initial,
  '0002-service-apps': serviceApps,
  '0003-people-search': peopleSearch,
  '0004-user-version': userVersion,
  '0005-sources': sources,
  '0006-names': names,
  '0007-enrollments': enrollments,
  '0009-mail-suppressions': mailSuppressions,
  '0010-contracts': contracts,
  '0011-verified-emails': verifiedEmails,
  '0012-assignments': assignments,
  '0013-message-channels': messageChannels,
  '0013-text-queue': textQueue,
  '0014-policies': policies,
  '0015-own-changes': ownChanges,
  '0016-factor-challenges': factorChallenges,
  '0018-passkeys': passkeys,
  '0018-passkeys-by-handle': passkeysByHandle,
  '0020-verified-second-emails': verifiedSecondEmails,
  '0021-sign-ups': signUps,
  '0022-agreed-terms': agreedTerms,
  '0025-settling-enrollments': settlingEnrollments,
  '0026-unfinished-sign-ups': unfinishedSignUps,
  '0028-browser-sessions': browserSessions,
  '0031-user-consents': userConsents,
  '0033-logout': logout,
  '0033-logout-queue': logoutQueue,
  '0034-hot-transactions': transactionsByBeginning,
  '0034-hot-updates': hotUpdates,
}
