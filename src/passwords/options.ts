import { type Static, Type } from 'typebox'

/** How passwords are hashed. */
export const passwordOptions = Type.Object(
  {
    memoryKiB: Type.Integer({
      description: 'Memory of one argon2id hash in KiB; at most 1 GiB.',
      default: 19_456,
      minimum: 8,
      // 1 GiB: the first hash takes all of it at once, and as many run as `concurrency` says.
      maximum: 1_048_576,
    }),
    passes: Type.Integer({ description: 'Passes over that memory.', default: 2, minimum: 1, maximum: 20 }),
    lanes: Type.Integer({
      description: 'Lanes (parallelism) of one hash.',
      default: 1,
      minimum: 1,
      maximum: 16,
    }),
    concurrency: Type.Integer({
      ofNode: true,
      description: 'Hashes that run at once on a node; not more than its cores.',
      default: 2,
      minimum: 1,
      maximum: 64,
    }),
    queue: Type.Integer({
      ofNode: true,
      description:
        'Hashes that may wait on a node. Beyond that, the source that has the most of them waiting gets 503.',
      default: 200,
      minimum: 0,
      maximum: 10_000,
    }),
    waitMs: Type.Integer({
      ofNode: true,
      description:
        'How long a hash may wait, in milliseconds, before its caller gets 503 with `Retry-After`.',
      default: 2000,
      minimum: 100,
      maximum: 60_000,
    }),
  },
  { default: {} },
)

export type PasswordOptions = Static<typeof passwordOptions>
