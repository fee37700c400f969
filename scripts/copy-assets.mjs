// tsc emits only what it compiles: templates, styles and pictures of src/ are copied beside it.
import { cpSync } from 'node:fs'

cpSync('src', 'dist', { recursive: true, filter: (path) => !path.endsWith('.ts') })
