import { isoTime } from '../../base/index.ts'
import {
  registrationRuleBody,
  type StoredItem,
  type StoredPolicy,
  type StoredRule,
} from '../../policies/index.ts'
import { invalid } from '../errors.ts'
import { sizeProblems } from '../input.ts'
import { prefix } from '../operation.ts'
import type { NewPolicy, NewPolicyRule, PolicyChanges, PolicyType } from './schema.ts'

/** What a body says of a policy or rule. Members that the engine does not evaluate are stored as they are. */
export interface PolicyBody {
  readonly name: string
  readonly status: StoredItem['status']
  readonly priority: number | undefined
  readonly body: StoredItem['body']
}

/** Members that the engine sets: ignored in request bodies. */
const readOnlyMembers = [
  'id',
  'name',
  'status',
  'priority',
  'system',
  'type',
  'created',
  'lastUpdated',
  '_links',
  '_embedded',
]

function toItem(body: PolicyChanges | NewPolicyRule): PolicyBody {
  const { name, priority, status } = body
  const stored = Object.fromEntries(
    Object.entries(body).filter(([member]) => !readOnlyMembers.includes(member)),
  )
  const problems = sizeProblems('body', stored)
  if (problems.length > 0) throw invalid(problems)
  return { name, status: status ?? 'ACTIVE', priority: priority ? priority : undefined, body: stored }
}

/** A policy of a type from its body. Throws 400 where the body is of another type. */
export function toPolicy(body: NewPolicy | PolicyChanges, type: string): PolicyBody {
  if (body.type !== type && body.type !== undefined) {
    throw invalid([`type: must be ${type}, which does not change`])
  }
  return toItem(body)
}

/** The name of a type where rules have another one than policies. */
const ruleTypes: Partial<Readonly<Record<string, string>>> = { OKTA_SIGN_ON: 'SIGN_ON' }

/** A rule of a policy of a type from its body, whose `type` may be the rule's or the policy's. Throws 400 for another. */
export function toRule(body: NewPolicyRule, type: string): PolicyBody {
  const { type: given = null } = body
  const types = [...new Set([ruleTypes[type] ?? type, type])]
  if (given !== null && !types.includes(given)) throw invalid([`type: must be ${types.join(' or ')}`])
  return toItem(body)
}

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

const lifecycleLink = (self: string, { status, system }: StoredItem): object => {
  if (system) return {}
  const action = status === 'ACTIVE' ? 'deactivate' : 'activate'
  return { [action]: { href: `${self}/lifecycle/${action}`, hints: { allow: ['POST'] } } }
}

/** A policy in the shape of Okta's Policies API, with all stored settings; with its rules where they are given. */
export function renderPolicy(base: string, policy: StoredPolicy, rules?: readonly StoredRule[]): object {
  const self = `${base}${prefix}/policies/${policy.id}`
  return {
    description: null,
    ...commonMembers(policy),
    type: policy.type,
    ...(rules && { _embedded: { rules: rules.map((rule) => renderRule(base, policy, rule)) } }),
    _links: {
      self: { href: self },
      rules: { href: `${self}/rules` },
      ...(policy.type === 'ACCESS_POLICY' && { app: { href: `${self}/app` } }),
      ...lifecycleLink(self, policy),
    },
  }
}

// The rule that comes with an access policy is the last whatever is added: Okta shows it with this priority.
const catchAllPriority = 99

export function renderRule(base: string, { id, type }: StoredPolicy, rule: StoredRule): object {
  const self = `${base}${prefix}/policies/${id}/rules/${rule.id}`
  return {
    conditions: null,
    ...commonMembers(rule),
    ...(rule.system && type === 'ACCESS_POLICY' && { priority: catchAllPriority }),
    type: ruleTypes[type] ?? type,
    _links: { self: { href: self }, ...lifecycleLink(self, rule) },
  }
}

/** The rule that Okta's org makes with a policy of a type. */
export const firstRules: Partial<Readonly<Record<PolicyType, StoredItem['body']>>> = {
  ACCESS_POLICY: {
    actions: { appSignOn: { access: 'ALLOW', verificationMethod: { type: 'ASSURANCE', factorMode: '1FA' } } },
  },
  PROFILE_ENROLLMENT: registrationRuleBody('DENY'),
}
