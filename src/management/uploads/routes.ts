import type { FastifyInstance, FastifyRequest } from 'fastify'
import { mostLogoBytes } from '../../brand/index.ts'

/** A file that was sent. Its bytes are no members: what checks bodies would read each of them. */
export class Upload {
  readonly #content: Buffer | undefined

  constructor(content: Buffer | undefined) {
    this.#content = content
  }

  /** Undefined where the form has no file. */
  content(): Buffer | undefined {
    return this.#content
  }
}

/** What a form needs around its file. */
const frame = 4096

/** Takes files up to a size that no logo may have, as browsers and the SDK send them, and as they are. */
export function acceptUploads(app: FastifyInstance): void {
  const options = { parseAs: 'buffer', bodyLimit: mostLogoBytes + frame } as const
  app.addContentTypeParser<Buffer>('image/png', options, async (_: unknown, body: Buffer) => new Upload(body))
  app.addContentTypeParser<Buffer>(
    'multipart/form-data',
    options,
    async ({ headers }: FastifyRequest, body: Buffer) =>
      new Upload(await fileIn(headers['content-type'] ?? '', body)),
  )
}

/** The field `file` of a form, read by the parser of Node's own fetch. */
async function fileIn(type: string, body: Buffer): Promise<Buffer | undefined> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
    const file = form.get('file')
    return file === null || typeof file === 'string' ? undefined : Buffer.from(await file.arrayBuffer())
  } catch {
    return undefined
  }
}
