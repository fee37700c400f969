import { type Html, html } from '../base/index.ts'

const views = { people: 'People', apps: 'Apps', policies: 'Policies', log: 'Log' } as const

/** The page as it is before anybody has shown a token. `base` is the engine's path, often nothing. */
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
  <a class="skip" href="#main">Skip to the content</a>
  <header class="top">
    <img class="brand" src="${base}/admin/icon.svg" alt="Rekey" width="24" height="24">
    <h1 class="unseen">Admin</h1>
    <nav class="tabs" aria-label="Pages">${Object.entries(views).map(
      ([name, label]) => html`<a class="tab" href="#/${name}" data-view="${name}">${label}</a>`,
    )}</nav>
    <button class="plain" id="leave" type="button">Forget the token</button>
  </header>
  <p class="told" id="told" role="status"></p>
  <p class="failed" id="failed" role="alert"></p>
  <main id="main" tabindex="-1">
    <noscript><p class="hollow">This page needs JavaScript. Everything it does can be done over the <code>/api/v1</code> API.</p></noscript>
  </main>
  <form class="entry" id="entry" autocomplete="off">
    <h2>Who may come in?</h2>
    <p class="quiet">An API token decides what can be seen and done here. It stays in this tab and is forgotten with it.</p>
    <label for="token">API token</label>
    <input id="token" type="password" required maxlength="200" autocomplete="off" spellcheck="false" autocapitalize="off">
    <button class="primary" type="submit">Open</button>
    <p class="quiet">Made by <code>rekey token add NAME</code>: with <code>--role read</code> to look, with <code>--role users</code> to help people.</p>
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
