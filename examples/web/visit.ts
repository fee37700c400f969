import type { OktaAuth, SimpleStorage } from '@okta/okta-auth-js'
import type { Request, Response } from 'express'
import type { Beginnings } from './beginnings.ts'
import type { Config } from './config.ts'
import { type Content, layout } from './layout.ts'
import type { Message } from './messages.ts'
import type { Offers } from './offers.ts'
import type { Words } from './words.ts'

/** One request of a browser, with everything that is needed to answer it. */
export interface Visit {
  readonly config: Config
  readonly request: Request
  readonly response: Response
  readonly words: Words
  /** Where each attempt began, by `state`. */
  readonly beginnings: Beginnings
  readonly offers: Offers
  /** Creates the SDK client with the transactions of this session, unless another storage is given. */
  client(transactions?: SimpleStorage): OktaAuth
}

export type Handler = (visit: Visit) => Promise<void> | void

/** Sends a page. */
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

/** Redirects the browser. Status 303 turns every method into GET. */
export const go = ({ response }: Visit, path: string): void => response.redirect(303, path)
