import { expect } from 'vitest'
import { type IdxResponse, renderPage } from '../../src/pages/index.ts'
import type { Kit } from '../../src/testing/index.ts'
import { type Answer, ion, type Json } from './visitor.ts'

export interface Circumstances {
  readonly idp: Kit
  /** The handle that was submitted; empty before there is one. */
  readonly stateHandle: string
  /** Whether this transaction has become a recovery. */
  readonly recovering: boolean
}

/** What holds for every answer of the protocol, whatever was asked and whatever went wrong. */
export function checkLaws(seen: Answer, circumstances: Circumstances): void {
  tellsNothingOfItself(seen)
  isNeverKept(seen)
  holdsNoSecret(seen, circumstances.idp)
  if (!isIdx(seen)) return
  expect(seen.body.version).toBe('1.0.0')
  expect(seen.type).toBe(seen.path.endsWith('/introspect') && seen.status >= 400 ? 'application/json' : ion)
  staysInOneTransaction(seen, circumstances)
  for (const form of formsIn(seen.body)) isWhole(form, seen, circumstances)
  for (const { path } of relationsIn(seen.body)) pointsSomewhere(seen.body, path)
  for (const message of messagesIn(seen.body)) isReadable(message)
  if (circumstances.recovering) staysRecovery(seen.body)
  hasPage(seen.body, circumstances.idp)
}

/** Every response has a page of the engine's own, with a form for each thing that it offers. */
function hasPage(body: Json, { engineUrl }: Kit): void {
  const page = renderPage(body as IdxResponse, { base: engineUrl, name: 'Rekey' }, 'en')
  const offered = (body.remediation as { readonly value: readonly Json[] } | undefined)?.value ?? []
  for (const form of offered) {
    // A list of nothing but what is asked for already is left out behind it.
    const isList = String(form.name).startsWith('select-authenticator-') && form !== offered[0]
    if (!isList) expect(page).toContain(`name="form" value="${form.name}"`)
  }
  expect(page).toMatch(/<h1>[^<]+<\/h1>/)
  expect(page).not.toMatch(/undefined|\[object|\$\{/)
  if (typeof body.stateHandle === 'string') expect(page).not.toContain(body.stateHandle)
}

/** Whether a body is the protocol's own, not the API's or a page. */
export const isIdx = ({ body }: Answer): boolean => body.version !== undefined

function tellsNothingOfItself({ status, text, headers }: Answer): void {
  expect(status, text).toBeLessThan(500)
  expect(text).not.toMatch(/\n?\s+at .+:\d+:\d+|node_modules|\.ts:\d+|"stack"/)
  expect(headers.get('x-powered-by')).toBeNull()
  expect(headers.get('set-cookie')).toBeNull()
}

function isNeverKept({ headers }: Answer): void {
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('pragma')).toBe('no-cache')
  expect(headers.get('x-okta-request-id')).toMatch(/^req\w{17}$/)
}

/** Codes and links go into mails; hashes and sealed values stay in the database; stored addresses stay there, too. */
function holdsNoSecret({ text }: Answer, idp: Kit): void {
  // Handles and codes are drawn by chance, of the characters of ids: what stands within one is no id.
  const withoutHandles = text.replace(/02\.id\.[\w-]+/g, '')
  expect(withoutHandles).not.toMatch(
    /\$argon2|codeHash|sealedCode|sealedSecret|linkHash|"longCode"|userId|(?<![\w-])(?:int|trs)[A-Za-z0-9]{17}(?![\w-])/,
  )
  for (const { code, link } of idp.outbox.all()) {
    if (code !== null) expect(withoutHandles).not.toMatch(new RegExp(`\\b${code}\\b`))
    if (link !== null) expect(text).not.toContain(new URL(link).searchParams.get('token') ?? link)
  }
  // People of these tests whose address differs from their login have it here.
  expect(text).not.toContain('@private.example')
}

function staysInOneTransaction({ body }: Answer, { stateHandle }: Circumstances): void {
  if (stateHandle === '' || body.stateHandle === undefined) return
  expect(body.stateHandle).toBe(stateHandle)
}

function isWhole(form: Json, { body }: Answer, { idp }: Circumstances): void {
  expect(form.rel).toEqual(['create-form'])
  expect(form.name).toEqual(expect.any(String))
  expect(String(form.href).startsWith(`${idp.engineUrl}/`)).toBe(true)
  expect(form.method).toBe('POST')
  expect(form.accepts).toMatch(/^application\//)
  // The last form is for the token endpoint, which knows no state handle.
  if (form.name === 'issue') return
  const handles = (form.value as Json[]).filter(({ name }) => name === 'stateHandle')
  expect(handles).toEqual([
    { name: 'stateHandle', required: true, value: body.stateHandle, visible: false, mutable: false },
  ])
}

function pointsSomewhere(body: Json, path: string): void {
  const target = path
    .replace(/^\$\./, '')
    .split('.')
    .reduce<unknown>((part, name) => {
      const [, key = '', index] = /^(\w+)(?:\[(\d+)\])?$/.exec(name) ?? []
      const member = (part as Json | undefined)?.[key]
      return index === undefined ? member : (member as unknown[] | undefined)?.[Number(index)]
    }, body)
  const meant = (target as { value?: Json } | undefined)?.value ?? target
  // A step of the first page may point to a part of its own, which is no authenticator.
  if (!path.startsWith('$.')) {
    expect(meant, path).toBeDefined()
    return
  }
  // The one part of a whole response that is no authenticator.
  if (path === '$.captcha') {
    expect(meant).toEqual({
      id: expect.any(String),
      name: expect.any(String),
      siteKey: expect.any(String),
      type: expect.any(String),
    })
    return
  }
  expect(meant, path).toMatchObject({ key: expect.any(String), type: expect.any(String) })
}

function isReadable({ message, class: kind, i18n }: Json): void {
  expect(message).toMatch(/^[^{}]+$/)
  expect(['ERROR', 'INFO', 'WARNING']).toContain(kind)
  expect(i18n).toEqual({ key: expect.stringMatching(/^[\w.]+$/), params: expect.any(Array) })
}

/** The SDK runs a `recover` action wherever it sees one, and picks the password by itself: both would lose its way. */
function staysRecovery(body: Json): void {
  expect(formsIn(body).filter(({ name }) => name === 'recover')).toEqual([])
  expect(relationsIn(body).map(({ path }) => keyAt(body, path))).not.toContain('okta_password at select')
}

function keyAt(body: Json, path: string): string {
  const index = /^\$\.authenticatorEnrollments\.value\[(\d+)\]$/.exec(path)?.[1]
  const enrollments = (body.authenticatorEnrollments as { value?: Json[] } | undefined)?.value ?? []
  return index === undefined ? '' : `${enrollments[Number(index)]?.key} at select`
}

function* walk(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Json
  for (const inner of Object.values(value)) yield* walk(inner)
}

/** Every form of a response, wherever it hangs. A picture that stands in the response has an `href`, too. */
export const formsIn = (body: Json): readonly Json[] =>
  [...walk(body)].filter((part) => ('href' in part && part.method !== 'embedded') || 'rel' in part)

const relationsIn = (body: Json): readonly { readonly path: string }[] =>
  [...walk(body)].flatMap(({ relatesTo }) =>
    relatesTo === undefined ? [] : [relatesTo].flat().map((path) => ({ path: String(path) })),
  )

/** Every message, of the step and of its fields. */
export const messagesIn = (body: Json): readonly Json[] =>
  [...walk(body)].filter((part) => 'i18n' in part || ('message' in part && 'class' in part))
