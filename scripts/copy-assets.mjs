// Copies the templates, styles and pictures of src/ and of the sample app to dist/, because tsc emits only compiled files.
import { cpSync } from 'node:fs'

cpSync('src', 'dist', { recursive: true, filter: (path) => !path.endsWith('.ts') })
cpSync('examples/web/public', 'dist/sample-app/public', { recursive: true })
