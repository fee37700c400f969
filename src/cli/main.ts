import { run } from './run.ts'
import { openTerminal } from './terminal.ts'

// No top-level await: bin/rekey.cjs loads this with require().
void run(process.argv.slice(2), openTerminal()).then((code) => {
  // Not before everything is written; and then whatever else is still open, such as a start that was broken off.
  process.stdout.write('', () => process.exit(code))
})
