import { type Html, html } from '../../base/index.ts'
import { personStatuses } from '../../directory/index.ts'
import { confirmDialog, moment } from '../../ui/index.ts'
import { toolPage } from '../pages/index.ts'

const leaps = { '5m': '5 minutes', '1h': '1 hour', '1d': '1 day', '30d': '30 days' } as const

export const toolsPage = ({
  now,
  hasAdminPage,
}: {
  /** The ISO time of the engine's clock. */
  readonly now: string
  readonly hasAdminPage: boolean
}): Html =>
  toolPage({
    tab: 'Tools',
    title: 'Tools · Rekey',
    scripts: ['/assets/tools.js'],
    skip: ['main', 'Skip to the tools'],
    body: html`<p class="notice" id="status" role="status"></p>
  <p class="error" id="error" role="alert"></p>
  <main class="page" id="main" tabindex="-1">
    <h2>Tools</h2>
    <p class="quiet">Every button is a call of the <a href="/docs/control">control API</a>, so a test can do the same.</p>
    <noscript><p class="blank">This page requires JavaScript. The <a href="/docs/control">control API</a> does the same.</p></noscript>
    <div class="cards">
      <section class="card" aria-labelledby="clock-title">
        <h3 id="clock-title">Clock</h3>
        <p>The engine's clock is at <strong id="now">${moment(now, 'long')}</strong>. Codes, links, sessions, rate limits and mails follow it.</p>
        <form class="form" id="advance">
          <div class="actions">${Object.entries(leaps).map(
            ([span, label]) => html`<button type="button" data-advance="${span}">+ ${label}</button>`,
          )}</div>
          <div class="field"><label for="span">Advance by</label>
            <input id="span" name="advance" required maxlength="40" placeholder="1h30m" autocomplete="off" spellcheck="false" aria-describedby="span-hint">
            <p class="quiet" id="span-hint">A duration such as 90s, 5m, 1h30m or 2d.</p></div>
          <div class="actions"><button>Advance the clock</button></div>
        </form>
      </section>
      <section class="card" aria-labelledby="user-title">
        <h3 id="user-title">Add a user</h3>
        ${hasAdminPage && html`<p class="quiet">The <a href="/admin">admin page</a> finds, edits and deletes users.</p>`}
        <form class="form" id="add-user">
          <div class="grid-2">
            <div class="field"><label for="login">Login</label><input id="login" name="login" required maxlength="100" autocomplete="off" spellcheck="false" placeholder="ada@example.com"></div>
            <div class="field"><label for="password">Password</label><input id="password" name="password" maxlength="72" autocomplete="off" spellcheck="false" aria-describedby="password-hint"><p class="quiet" id="password-hint">Without one the user recovers by mail.</p></div>
            <div class="field"><label for="first-name">First name</label><input id="first-name" name="firstName" maxlength="50" autocomplete="off"></div>
            <div class="field"><label for="last-name">Last name</label><input id="last-name" name="lastName" maxlength="50" autocomplete="off"></div>
            <div class="field"><label for="user-status">Status</label><select id="user-status" name="status">${personStatuses.map(
              (status) => html`<option${status === 'ACTIVE' && html` selected`}>${status}</option>`,
            )}</select></div>
          </div>
          <div class="actions"><button>Add the user</button></div>
        </form>
      </section>
      <section class="card" aria-labelledby="failure-title">
        <h3 id="failure-title">Make requests fail</h3>
        <p class="quiet">The next requests to a path of the engine answer with a status.</p>
        <form class="form" id="fail-path">
          <div class="grid-2">
            <div class="field"><label for="path">Path</label><input id="path" name="path" required maxlength="200" value="/idp/idx/identify" autocomplete="off" spellcheck="false"></div>
            <div class="field"><label for="path-status">Status</label><input id="path-status" name="status" type="number" required min="400" max="599" value="503" autocomplete="off"></div>
            <div class="field"><label for="path-times">Times</label><input id="path-times" name="times" type="number" required min="1" max="1000" value="1" autocomplete="off"></div>
          </div>
          <div class="actions"><button>Make them fail</button></div>
        </form>
      </section>
      <section class="card" aria-labelledby="mail-title">
        <h3 id="mail-title">Make deliveries of mails fail</h3>
        <form class="form" id="fail-mail">
          <div class="grid-2">
            <div class="field"><label for="smtp">How</label><select id="smtp" name="smtp"><option value="refuse">The server refuses the mail</option><option value="drop">The server closes the connection</option><option value="slow">The server takes long</option></select></div>
            <div class="field"><label for="smtp-times">Times</label><input id="smtp-times" name="times" type="number" required min="1" max="1000" value="1" autocomplete="off"></div>
          </div>
          <div class="actions"><button>Make them fail</button></div>
        </form>
      </section>
      <section class="card" aria-labelledby="reset-title">
        <h3 id="reset-title">Reset</h3>
        <p>Restores the state after the start: users, clock and failures. All sessions, mails and flows are deleted; client ids, secrets and keys stay.</p>
        <div class="actions card-actions"><button type="button" class="danger" id="reset">Reset the engine</button></div>
      </section>
    </div>
  </main>
  ${confirmDialog}`,
  })
