/** A message of an IDX response. */
export interface AnswerMessage {
  readonly message: string
  readonly class: 'ERROR' | 'INFO' | 'WARNING'
  readonly i18n?: { readonly key: string; readonly params?: readonly unknown[] }
}

/** A form of an IDX response. */
export interface AnswerForm {
  readonly name: string
  readonly href: string
  readonly value?: readonly AnswerField[]
  readonly [member: string]: unknown
}

/** A field of a form: `value` holds what is fixed, or the fields within. */
export interface AnswerField {
  readonly name: string
  readonly value?: unknown
  readonly form?: { readonly value: readonly AnswerField[] }
  readonly [member: string]: unknown
}

/** What an answer may hold: the members that tests read most, by name. */
export interface AnswerBody {
  readonly stateHandle?: string
  readonly expiresAt?: string
  readonly intent?: string
  readonly messages?: { readonly value: readonly AnswerMessage[] }
  readonly remediation?: { readonly value: readonly AnswerForm[] }
  readonly authenticators?: {
    readonly value: readonly {
      readonly id: string
      readonly key: string
      readonly [member: string]: unknown
    }[]
  }
  /** What is being enrolled. */
  readonly currentAuthenticator?: {
    readonly value: { readonly key?: string; readonly [member: string]: unknown }
  }
  /** What has been enrolled so far. */
  readonly authenticatorEnrollments?: {
    readonly value: readonly { readonly key: string; readonly [member: string]: unknown }[]
  }
  readonly currentAuthenticatorEnrollment?: {
    readonly value: {
      readonly profile?: Readonly<Record<string, string>>
      readonly [member: string]: unknown
    }
  }
  readonly successWithInteractionCode?: AnswerForm
  readonly interaction_handle?: string
  readonly access_token?: string
  readonly id_token?: string
  readonly refresh_token?: string
  readonly error?: string
  readonly error_description?: string
  readonly [member: string]: unknown
}

/** One answer of the engine, as it came over HTTP. */
export interface Answer {
  /** The path that was asked, from the engine's root. */
  readonly path: string
  readonly status: number
  /** The media type. */
  readonly type: string
  readonly headers: Headers
  readonly text: string
  /** The body where it is a JSON object, else empty. */
  readonly body: AnswerBody
  /** The keys of all messages, at the top and in fields. */
  readonly messages: readonly string[]
  /** The names of the forms on offer, in order. */
  readonly remediations: readonly string[]
  /** The interaction code, where the transaction has ended well. */
  readonly interactionCode: string | undefined
}

/** Reads the response of a `fetch` as an answer: for requests that a visitor does not make. */
export async function answerFrom(response: Response): Promise<Answer> {
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  const body = objectIn(text, type)
  return {
    path: new URL(response.url).pathname,
    status: response.status,
    type,
    headers: response.headers,
    text,
    body,
    messages: messageKeysIn(body),
    remediations: body.remediation?.value?.map(({ name }) => name) ?? [],
    interactionCode: interactionCodeIn(body),
  }
}

export const formIn = (body: AnswerBody, name: RegExp): AnswerForm | undefined =>
  body.remediation?.value.find((form) => name.test(form.name))

/** The interaction code in the body of a last answer. */
export const interactionCodeIn = (body: AnswerBody): string | undefined => {
  const code = body.successWithInteractionCode?.value?.find(({ name }) => name === 'interaction_code')?.value
  return typeof code === 'string' ? code : undefined
}

function objectIn(text: string, type: string): AnswerBody {
  if (!type.includes('json') || text === '') return {}
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as AnswerBody) : {}
}

function messageKeysIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = (value as AnswerBody).messages?.value
  const keys = Array.isArray(own) ? own.map(({ i18n }: AnswerMessage) => i18n?.key ?? '') : []
  return [...keys, ...Object.values(value).flatMap(messageKeysIn)]
}
