import type { LogEvent } from '../../audit/index.ts'
import { describeUserAgent } from '../../base/index.ts'

/** An event in the shape of Okta's System Log API, with the members that the engine does not fill as null. */
export function renderEvent(event: LogEvent): object {
  const { ipAddress, userAgent } = event.client
  const { browser, system } = describeUserAgent(userAgent?.rawUserAgent ?? '')
  return {
    ...event,
    legacyEventType: null,
    actor: { alternateId: null, displayName: null, detailEntry: null, ...event.actor },
    outcome: { reason: null, ...event.outcome },
    target: event.target?.map((target) => ({
      alternateId: null,
      displayName: null,
      detailEntry: null,
      ...target,
    })),
    client: {
      ...event.client,
      userAgent: userAgent && { ...userAgent, browser, os: system },
      zone: null,
      device: null,
      geographicalContext: null,
    },
    authenticationContext: { authenticationStep: 0, externalSessionId: event.transaction.id },
    securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
    request: {
      ipChain: ipAddress === null ? [] : [{ ip: ipAddress, version: ipAddress.includes(':') ? 'V6' : 'V4' }],
    },
    transaction: { ...event.transaction, detail: {} },
  }
}
