// Settings: the password, tokens for scripts, backup, and the configuration.
import { html, useState } from './vendor/preact.js';
import { Action, Field, Form, Problem, ask, when } from './ui.js';
import { del, path, post, put, useGet } from './api.js';

export function Settings({ session }) {
  const { value: info } = session;
  return html`<h1>Settings</h1>
    <${Panel} id="password" name="Password"><${Password} changed=${session.reload} /><//>
    <${Panel} id="tokens" name="API tokens"><${Tokens} /><//>
    <${Panel} id="backup" name="Backup"><${Backup} /><//>
    <${Panel} id="values" name="Configuration"><${Configuration} /><//>
    <p class="hint">ps4kit ${info?.version}${info?.simulated && ', with simulated consoles'} · <a href="/assets/vendor/LICENSES.txt">Third-party licenses</a></p>`;
}

const Panel = ({ id, name, children }) => html`<section class="panel stack" aria-labelledby=${id}><h2 id=${id}>${name}</h2>${children}</section>`;

function Password({ changed }) {
  const [done, setDone] = useState(false);
  async function change({ current, new: chosen }, form) {
    setDone(false);
    await put(path('password'), { current, new: chosen });
    form.reset();
    setDone(true);
    await changed();
  }
  return html`<${Form} class="stack short" action=${change}>
    <input type="text" name="username" autocomplete="username" value="ps4kit" hidden />
    <${Field} label="Current password" name="current" type="password" autocomplete="current-password" required />
    <${Field} label="New password" name="new" type="password" autocomplete="new-password" required />
    <div><button>Change the password</button></div>
    <div role="status">${done && html`<p class="success">Password changed. All other browsers are signed out.</p>`}</div>
  <//>`;
}

function Tokens() {
  const { value: tokens, error, reload } = useGet(path('tokens'));
  const [made, setMade] = useState(null);
  async function make({ name, access }, form) {
    setMade(await post(path('tokens'), { name, access }));
    form.reset();
    await reload();
  }
  async function revoke(token) {
    if (!await ask({ question: `Revoke ${token.name}?`, detail: 'Scripts that use it lose access.', yes: 'Revoke' })) return;
    await del(path('tokens', token.id));
    await reload();
  }
  return html`<p>For scripts: <code>Authorization: Bearer TOKEN</code>. The API is described at <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>.</p>
    <${Problem} error=${error} />
    <ul class="plain lines">${tokens?.map((t) => html`<li key=${t.id}>
      <div class="grow">
        <strong>${t.name}</strong> <span class="badge">${t.access}</span>
        <p class="hint">Made ${when(t.created)}, ${t.last_used ? `last used ${when(t.last_used)}` : 'never used'}</p>
      </div>
      <${Action} class="danger" aria-label="Revoke ${t.name}" action=${() => revoke(t)}>Revoke<//>
    </li>`)}</ul>
    <${Form} class="add" action=${make}>
      <${Field} label="Name" name="name" required placeholder="doorbell script" />
      <${Field} label="Access" name="access">
        <select id="access" name="access">
          <option value="read">read: see the consoles and their inputs</option>
          <option value="control">control: also control them and edit their inputs</option>
        </select>
      <//>
      <button>Make a token</button>
    <//>
    <div role="status">${made && html`<div class="success">
      <strong>The token “${made.name}” is shown only once:</strong><code class="secret">${made.token}</code>
    </div>`}</div>`;
}

function Backup() {
  const [restoring, setRestoring] = useState(false);
  async function restore({ archive }) {
    const detail = 'This replaces everything that ps4kit stores: consoles, inputs, pairings, credentials and the password. The server restarts, and you have to sign in again.';
    if (!await ask({ question: 'Restore this backup?', detail, yes: 'Restore' })) return;
    await post(path('restore'), archive);
    setRestoring(true); // until the stream of events leads to the sign-in page
  }
  return html`<p>A backup contains pairings and credentials. Keep it as safe as a password.</p>
    <div><a class="button" href=${path('backup')} download="ps4kit-backup.tar.gz">Download a backup</a></div>
    <${Form} class="add" action=${restore}>
      <${Field} label="Backup file" name="archive" type="file" accept=".gz,application/gzip" required />
      <button class="danger">Restore…</button>
    <//>
    <p role="status">${restoring && 'The server is restarting with the backup…'}</p>`;
}

function Configuration() {
  const { value: settings, error } = useGet(path('settings'));
  return html`<p>Change these in config.yaml or with environment variables. Most are read at startup.</p>
    <${Problem} error=${error} />
    <table class="values">
      <thead><tr><th scope="col">Key</th><th scope="col">Value</th><th scope="col">Source</th></tr></thead>
      <tbody>${settings?.map(({ key, value, source }) => html`<tr key=${key}>
        <th scope="row"><code>${key}</code></th>
        <td>${typeof value === 'string' ? value : JSON.stringify(value)}</td>
        <td class="hint">${source}</td>
      </tr>`)}</tbody>
    </table>`;
}
