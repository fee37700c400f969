import type { Operation } from '../operation.ts'

export const originOperations: readonly Operation[] = []
