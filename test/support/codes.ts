// A setup file of every test. Of a million codes one is what a test types as a wrong one, and one is what another mail had a
// moment ago: with some hundreds of such answers a run fails by chance, once in a few thousand. Nothing else that is drawn
// changes.
import { systemRandom } from '../../src/base/random.ts'

/** What tests type where no code may be right. */
export const typedAsWrong: readonly string[] = [
  ...Array.from({ length: 10 }, (_, digit) => String(digit).repeat(6)),
  ...['000001', '123456', '654321', '424242'],
]

/** A test compares the codes of a few mails; some draw thousands. */
const remembered = 1_000
const earlier: string[] = []

/** What `randomDigits` makes of its bytes. */
const codeOf = (bytes: Buffer): string =>
  [...bytes]
    .filter((byte) => byte < 250)
    .slice(0, 6)
    .map((byte) => byte % 10)
    .join('')

const draw = systemRandom.bytes
systemRandom.bytes = (length) => {
  if (length !== 12) return draw(length)
  for (;;) {
    const bytes = draw(length)
    const code = codeOf(bytes)
    if (typedAsWrong.includes(code) || earlier.includes(code)) continue
    earlier.push(code)
    if (earlier.length > remembered) earlier.shift()
    return bytes
  }
}
