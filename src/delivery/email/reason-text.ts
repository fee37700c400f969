import { definitionOf, type MailVariables, type TemplateName } from './definitions.ts'

const longest = 300

/**
 * What a mail server said, as it may be stored, logged and printed: one line of at most 300 characters. A server chooses
 * these words, and may quote the mail in them or write to the terminal that prints them. Therefore without control
 * characters and marks of direction, and with a word in the place of addresses, links, and what may be a code or a token.
 * @param secrets codes and links of the mail
 */
export function reasonText(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, '(hidden)')
  return (
    clean
      .replace(/\b(?:https?:\/\/|www\.)[^\s<>"]*/gi, '(link)')
      .replace(/<?[^\s<>()"',;:]+@[^\s<>()"',;:]+>?/g, '(address)')
      // A token in pieces, as of a link that was wrapped: letters and digits without a gap, longer than a server's own ids.
      .replace(/(?=[\w=-]*\d)(?=[\w=-]*[a-z])[\w=-]{20,}/gi, '(hidden)')
      .replace(/\d{6,}/g, '(number)')
      .trim()
      .slice(0, longest)
  )
}

/** The codes and links among the values of a mail: what no reason may contain. */
export function secretsOf(template: TemplateName, variables: MailVariables): readonly string[] {
  const kinds = definitionOf(template).variables
  return Object.entries(variables)
    .filter(([name]) => kinds[name] === 'code' || kinds[name] === 'link')
    .map(([, value]) => value ?? '')
}
