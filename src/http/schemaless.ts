const refuse = (): never => {
  throw new Error('no route here has a schema: bodies are read by hand')
}

/**
 * Keeps Fastify from loading its schema compilers. Nothing here uses them, and they take as long to load as everything
 * else of an engine takes to start.
 */
export const schemaless = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } }
