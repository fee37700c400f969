import type { en } from './en.ts'

type DeepReadonly<T> = { readonly [K in keyof T]: T[K] extends string ? T[K] : DeepReadonly<T[K]> }

/** The catalogue of the sign-in pages in one language. English defines the type, so it is complete. */
export type PageWords = DeepReadonly<typeof en>
