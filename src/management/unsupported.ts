import type { Context } from './operation.ts'

/**
 * Logs settings that are without effect, stored or not, so that they are not mistaken for being in effect: the paths of members,
 * some with what happens instead. Nothing is logged where there are none.
 *
 * @param what the beginning of the message, such as `an app has settings`
 * @param where the members of the line that identify it
 */
export function warnUnsupported(
  { parts }: Pick<Context, 'parts'>,
  what: string,
  where: Readonly<Record<string, string>>,
  ignored: readonly string[],
): void {
  if (ignored.length > 0) parts.log?.warn({ ...where, ignored }, `${what} that are not supported`)
}
