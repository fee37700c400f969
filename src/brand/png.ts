import { promisify } from 'node:util'
import { crc32, deflate, inflate } from 'node:zlib'

// Beside the event loop: a picture of dots takes a second, in which all other requests would wait (A45).
const unpack = promisify(inflate)
const pack = promisify(deflate)
/** At the level of best compression a picture of dots takes twenty times as long, and is hardly smaller. */
const level = 6

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Bits a pixel, by colour type and depth (PNG, third edition, table 11.1). */
const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }
const depths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

export const mostLogoBytes = 256 * 1024
const mostPixels = 1024

/** Why a file is no picture that can be shown. */
export class PictureError extends Error {}

/**
 * A PNG made anew of the pixels of another one: of the file only the header, the palette, the transparency and the inflated image data are
 * read, and they are written by this function. So nothing else that a file may carry is served: no text, no profile, no frames, nothing
 * behind its end (A82). Only PNG: its parts are few enough to be checked whole without a library, which JPEG's are not.
 *
 * Rejects with a `PictureError` that has the reason.
 */
export async function reencodePng(file: Buffer): Promise<Buffer> {
  if (file.length > mostLogoBytes) throw new PictureError('is larger than 256 KiB')
  if (!file.subarray(0, 8).equals(signature)) throw new PictureError('is no PNG file')
  const { header, palette, transparency, data } = chunksOf(file)
  if (header?.length !== 13) throw new PictureError('has no header')
  const width = header.readUInt32BE(0)
  const height = header.readUInt32BE(4)
  const [depth = 0, type = 0, compression, filter, interlace] = header.subarray(8)
  if (width < 1 || height < 1 || width > mostPixels || height > mostPixels) {
    throw new PictureError(`must have 1 to ${mostPixels} pixels each way`)
  }
  if (!depths[type]?.includes(depth) || compression !== 0 || filter !== 0)
    throw new PictureError('is no PNG file')
  if (interlace !== 0) throw new PictureError('must not be interlaced')
  if (type === 3 && (palette === undefined || palette.length % 3 !== 0 || palette.length > 768)) {
    throw new PictureError('has no palette')
  }
  const row = 1 + Math.ceil((width * depth * (channels[type] ?? 0)) / 8)
  const pixels = await inflated(data, row * height)
  for (let at = 0; at < pixels.length; at += row) {
    if ((pixels[at] ?? 9) > 4) throw new PictureError('has rows of an unknown kind')
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...(palette !== undefined && type === 3 ? [chunk('PLTE', palette)] : []),
    ...(transparency !== undefined && transparency.length <= 256 && type < 4
      ? [chunk('tRNS', transparency)]
      : []),
    chunk('IDAT', await pack(pixels, { level })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The image data, of exactly the length that the header asks for: what would unpack to more is not unpacked. */
async function inflated(data: Buffer, length: number): Promise<Buffer> {
  try {
    const pixels = await unpack(data, { maxOutputLength: length })
    if (pixels.length === length) return pixels
  } catch {
    // The reason of the library says nothing that an operator could use.
  }
  throw new PictureError('has image data that does not fit its size')
}

/** The chunks that are read, in one pass: a file may have twenty thousand of them (A45). */
function chunksOf(file: Buffer) {
  const found: Readonly<Record<string, Buffer[]>> = { IHDR: [], PLTE: [], tRNS: [], IDAT: [] }
  let at = 8
  for (;;) {
    if (at + 12 > file.length) throw new PictureError('ends too early')
    const length = file.readUInt32BE(at)
    const end = at + 12 + length
    if (end > file.length) throw new PictureError('ends too early')
    const name = file.toString('latin1', at + 4, at + 8)
    if (crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4))
      throw new PictureError('is damaged')
    if (at === 8 && name !== 'IHDR') throw new PictureError('has no header')
    if (Object.hasOwn(found, name)) found[name]?.push(file.subarray(at + 8, end - 4))
    if (name === 'IEND') break
    at = end
  }
  return {
    header: found.IHDR?.[0],
    palette: found.PLTE?.[0],
    transparency: found.tRNS?.[0],
    data: Buffer.concat(found.IDAT ?? []),
  }
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const framed = Buffer.alloc(named.length + 8)
  framed.writeUInt32BE(data.length, 0)
  named.copy(framed, 4)
  framed.writeUInt32BE(crc32(named), named.length + 4)
  return framed
}
