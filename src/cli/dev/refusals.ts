import { createLogSampler } from '../../base/index.ts'
import type { RefusedCall } from '../../devtools/index.ts'
import type { Terminal } from '../terminal.ts'

/** How many refusals of one cause are printed in an interval; the others are counted. */
const shown = { lines: 5, everyMs: 10_000 }

/**
 * Prints refused calls of apps where `rekey dev` was started, with what to change and the address of the page that shows
 * all of it. An app in a loop prints a few lines, then numbers.
 */
export function refusalPrinter(terminal: Terminal, controlUrl: () => string) {
  const sampler = createLogSampler(shown)
  return {
    print({ id, cause, sentence, advice }: RefusedCall): void {
      sampler.note(cause, (count) => {
        const more = count > 1 ? ` (and ${count - 1} more like this)` : ''
        terminal.note(`${terminal.style('yellow', 'refused')} ${sentence}${more}`)
        if (advice !== undefined) terminal.note(`  ${advice}`)
        terminal.note(`  ${controlUrl()}/flows/${id}`)
      })
    },
    close: async (): Promise<void> => sampler.close(),
  }
}
