const refuse = (): never => {
  throw new Error('routes must not have schemas: bodies are validated by their readers')
}

/**
 * Keeps Fastify from loading its schema compilers. No route uses them, and loading them doubles the time that an engine
 * takes to start.
 */
export const schemaless = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } }
