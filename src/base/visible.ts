/**
 * Control characters, marks of direction, characters that are drawn as nothing (Unicode's Default_Ignorable_Code_Point and
 * the blank Braille pattern), line ends, code points without a character, and every white space but the plain one.
 */
const invisible =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u

/**
 * Whether a text has characters that are not seen, or that no text has. No name that is compared may have one: it would
 * look like another (RFC 8265, section 3.3).
 */
export const hasInvisible = (text: string): boolean => invisible.test(text)

/** Joiners and variation selectors, which emoji and Arabic, Persian and Indic words need, but no Latin letter. */
const joined = /(?<=[^\p{Script=Latin}\p{White_Space}])(?:[\ufe00-\ufe0f]|\u200c|\u200d)/gu
/** The flags of England, Scotland and Wales. */
const flags = /\u{1f3f4}[\u{e0061}-\u{e007a}]{2,6}\u{e007f}/gu

/**
 * Whether a text can be displayed as one line that reads as it is stored: nothing invisible in it but what emoji and
 * scripts are joined by, and white space of any width.
 */
export const isOneVisibleLine = (text: string): boolean =>
  !hasInvisible(
    text
      .replace(flags, '')
      .replace(joined, '')
      .replace(/\p{Zs}/gu, ' '),
  )
