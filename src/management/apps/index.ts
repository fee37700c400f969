import type { Operation } from '../operation.ts'

export const appOperations: readonly Operation[] = []
