import { type Html, html } from '../base/index.ts'

const views = { users: 'Users', apps: 'Apps', policies: 'Policies', log: 'Log' } as const

/** The page before a token was entered. `base` is the path of the engine's address, usually empty. */
export const adminPage = (base: string): Html => html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <meta name="robots" content="noindex">
  <title>Admin · Rekey</title>
  <link rel="icon" href="${base}/admin/icon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="${base}/admin/admin.css">
  <script src="${base}/admin/admin.js" type="module"></script>
</head>
<body data-api="${base}/api/v1" class="is-locked">
  <a class="skip" href="#main">Skip to content</a>
  <header class="top">
    <img class="brand" src="${base}/admin/icon.svg" alt="Rekey" width="24" height="24">
    <h1 class="unseen">Admin</h1>
    <nav class="tabs" aria-label="Pages">${Object.entries(views).map(
      ([name, label]) => html`<a class="tab" href="#/${name}" data-view="${name}">${label}</a>`,
    )}</nav>
    <button class="plain" id="leave" type="button">Forget token</button>
  </header>
  <p class="notice" id="notice" role="status"></p>
  <p class="error" id="error" role="alert"></p>
  <main id="main" tabindex="-1">
    <noscript><p class="blank">This page requires JavaScript. All its functions are also available in the API at <code>/api/v1</code>.</p></noscript>
  </main>
  <form class="entry" id="entry" autocomplete="off">
    <h2>Sign in</h2>
    <p class="quiet">Enter an API token. Its role determines what you can see and do. It is stored in this tab only and removed when you close the tab.</p>
    <label for="token">API token</label>
    <input id="token" type="password" required maxlength="200" autocomplete="off" spellcheck="false" autocapitalize="off">
    <button class="primary" type="submit">Open</button>
    <p class="quiet">Create a token with <code>rekey token add NAME</code>: <code>--role read</code> to view, <code>--role users</code> to manage users.</p>
  </form>
  <dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text">
    <form method="dialog">
      <h2 id="confirm-title"></h2>
      <p class="quiet" id="confirm-text"></p>
      <div class="choices">
        <button value="" autofocus>Cancel</button>
        <button class="primary" value="yes" id="confirm-yes"></button>
      </div>
    </form>
  </dialog>
</body>
</html>
`
