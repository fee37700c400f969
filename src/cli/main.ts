import { run } from './run.ts'
import { openTerminal } from './terminal.ts'

// Whatever a command writes is for its owner alone: databases, exports and backups hold password hashes.
process.umask(0o077)

// No top-level await: bin/rekey.cjs loads this with require().
void run(process.argv.slice(2), openTerminal()).then((code) => {
  // Exits once the output is flushed, even if something is still open, such as an interrupted start.
  process.stdout.write('', () => process.exit(code))
})
