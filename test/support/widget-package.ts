import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder with the package of the widget: the files that a page loads, of a few letters each. */
export function writeWidgetPackage(version = '7.49.0'): string {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-widget-'))
  const files = {
    'package.json': JSON.stringify({ name: '@okta/okta-signin-widget', version }),
    'dist/js/okta-sign-in.min.js': `/* ${'x'.repeat(2000)} */`,
    'dist/js/okta-sign-in.min.js.map': '{}',
    'dist/css/okta-sign-in.min.css': 'body{}',
    'dist/font/okticon.woff': 'font',
    'dist/labels/json/login_de.json': '{}',
    'secret.txt': 'not served',
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}
