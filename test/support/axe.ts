import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { clientsFolder, hasClients } from './clients.ts'

/** axe, as it runs in a page. Empty where the clients of `test/clients` are not installed. */
const script = hasClients ? readFileSync(join(clientsFolder, 'node_modules/axe-core/axe.min.js'), 'utf8') : ''

/** The rules of WCAG 2.2, A and AA, and what axe calls best practice. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/**
 * What axe finds wrong with a page: the rule and the element, a line each. It runs over the debugger, so the page's own policy is as it is, and
 * loads no stylesheet by itself, which that policy would refuse.
 *
 * @param rules those alone, such as `color-contrast`
 */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  if (script === '') return []
  await page.evaluate(script)
  const only = rules === undefined ? { type: 'tag', values: tags } : { type: 'rule', values: rules }
  return page.evaluate<string[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(only)}, resultTypes: ['violations'], preload: false }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
        id + ': ' + html.slice(0, 100) + ' ' + (failureSummary ?? '').replaceAll('\\n', ' ').slice(0, 200))))`,
  )
}
