// Linking a console in steps: find it, the PSN account, the PIN. The address has
// the console and the step: #/setup/A0B1C2D3E4F5/pin.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Action, Field, Form, Problem } from './ui.js';
import { AddConsole, authorized } from './consoles.js';
import { PermitKeys } from './keys.js';
import { failure, get, path, post, put } from './api.js';

const steps = {
  account: { name: 'Your PSN account', view: Account },
  pin: { name: 'The PIN', view: Link },
};

export function Setup({ consoles, args: [host, asked] }) {
  const card = consoles.find((c) => c.host_id === host) ?? { host_id: host, name: host };
  const known = hasAccount(card) || card.registered;
  const first = useRef(known ? 'pin' : 'account');
  if (!host) return html`<${Find} consoles=${consoles} />`;
  const current = steps[asked] ? asked : first.current;
  const names = Object.keys(steps);
  const to = (step) => `#/setup/${encodeURIComponent(host)}/${step}`;
  return html`<h1>Set up ${card.name}</h1>
    <ol class="steps">
      <li class="done"><a href="#/setup">Find the console</a></li>
      ${names.map((step, i) => html`<li key=${step} class=${known && i < names.indexOf(current) ? 'done' : ''}>
        <a href=${to(step)} aria-current=${step === current ? 'step' : null}>${steps[step].name}</a>
      </li>`)}
    </ol>
    <section class="panel stack" aria-labelledby="step">
      <h2 id="step">${steps[current].name}</h2>
      <${steps[current].view} card=${card} to=${to} />
    </section>`;
}

function Find({ consoles }) {
  const [answers, setAnswers] = useState([]);
  const all = new Map([...answers, ...consoles].map((c) => [c.host_id, c]));
  async function search() {
    const found = await post(path('search'), { wait: '3s' });
    setAnswers(found);
    if (found.length === 0) {
      throw failure({
        message: 'No console answered',
        hint: 'Turn on the console and check that it is on this network. Some routers separate wireless devices: then add the console by its address.',
      });
    }
  }
  async function add({ address }) {
    await post(path('consoles'), { address: address.trim() });
    location.hash = '#/consoles';
  }
  return html`<h1>Set up a console</h1>
    <section class="panel stack" aria-labelledby="find">
      <h2 id="find">Find the console</h2>
      <p>Turn on the console and connect it to the same network as this server. To let ps4kit wake it, enable “Stay Connected to the Internet” and “Enable Turning On PS4 from Network” (or PS5) in this menu:</p>
      <ul>
        <li>PS4: Settings > Power Save Settings > Set Features Available in Rest Mode</li>
        <li>PS5: Settings > System > Power Saving > Features Available in Rest Mode</li>
      </ul>
      <div class="row"><${Action} class="primary" action=${search}>Search the network<//></div>
      <ul class="plain lines">${[...all.values()].map((c) => html`<${FoundConsole} key=${c.host_id} found=${c} />`)}</ul>
    </section>
    <section class="panel stack" aria-labelledby="by-address">
      <h2 id="by-address">Add a console by address</h2>
      <${Form} class="row" action=${add}>
        <input class="grow" name="address" required aria-label="Address or host name" placeholder="192.168.1.20" autocomplete="off" spellcheck="false" autocapitalize="off" />
        <button>Add</button>
      <//>
    </section>`;
}

function FoundConsole({ found }) {
  const { host_id: id, name = id, host_type: type, address } = found;
  const href = `#/setup/${encodeURIComponent(id)}`;
  const link = html`<a class="button" href=${href} aria-label="Link ${name}">Link</a>`;
  const add = html`<${AddConsole} console=${found} added=${() => { location.hash = href; }} />`;
  return html`<li>
    <div class="grow"><strong>${name}</strong><p class="hint">${[type, address, id].filter(Boolean).join(' · ')}</p></div>
    ${found.accepted === false ? add : link}
  </li>`;
}

const ways = {
  account: { name: 'I know the account id', hint: 'The number of the PSN account. No internet access is needed.', view: ById },
  psn: { name: 'Sign in to PSN', hint: 'In a tab of this browser. ps4kit sees neither your name nor your password.', view: ByPSN },
  capture: { name: 'Capture it from the phone app', hint: 'With the PS4 Second Screen app, if the console refuses the other two.', view: ByApp },
};

// The menus where consoles show the PIN of Remote Play.
const remotePlayMenus = {
  PS4: { menu: 'Settings > Remote Play Connection Settings', item: 'Add Device' },
  PS5: { menu: 'Settings > System > Remote Play', item: 'Link Device' },
};

const remotePlay = (card) => card.protocol === 'remote_play' && remotePlayMenus[card.host_type];

// hasAccount reports whether the link with a console can use a stored account. A
// credential that was captured or imported has no account id.
const hasAccount = (card) => (remotePlay(card) ? card.account : card.credential);

function Account({ card, to }) {
  const [way, setWay] = useState('account');
  const left = useRef(new AbortController()).current;
  useEffect(() => () => left.abort(), []);
  async function save({ passcode, ...values }) {
    const request = way === 'capture' ? post : put;
    await request(path('consoles', card.host_id, 'credential', way), passcode ? { ...values, passcode } : values, left.signal);
    location.hash = to('pin');
  }
  return html`<p>${remotePlay(card) ? `Choose an account that is signed in on the ${card.host_type}.` : 'A console accepts only users whose PSN account it knows.'}</p>
    ${hasAccount(card) && html`<p class="success"><span>An account is stored for this console. <a href=${to('pin')}>Use it</a>, or choose another one:</span></p>`}
    ${card.simulated && html`<p class="note">This is a simulated console. It accepts any account id, such as 1234567890123456789.</p>`}
    <fieldset class="plain">
      <legend class="unseen">How to get the account</legend>
      ${Object.entries(ways).filter(([key]) => key !== 'capture' || !remotePlay(card)).map(([key, { name, hint }]) => html`<label key=${key} class="choice">
        <input type="radio" name="way" checked=${key === way} onchange=${() => setWay(key)} />
        <span>${name}<span class="hint">${hint}</span></span>
      </label>`)}
    </fieldset>
    <${Form} key=${way} class="stack" action=${save}>
      <${ways[way].view} />
      <${Field} label="Passcode (optional)" name="passcode" class="short" type="password" inputmode="numeric" maxlength="4"
        hint="Four digits, if the console asks this user for a passcode." />
      <div class="row"><button class="primary">${way === 'capture' ? 'Start' : 'Save and continue'}</button></div>
    <//>`;
}

function ById() {
  return html`<${Field} label="Account id" name="account_id" required spellcheck="false"
    hint="Up to 20 digits, or the form that Remote Play tools show: htLlVTfWKn0=. It is not the online id." />`;
}

function ByPSN() {
  const [page, setPage] = useState('');
  async function open() {
    const tab = window.open('', '_blank'); // before the request: later it would be a pop-up
    try {
      const { authorize_url: address } = await get(path('psn'));
      setPage(address);
      if (tab) Object.assign(tab, { opener: null, location: address });
    } catch (error) {
      tab?.close();
      throw error;
    }
  }
  return html`<ol class="todo">
      <li>Sign in to PSN. <${Action} action=${open}>Open the PSN sign-in<//>
        ${page && html`<p>No new tab? <a href=${page} target="_blank" rel="noopener noreferrer">Open the PSN sign-in</a>.</p>`}
      </li>
      <li>The last page is blank or “not found”. Copy its address.</li>
      <li>Paste it here within a minute or two.</li>
    </ol>
    <${Field} label="Address of that page" name="address" required type="url" spellcheck="false" />`;
}

function ByApp() {
  return html`<p>ps4kit pretends to be a console in rest mode. Click Start, then open the PS4 Second Screen app on a phone
    on this network within 5 minutes, and choose “ps4kit” in its list of consoles. To stop, leave this step.</p>`;
}

function Link({ card, to }) {
  const [error, setError] = useState(null);
  const [works, setWorks] = useState(false);
  const { menu, item } = remotePlay(card) || {};
  const run = (verb, body) => post(path('consoles', card.host_id, verb), body);
  async function test() {
    setWorks(false);
    await run('test');
    setWorks(true);
  }
  async function link({ pin }) {
    setWorks(false);
    await run('link', { pin });
    if (menu) setWorks(true); // the session of a test would sign the user in on the TV
    else await test();
  }
  return html`<ol class="todo">
      <li>Turn on the console. <${Wake} card=${card} /></li>
      ${menu ? html`
        <li>On the ${card.host_type}, turn on <strong>${menu} > Enable Remote Play</strong>.</li>
        <li>Open <strong>${item}</strong> in the same menu, and leave it open.</li>` : html`
        <li>On the PS4, open <strong>Settings > Mobile App Connection Settings > Add Device</strong>. Don’t use the Remote Play PIN.</li>`}
      <li>Enter the PIN while the TV shows it.</li>
    </ol>
    ${card.simulated && html`<p class="note">This is a simulated console. Its PIN is 12345678.</p>`}
    <${Form} class="stack" action=${link} failed=${setError}>
      <${Field} label="PIN on the TV" name="pin" class="digits short" inputmode="numeric" required
        pattern="(( |-)*[0-9]){8}( |-)*" title="8 digits" placeholder="1234 5678" hint="8 digits, with or without spaces" />
      <div class="row">
        <button class="primary">Link</button>
        ${!menu && html`<span class="hint">Linked before?</span><${Action} action=${test} failed=${setError}>Test the connection<//>`}
      </div>
    <//>
    <${Refused} error=${error} card=${card} to=${to} />
    <${PermitKeys} card=${card} />
    ${works && html`<div class="success" role="status">
      <strong>It works: ${card.name} accepts ps4kit.</strong>
      <div class="row"><a class="button primary" href="#/homekit">Add it to Home</a><a class="button" href="#/consoles">Try it</a></div>
    </div>`}`;
}

// Wake is a button to turn on a console, if it is in rest mode and ps4kit can.
function Wake({ card }) {
  const wake = () => post(path('consoles', card.host_id, 'power'), { state: 'awake', wait: true });
  return card.state === 'standby' && authorized(card) && html`<${Action} icon="power" action=${wake}>Turn it on<//>`;
}

const wrongAccount = ['no_credential', 'account_needed', 'authentication', 'no_such_account', 'client_too_old', 'passcode_needed', 'passcode_wrong'];

// Refused shows an error with a way to continue. The hint to account_needed is
// for the command line.
function Refused({ error, card, to }) {
  return html`<${Problem} error=${error?.code === 'account_needed' ? { message: error.message } : error}>
    ${wrongAccount.includes(error?.code) && html`<a class="button" href=${to('account')}>Choose the account</a>`}
    ${error?.code === 'standby' && html`<${Wake} card=${card} />`}
  <//>`;
}
