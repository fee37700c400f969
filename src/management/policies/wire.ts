import { isoTime } from '../../base/index.ts'
import type { StoredItem, StoredPolicy, StoredRule } from '../../policies/index.ts'
import { prefix } from '../operation.ts'

const commonMembers = ({
  id,
  name,
  status,
  priority,
  system,
  body,
  createdAt,
  updatedAt,
}: StoredItem): object => ({
  ...body,
  id,
  name,
  status,
  priority,
  system,
  created: isoTime(createdAt),
  lastUpdated: isoTime(updatedAt),
})

/** A policy in the shape of Okta's Policies API, with all stored settings. */
export function policyOf(base: string, policy: StoredPolicy): object {
  const self = `${base}${prefix}/policies/${policy.id}`
  return {
    description: null,
    ...commonMembers(policy),
    type: policy.type,
    _links: {
      self: { href: self },
      rules: { href: `${self}/rules` },
      ...(policy.type === 'ACCESS_POLICY' && { app: { href: `${self}/app` } }),
    },
  }
}

const ruleTypes: Readonly<Record<string, string>> = { OKTA_SIGN_ON: 'SIGN_ON' }

export const ruleOf = (base: string, { id, type }: StoredPolicy, rule: StoredRule): object => ({
  conditions: null,
  ...commonMembers(rule),
  type: ruleTypes[type] ?? type,
  _links: { self: { href: `${base}${prefix}/policies/${id}/rules/${rule.id}` } },
})
