import { type Html, html } from '../base/index.ts'
import { confirmDialog, framed } from '../ui/index.ts'

const views = { users: 'Users', groups: 'Groups', apps: 'Apps', policies: 'Policies', log: 'Log' } as const

/** The page before a token was entered. `base` is the path of the engine's address, usually empty. */
export const adminPage = (base: string): Html =>
  framed({
    title: 'Admin · Rekey',
    heading: 'Admin',
    base,
    tabs: Object.entries(views).map(([view, label]) => ({ label, address: `#/${view}`, view })),
    scripts: ['/admin/admin.js'],
    skip: ['main', 'Skip to content'],
    bodyAttributes: html`data-api="${base}/api/v1" class="is-locked"`,
    tools: html`<button class="bare" id="leave" type="button">Forget token</button>`,
    body: html`<p class="notice" id="notice" role="status"></p>
  <p class="error" id="error" role="alert"></p>
  <main id="main" tabindex="-1">
    <noscript><p class="blank">This page requires JavaScript. All its functions are also available in the API at <code>/api/v1</code>.</p></noscript>
  </main>
  <form class="entry" id="entry" autocomplete="off" aria-labelledby="entry-title">
    <h2 id="entry-title">Sign in</h2>
    <p class="quiet">Enter an API token. Its role determines what you can see and do. It is stored in this tab only and removed when you close the tab.</p>
    <label for="token">API token</label>
    <input id="token" type="password" required maxlength="200" autocomplete="off" spellcheck="false" autocapitalize="off">
    <button class="primary" type="submit">Open</button>
    <p class="quiet">Create a token with <code>rekey token add NAME</code>: <code>--role read</code> to view, <code>--role users</code> to manage users, <code>--role all</code> to manage groups as well.</p>
  </form>
  ${confirmDialog}`,
  })
