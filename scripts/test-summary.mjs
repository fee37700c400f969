// Prints the sum of the counts in the JSON reports of vitest as one line. Fails if a run was empty or a file could not be loaded.
import { readFileSync } from 'node:fs'

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
const sum = (count) => reports.reduce((total, report) => total + count(report), 0)
const isBroken = ({ status, assertionResults }) =>
  status === 'failed' && !assertionResults.some((test) => test.status === 'failed')
const passed = sum((report) => report.numPassedTests)
const failed = sum((report) => report.numFailedTests + report.testResults.filter(isBroken).length)
const skipped = sum((report) => report.numPendingTests + report.numTodoTests)
for (const file of reports.flatMap((report) => report.testResults)) {
  if (isBroken(file)) console.log(`failed: ${file.name} could not be loaded`)
  for (const test of file.assertionResults) {
    if (test.status === 'failed') console.log(`failed: ${test.fullName}`)
    if (test.status === 'pending' || test.status === 'skipped') console.log(`skipped: ${test.fullName}`)
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(
  failed > 0 || reports.length === 0 || reports.some((report) => report.numPassedTests === 0) ? 1 : 0,
)
