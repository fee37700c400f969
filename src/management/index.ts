/**
 * What owners and administrators do: people are added, changed and removed here, with everything that must end when
 * they are (open recoveries, sessions). Used by the command line and the testing kit; shapes follow Okta's Users API.
 */
export { type ManagementOptions, managementOptions } from './options.ts'
export { createPeople, type People, type PeopleParts, type PersonWithPassword } from './people.ts'
export { isApiToken, putApiToken } from './store.ts'
