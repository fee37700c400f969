/**
 * Why a text is not the secret that it should be, as the end of a sentence; undefined where nothing is wrong. A name that
 * no shell has replaced can be read in the deployment by anyone; quotation marks that a file of variables leaves in place
 * make it another secret than on the next node.
 */
export function unfilledProblem(text: string): string | undefined {
  const trimmed = text.trim()
  if (/^(["'`]).*\1$/s.test(trimmed)) return 'has quotes around it'
  return /^(\$\w+|\$\{.*\}|%\w+%|\{\{.*\}\}|<.*>)$/s.test(trimmed)
    ? 'is a placeholder whose value was not put in'
    : undefined
}
