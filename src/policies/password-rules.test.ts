import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { fc } from '../../test/support/draws.ts'
import { policiesOptions } from './options.ts'
import {
  type PasswordRules,
  passwordPreset,
  passwordRuleLimits,
  passwordRulePaths,
  passwordRulesBody,
  passwordRulesIn,
  passwordRuleTable,
} from './password-rules.ts'
import { unsupportedSettings } from './unsupported.ts'

const rules = fc.record(
  Object.fromEntries(
    Object.entries(passwordPreset('okta')).map(([name, preset]) => {
      const { minimum = 0, maximum = 0 } = passwordRuleLimits[name] ?? {}
      return [
        name,
        typeof preset === 'number'
          ? fc.integer({ min: minimum, max: maximum })
          : typeof preset === 'boolean'
            ? fc.boolean()
            : fc.subarray(['firstName', 'lastName']),
      ]
    }),
  ),
) as unknown as fc.Arbitrary<PasswordRules>

test('the rules are the same after they were written to a policy, and a policy without them has the defaults of Okta', () => {
  fc.assert(
    fc.property(rules, (wanted) => {
      expect(passwordRulesIn(passwordRulesBody(wanted))).toEqual(wanted)
    }),
  )
  for (const none of [
    undefined,
    null,
    {},
    { complexity: null, age: 7 },
    { complexity: { minLength: null } },
  ]) {
    expect(passwordRulesIn(none)).toEqual(passwordPreset('okta'))
  }
})

test('a policy with all rules has no member that is not supported, nor a configuration one that is refused', () => {
  const all = passwordPreset('okta')
  const settings = { password: passwordRulesBody({ ...all, minAgeMinutes: 5, maxAgeDays: 5 }) }
  expect(unsupportedSettings('PASSWORD', { settings }, [])).toEqual([])
  const { maxAgeDays, minAgeMinutes, historyCount, ...complexity } = all
  const password = {
    preset: 'okta',
    complexity,
    age: { maxAgeDays, minAgeMinutes, historyCount },
    recovery: {},
  }
  expect([...Value.Errors(policiesOptions, Value.Default(policiesOptions, { password }))]).toEqual([])
  expect(passwordRulePaths).toHaveLength(Object.keys(passwordRuleTable).length)
})

test.each(Object.entries(passwordRuleLimits))(
  '%s is refused by the configuration beyond its limits',
  (name, limits) => {
    const group = passwordRuleTable[name as keyof typeof passwordRuleTable].path[0]
    const isTaken = (value: number) =>
      Value.Check(
        policiesOptions,
        Value.Default(policiesOptions, { password: { [group]: { [name]: value } } }),
      )
    expect([limits.minimum - 1, limits.minimum, limits.maximum, limits.maximum + 1].map(isTaken)).toEqual([
      false,
      true,
      true,
      false,
    ])
  },
)
