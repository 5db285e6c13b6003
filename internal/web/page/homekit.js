// HomeKit: the setup code while an accessory is unpaired, then its controllers.
import { html } from './vendor/preact.js';
import { Action, Icon, Loading, Problem } from './ui.js';
import { del, path, useGet } from './api.js';

export function HomeKit({ overview }) {
  const { value, error, reload } = useGet(path('homekit'), overview);
  return html`<div class="head">
      <h1>HomeKit</h1>
      <p class="hint">Each console is a separate accessory, because the Control Center remote shows only one television of a bridge. <a href="/guide/pairing">How to pair</a></p>
    </div>
    <${Problem} error=${error} />
    ${!value && !error && html`<${Loading} />`}
    ${value?.length === 0 && html`<p>No console is offered to HomeKit yet. <a href="#/setup">Set one up</a>.</p>`}
    <div class="cards">
      ${value?.map((a) => html`<${Accessory} key=${a.device_id} accessory=${a} id=${a.host_id || 'companion'} reload=${reload} />`)}
    </div>`;
}

// Pairing shows how to pair a console, in the last step of its set-up.
export function Pairing({ card }) {
  const { value, error } = useGet(path('homekit'), card);
  if (!value) return html`<${Loading} error=${error} />`;
  const accessory = value.find((a) => a.host_id === card.host_id);
  if (!accessory) return html`<p>ps4kit doesn’t offer this console to HomeKit. The <a href="#/log">log</a> says why.</p>`;
  if (accessory.paired) return null;
  return accessory.pairing_locked ? html`<p>Too many wrong setup codes were entered. <a href="#/homekit">Unlock pairing</a>.</p>`
    : html`<${SetupCode} accessory=${accessory} id=${card.host_id} />`;
}

function Accessory({ accessory: a, id, reload }) {
  const [status, badge, View] = a.paired ? ['Paired', 'good', Pairings]
    : a.pairing_locked ? ['Pairing locked', 'warn', Locked]
    : ['Not paired', 'warn', SetupCode];
  async function reset() {
    await del(path('homekit', id, 'pairings'));
    await reload();
  }
  return html`<section class="panel stack" data-host=${id}>
    <header class="card-head">
      <h2 class="grow">${a.name}</h2>
      <span class="badge ${badge}">${status}</span>
    </header>
    <${View} accessory=${a} id=${id} reset=${reset} />
    <p class="hint">Device id ${a.device_id}, ${a.address}:${a.port}</p>
  </section>`;
}

const SetupCode = ({ accessory: a, id }) => html`<div class="pairing">
  <img class="qr" src=${path('homekit', id, 'qr')} width="232" height="232" alt="QR code to pair ${a.name}" />
  <div class="stack">
    <p class="hint">Setup code</p>
    <p class="code">${a.setup_code}</p>
    <ol class="todo">
      <li>Open the Home app on an iPhone or iPad on this network, tap + and then Add Accessory.</li>
      <li>Scan the QR code, or choose More options and enter the setup code.</li>
      <li>Home warns that the accessory is not certified. Add it anyway.</li>
    </ol>
    <div class="row"><a class="button" href=${a.setup_uri}><${Icon} name="homekit" />Add to Home on this device</a></div>
  </div>
</div>`;

const Locked = ({ reset }) => html`
  <p>Too many wrong setup codes were entered. Unlock pairing, then use the setup code that appears.</p>
  <div class="row"><${Action} action=${reset}>Unlock pairing<//></div>`;

function Pairings({ accessory: { name, controllers = [] }, reset }) {
  const detail = 'Home loses it, with its room, scenes and automations. To pair it again, use the code that this page then shows.';
  return html`<p>Paired with ${controllers.length} ${controllers.length === 1 ? 'controller' : 'controllers'}:</p>
    <ul class="plain">${controllers.map((c) => html`<li key=${c.id}><code>${c.id}</code> ${c.admin && html`<span class="badge">admin</span>`}</li>`)}</ul>
    <div class="row"><${Action} class="danger" action=${reset} confirm=${{ question: `Unpair ${name}?`, detail, yes: 'Unpair' }}>Unpair…<//></div>`;
}
