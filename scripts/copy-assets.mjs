// Copies the templates, styles and pictures of src/ to dist/, because tsc emits only compiled files.
import { cpSync } from 'node:fs'

cpSync('src', 'dist', { recursive: true, filter: (path) => !path.endsWith('.ts') })
