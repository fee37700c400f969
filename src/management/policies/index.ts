import type { Operation } from '../operation.ts'

export const policyOperations: readonly Operation[] = []
