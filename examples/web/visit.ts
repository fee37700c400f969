import type { OktaAuth, SimpleStorage } from '@okta/okta-auth-js'
import type { Request, Response } from 'express'
import type { Beginnings } from './beginnings.ts'
import type { Config } from './config.ts'
import { type Content, layout } from './layout.ts'
import type { Message } from './messages.ts'
import type { Words } from './words.ts'

/** One request of a person, and what it takes to answer it. */
export interface Visit {
  readonly config: Config
  readonly request: Request
  readonly response: Response
  readonly words: Words
  /** Who began which attempt, by its `state`. */
  readonly beginnings: Beginnings
  /** Makes the SDK client, on this person's stored transaction unless another storage is given. */
  client(transactions?: SimpleStorage): OktaAuth
}

export type Handler = (visit: Visit) => Promise<void> | void

/** Answers with a page. */
export function show(
  { words, response }: Pick<Visit, 'words' | 'response'>,
  content: Content,
  options: { readonly status?: number; readonly messages?: readonly Message[] } = {},
): void {
  response
    .status(options.status ?? 200)
    .type('html')
    .send(layout(words, content, options.messages))
}

/** Sends the browser on. 303: whatever it came with, it goes on with a plain GET. */
export const go = ({ response }: Visit, path: string): void => response.redirect(303, path)
