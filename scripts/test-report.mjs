// A reporter of vitest for `.ci/run`: writes to `--outputFile.report` what scripts/test-summary.mjs prints. The JSON reporter of
// vitest leaves out what was expected and received, failures of hooks, and errors outside of tests.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const mostLines = 12
const mostCharacters = 1_000

const shortened = (line) =>
  line.length <= mostCharacters ? line : `${line.slice(0, 700)} (…) ${line.slice(-250)}`

/** What an error says in at most twelve lines: its message, what was expected and received, and the place last. */
function linesOf(error, root) {
  const place = error.stacks?.find(({ file }) => !file.includes('node_modules'))
  const at = place && `at ${relative(root, place.file)}:${place.line}:${place.column}`
  const clean = (text = '') =>
    stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.trimEnd())
      .filter((line) => line !== '')
  const message = clean(`${error.name ?? 'Error'}: ${error.message ?? ''}`)
  const diff = clean(error.diff)
  const room = mostLines - (at === undefined ? 0 : 1)
  // Of a long comparison the lines that differ.
  const short = message.length + diff.length <= room ? diff : diff.filter((line) => /^[-+]|:/.test(line))
  return [...[...message, ...short].slice(0, room).map(shortened), ...(at === undefined ? [] : [at])]
}

export default class {
  onInit(vitest) {
    this.vitest = vitest
  }

  onTestRunEnd(modules, unhandled) {
    const { root, outputFile } = this.vitest.config
    const report = { passed: 0, failures: [], skipped: [] }
    const fails = (file, title, errors) => {
      report.failures.push({
        file,
        title,
        lines: errors.flatMap((error) => linesOf(error, root)).slice(0, mostLines),
      })
    }
    for (const module of modules) {
      const file = relative(root, module.moduleId)
      let failed = false
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result()
        if (state === 'passed') report.passed++
        else if (state === 'failed') fails(file, test.fullName, errors)
        else report.skipped.push(test.fullName)
        failed ||= state === 'failed'
      }
      // A file that could not be loaded or did not end, or a hook of it that failed.
      const errors = [module, ...module.children.allSuites()].flatMap((one) => one.errors())
      if (errors.length > 0 || (module.state() !== 'passed' && module.state() !== 'skipped' && !failed))
        fails(file, 'the file, outside of its tests', errors)
    }
    for (const error of unhandled) fails('', 'an error outside of every test', [error])
    writeFileSync(outputFile.report, JSON.stringify(report))
  }
}
