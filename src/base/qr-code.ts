/**
 * A text as a QR code: a PNG of 200 pixels in a `data:` address. The package is loaded with the first one, in 20 ms: a start
 * and most steps need none.
 */
export async function qrCode(text: string): Promise<string> {
  const { default: QRCode } = await import('qrcode')
  return QRCode.toDataURL(text, { margin: 1, width: 200 })
}
