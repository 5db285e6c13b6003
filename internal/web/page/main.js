// The frame of the page. The part of the address after # names the section, so
// that a reload returns to it: #/inputs/A0B1C2D3E4F5.
import { html, render, useEffect, useState } from './vendor/preact.js';
import { Icon, Loading } from './ui.js';
import { path, useGet, useStream } from './api.js';
import { Consoles } from './consoles.js';
import { HomeKit } from './homekit.js';
import { Inputs } from './inputs.js';
import { Log } from './log.js';
import { FirstPassword } from './password.js';
import { Settings } from './settings.js';
import { Setup } from './setup.js';

const sections = {
  consoles: { name: 'Consoles', view: Consoles },
  setup: { name: 'Set up', view: Setup },
  inputs: { name: 'Inputs', view: Inputs },
  homekit: { name: 'HomeKit', view: HomeKit },
  log: { name: 'Log', view: Log },
  settings: { name: 'Settings', view: Settings },
};

const byName = (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || a.host_id.localeCompare(b.host_id);

// decode returns a segment of the address. A mistyped one stays as it is.
function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function App() {
  const [hash, setHash] = useState(location.hash);
  const [overview, setOverview] = useState(null);
  const connected = useStream('/api/v1/events', { overview: setOverview });
  const session = useGet(path('session'));
  const [later, setLater] = useState(false);
  const choosing = session.value?.first_password && !later;
  const [asked, ...args] = hash.replace(/^#\//, '').split('/').map(decode);
  const current = sections[asked] ? asked : 'consoles';
  const { name, view } = sections[current];
  const consoles = overview && [...overview.consoles].sort(byName);
  useEffect(() => {
    addEventListener('hashchange', () => {
      setHash(location.hash);
      scrollTo(0, 0);
      focusMain();
    });
  }, []);
  useEffect(() => { document.title = `${name} · ps4kit`; }, [name]);
  return html`
    <a class="skip" href="#main" onclick=${(event) => { event.preventDefault(); focusMain(); }}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/consoles"><img src="/assets/icon.svg" alt="" width="28" height="28" />ps4kit</a>
      <p class="connection" role="status">${!connected && 'Connection lost. Trying again…'}</p>
      <a href="/guide/">Guide</a>
      <form method="post" action="/logout"><button class="quiet">Sign out</button></form>
    </header>
    ${!choosing && html`<nav class="nav" aria-label="Sections">
      ${Object.entries(sections).map(([key, section]) => html`
        <a key=${key} href="#/${key}" aria-current=${key === current ? 'page' : null}>
          <${Icon} name=${key} /><span>${section.name}${key === 'settings' && overview?.release && html`<span class="dot"><span class="unseen"> (new release)</span></span>`}</span>
        </a>`)}
    </nav>`}
    <main id="main" class="main" tabindex="-1" aria-label=${name}>
      ${choosing ? html`<${FirstPassword} done=${session.reload} later=${session.value.simulated && (() => setLater(true))} />`
        : consoles && (session.value || session.error) ? html`<${view} key=${hash} args=${args} overview=${overview} consoles=${consoles} session=${session} />`
        : html`<${Loading} />`}
    </main>
    <p id="announcer" class="unseen" aria-live="polite"></p>`;
}

const focusMain = () => document.getElementById('main').focus({ preventScroll: true });

render(html`<${App} />`, document.body);
