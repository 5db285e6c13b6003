// Settings: the server, preferences, the password, tokens for scripts, backup,
// and the whole configuration.
import { html, useRef, useState } from './vendor/preact.js';
import { Action, Field, Form, Outside, Panel, Problem, announce, ask, copy, useAction, when } from './ui.js';
import { del, path, post, put, useGet } from './api.js';
import { Password } from './password.js';

export function Settings({ session, overview }) {
  const { value: settings, error, reload } = useGet(path('settings'));
  return html`<h1>Settings</h1>
    <${Panel} id="server" name="Server"><${Server} info=${session.value} release=${overview.release} settings=${settings} /><//>
    <${Panel} id="preferences" name="Preferences"><${Preferences} settings=${settings} reload=${reload} /><//>
    <${Panel} id="password" name="Password"><${Password} changed=${session.reload} /><//>
    <${Panel} id="tokens" name="API tokens"><${Tokens} /><//>
    <${Panel} id="backup" name="Backup"><${Backup} /><//>
    <${Panel} id="values" name="Configuration"><${Problem} error=${error} /><${Configuration} settings=${settings} /><//>`;
}

function Server({ info, release, settings }) {
  const [restarting, setRestarting] = useState(false);
  const waiting = settings?.filter((s) => s.waits).map((s) => s.key) ?? [];
  const detail = 'Home and this page lose the connection for a few seconds. You have to sign in again.';
  async function restart() {
    await post(path('restart'));
    setRestarting(true); // until the stream of events leads to the sign-in page
  }
  return html`<p>ps4kit ${info?.version}${info?.simulated && ', with simulated consoles'} · <a href="/assets/vendor/LICENSES.txt">Third-party licenses</a></p>
    ${release && html`<p class="note">Version ${release.version} is available. ${release.url && html`<${Outside} href=${release.url}>Read what changed<//> and `}
      <a href="/guide/backup#upgrade">how to upgrade</a>.</p>`}
    ${waiting.length > 0 && html`<p class="note">Waiting for a restart: ${waiting.join(', ')}</p>`}
    <div><${Action} action=${restart} confirm=${{ question: 'Restart ps4kit?', detail, yes: 'Restart' }}>Restart…<//></div>
    <p role="status">${restarting && 'The server is restarting…'}</p>`;
}

const preferences = [
  { key: 'poll.interval', label: 'Polling interval', hint: 'How often each console is asked for its state, such as 500ms or 2s. In rest mode, half as often.' },
  { key: 'art.country', label: 'Country of the PlayStation Store', hint: 'Where names and covers come from: two letters, such as us.' },
  { key: 'art.language', label: 'Language of titles', hint: 'Two letters, such as en. Empty for the names that the console uses.' },
  { key: 'log.level', label: 'Log level', options: ['error', 'warn', 'info', 'debug', 'trace'] },
  { key: 'companion.enabled', label: 'Companion bridge', hint: html`Sensors and switches for <a href="/guide/siri">automations</a>.` },
  { key: 'updates.check', label: 'Look for new releases', hint: 'At most once a day, without installing them.' },
];

const Preferences = ({ settings, reload }) => html`<p class="hint">Values in config.yaml and environment variables override these.</p>
  <div class="fields">
    ${settings && preferences.map(({ key, ...field }) => html`<${Preference} key=${key} ...${field} setting=${settings.find((s) => s.key === key)} reload=${reload} />`)}
  </div>`;

// Preference is a field that saves its setting when it changes. Saving undefined
// restores the default.
function Preference({ label, hint, options, setting: { key, value, source, editable, waits }, reload }) {
  const { run, busy, error } = useAction();
  const [draft, setDraft] = useState(null); // until it is saved
  const save = (to) => run(async () => {
    setDraft(to);
    await put(path('settings', key), { value: to });
    await reload();
    setDraft(null);
    announce(`${label}: ${to === undefined ? 'default restored' : 'saved'}`);
  });
  const shown = draft ?? value;
  const common = { id: key, disabled: !editable, 'aria-busy': busy, 'aria-describedby': `${key}-hint` };
  const change = ({ currentTarget: input }) => save(input.type === 'checkbox' ? String(input.checked) : input.value);
  const input = options ? html`<select ...${common} value=${shown} onchange=${change}>${[...new Set([...options, value])].map((o) => html`<option key=${o} value=${o}>${o}</option>`)}</select>`
    : ['true', 'false'].includes(value) ? html`<input type="checkbox" ...${common} checked=${shown === 'true'} onchange=${change} />`
    : html`<input ...${common} value=${shown} autocomplete="off" spellcheck="false" oninput=${(event) => setDraft(event.currentTarget.value)} onchange=${change} />`;
  return html`<div class="field">
    <div class="row"><label for=${key}>${label}</label>
      ${!editable && html`<span class="badge">locked</span>`}${waits && html`<span class="badge warn">after a restart</span>`}</div>
    ${input}
    ${source === 'page' && html`<div><button type="button" aria-label="Use the default: ${label}" onclick=${() => save()}>Use the default</button></div>`}
    <div id="${key}-hint" class="hint">${hint}${!editable && html`<p>Set ${from(source)}.</p>`}</div>
    <${Problem} error=${error} />
  </div>`;
}

const from = (source) => (source.startsWith('-') ? `with the flag ${source}` : source.includes(':') ? `in ${source}` : `with the variable ${source}`);

function Tokens() {
  const { value: tokens, error, reload } = useGet(path('tokens'));
  const [made, setMade] = useState(null);
  const secret = useRef();
  async function make({ name, access }, form) {
    setMade(await post(path('tokens'), { name, access }));
    form.reset();
    await reload();
  }
  async function revoke(token) {
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
      <${Action} class="danger" aria-label="Revoke ${t.name}" action=${() => revoke(t)}
        confirm=${{ question: `Revoke ${t.name}?`, detail: 'Scripts that use it lose access.', yes: 'Revoke' }}>Revoke<//>
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
      <strong>The token “${made.name}” is shown only once:</strong><code class="secret" ref=${secret}>${made.token}</code>
      <div><${Action} action=${() => copy(secret.current)}>Copy<//></div>
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
  return html`<p>A backup contains pairings and credentials. Keep it as safe as a password. <a href="/guide/backup">More about backups</a></p>
    <div><a class="button" href=${path('backup')} download="ps4kit-backup.tar.gz">Download a backup</a></div>
    <${Form} class="add" action=${restore}>
      <${Field} label="Backup file" name="archive" type="file" accept=".gz,application/gzip" required />
      <button class="danger">Restore…</button>
    <//>
    <p role="status">${restoring && 'The server is restarting with the backup…'}</p>`;
}

function Configuration({ settings }) {
  return html`<p>Change these in config.yaml or with environment variables. Most are read at startup.</p>
    <table class="values">
      <thead><tr><th scope="col">Key</th><th scope="col">Value</th><th scope="col">Source</th></tr></thead>
      <tbody>${settings?.map(({ key, value, source, waits }) => html`<tr key=${key}>
        <th scope="row"><code>${key}</code></th>
        <td>${value}</td>
        <td class="hint">${source} ${waits && html`<span class="badge warn">after a restart</span>`}</td>
      </tr>`)}</tbody>
    </table>`;
}
