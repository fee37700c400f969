// Prints what failed and was skipped in the reports of scripts/test-report.mjs, and the sum of the counts as one line, the last.
// Fails where something failed, or a run was empty.
import { readFileSync } from 'node:fs'

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
for (const { failures, skipped } of reports) {
  for (const { file, title, lines } of failures) {
    console.log(`failed: ${title}`)
    for (const line of [file, ...lines]) if (line !== '') console.log(`    ${line}`)
  }
  for (const title of skipped) console.log(`skipped: ${title}`)
}
const sum = (count) => reports.reduce((total, report) => total + count(report), 0)
const failed = sum(({ failures }) => failures.length)
console.log(
  `${sum(({ passed }) => passed)} passed, ${failed} failed, ${sum(({ skipped }) => skipped.length)} skipped`,
)
process.exit(failed > 0 || reports.length === 0 || reports.some(({ passed }) => passed === 0) ? 1 : 0)
