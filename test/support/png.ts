import { crc32, deflateSync } from 'node:zlib'

// PNG files as tests need them: chunk by chunk (PNG, Third Edition, section 5), so that each can be wrong.

export const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export const pngChunk = (name: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(name), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

/** The chunk IHDR of a picture with eight bits for each of red, green, blue and alpha. */
export const pngHeader = (width: number, height: number, interlace = 0): Buffer => {
  const data = Buffer.alloc(13)
  data.writeUInt32BE(width, 0)
  data.writeUInt32BE(height, 4)
  data.set([8, 6, 0, 0, interlace], 8)
  return pngChunk('IHDR', data)
}

/** Two by two pixels, red. */
const redPixels = Buffer.concat([0, 1].map(() => Buffer.from([0, 255, 0, 0, 255, 255, 0, 0, 255])))

/** @param more chunks between the header and the pixels @param end what stands behind the last chunk */
export const redPicture = (more: readonly Buffer[] = [], end = ''): Buffer =>
  Buffer.concat([
    ...[pngSignature, pngHeader(2, 2), ...more],
    ...[pngChunk('IDAT', deflateSync(redPixels)), pngChunk('IEND', Buffer.alloc(0))],
    Buffer.from(end),
  ])

/** Width and height in pixels. */
export const pngSize = (file: Buffer): readonly [number, number] => {
  if (!file.subarray(0, 8).equals(pngSignature)) throw new Error('not a PNG')
  return [file.readUInt32BE(16), file.readUInt32BE(20)]
}
