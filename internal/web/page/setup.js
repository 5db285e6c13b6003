// Setting up a console, in steps from finding it to Apple Home. The console's
// card tells which steps are done, so you can leave and resume. The address has
// the console and the step: #/setup/A0B1C2D3E4F5/pin.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Action, Field, Form, Icon, Outside, Panel, Problem, pursuits, section } from './ui.js';
import { failure, get, path, post, put } from './api.js';
import { Pairing } from './homekit.js';
import { PermitKeys } from './remote.js';

const steps = {
  find: { name: 'Find', done: () => true },
  account: { name: 'Account', title: 'Choose your PSN account', view: Account, done: (card) => hasAccount(card) || card.registered },
  pin: { name: 'Link', title: 'Link it with a PIN', view: Link, done: (card) => card.linked },
  test: { name: 'Test', title: 'Test rest mode and wake', view: Test, done: (card) => card.tested },
  pair: { name: 'Pair', title: 'Add it to Apple Home', view: Pair, done: (card) => card.paired },
};

const address = (host, step) => section('setup', host, step);

// isDone reports whether a step is done. A console that works in Home needs no
// more steps, though it may have been linked before they were recorded.
const isDone = (card, step) => steps[step].done(card) || (card.paired && authorized(card));

// nextStep returns the first step that isn't done, or undefined.
const nextStep = (card) => Object.keys(steps).find((step) => !isDone(card, step));

const usesRemotePlay = (card) => card.protocol === 'remote_play';

// authorized reports whether ps4kit can control a console: with Remote Play once
// it is linked, otherwise once there is a PSN account to log in with.
export const authorized = (card) => (usesRemotePlay(card) ? card.registered : card.credential);

// Setup shows a step of a console that exists, or else the first step.
export function Setup({ consoles, args: [host, asked] }) {
  const card = consoles.find((c) => c.host_id === host);
  return card ? html`<${Step} card=${card} asked=${asked} />`
    : html`<h1>${consoles.length > 0 ? 'Set up a console' : 'Set up your first console'}</h1>
      <${Steps} current="find" />
      <${Find} consoles=${consoles} />`;
}

// Step shows the step asked for, or the first one that wasn't done on arrival.
function Step({ card, asked }) {
  const resumed = useRef(nextStep(card) ?? 'pair').current;
  const current = steps[asked]?.view ? asked : resumed;
  const { title, view } = steps[current];
  return html`<h1>Set up ${card.name}</h1>
    <${Steps} card=${card} current=${current} />
    <${Panel} id="step" name=${title}><${view} card=${card} to=${(to) => address(card.host_id, to)} /><//>`;
}

// Steps lists the steps. Those of a console are links.
function Steps({ card, current }) {
  return html`<ol class="steps" aria-label="Steps">
    ${Object.entries(steps).map(([step, { name, view }]) => {
      const done = card && isDone(card, step);
      const mark = html`<span class="mark">${done && html`<${Icon} name="enter" />`}</span>${name}${done && html`<span class="unseen">, done</span>`}`;
      return html`<li key=${step} class=${done ? 'done' : ''} aria-current=${step === current ? 'step' : null}>
        ${card ? html`<a href=${address(view && card.host_id, view && step)}>${mark}</a>` : html`<span>${mark}</span>`}
      </li>`;
    })}
  </ol>`;
}

// Unfinished leads from the card of a console to its next step.
export function Unfinished({ card }) {
  const step = nextStep(card);
  const names = Object.keys(steps);
  return step && html`<div class="note row">
    <span class="grow"><strong>Set-up: step ${names.indexOf(step) + 1} of ${names.length}</strong><br />${steps[step].title}</span>
    <a class="button primary" href=${address(card.host_id)} aria-label="Continue to set up ${card.name}">Continue</a>
  </div>`;
}

// Accept is a button that accepts a console and opens its set-up.
export function Accept({ card: { address: place, name, host_id: id } }) {
  async function accept() {
    await post(path('consoles'), { address: place });
    location.hash = address(id);
  }
  return html`<${Action} class="primary" aria-label="Set up ${name || id}" action=${accept}>Set up<//>`;
}

function Find({ consoles }) {
  const [answers, setAnswers] = useState([]);
  const all = [...new Map([...answers, ...consoles].map((c) => [c.host_id, c])).values()];
  async function search() {
    const found = await post(path('search'), { wait: '3s' });
    setAnswers(found);
    if (found.length === 0) {
      throw failure({
        message: 'No console answered',
        hint: 'Turn on the console and check that it is on this network. Some routers separate wireless devices: then enter its address below.',
      });
    }
  }
  async function add({ address: typed }) {
    const added = await post(path('consoles'), { address: typed.trim() });
    location.hash = address(added.host_id);
  }
  return html`<${Panel} id="find" name="Find the console">
      <p>Turn on the console, and connect it to the same network as this server. It appears here automatically.</p>
      <ul class="plain lines">${all.map((c) => html`<${FoundConsole} key=${c.host_id} card=${c} />`)}</ul>
      <div class="row"><${Action} class=${all.length > 0 ? '' : 'primary'} action=${search}>Search the network<//></div>
    <//>
    <${Panel} id="by-address" name="Not found? Enter its address">
      <p class="hint">The console shows it in its network settings.</p>
      <${Form} class="row" action=${add}>
        <input class="grow" name="address" required aria-label="Address or host name" placeholder="192.168.1.20" autocomplete="off" spellcheck="false" autocapitalize="off" />
        <button>Add</button>
      <//>
    <//>`;
}

function FoundConsole({ card }) {
  const { host_id: id, name = id, host_type: type, address: place } = card;
  const next = nextStep(card);
  return html`<li>
    <div class="grow"><strong>${name}</strong><p class="hint">${[type, place].filter(Boolean).join(' · ')}</p></div>
    ${card.accepted === false ? html`<${Accept} card=${card} />`
      : html`<a class="button ${next ? 'primary' : ''}" href=${address(id, next ? '' : 'pin')} aria-label="${next ? 'Continue to set up' : 'Link again'} ${name}">${next ? 'Continue' : 'Link again'}</a>`}
  </li>`;
}

const ways = {
  psn: { name: 'Sign in to PSN', hint: 'On Sony’s page, in a tab of this browser. ps4kit sees neither your name nor your password.', view: ByPSN },
  account: { name: 'I know the account id', hint: 'The number of the PSN account, as Remote Play tools show it. No internet access is needed.', view: ById },
  capture: { name: 'Capture it from the phone app', hint: 'With the PS4 Second Screen app, if the console refuses the other two.', view: ByApp },
};

// The menus of the consoles.
const menus = {
  PS4: {
    remotePlay: 'Settings > Remote Play Connection Settings', item: 'Add Device',
    rest: 'Settings > Power Save Settings > Set Features Available in Rest Mode',
  },
  PS5: {
    remotePlay: 'Settings > System > Remote Play', item: 'Link Device',
    rest: 'Settings > System > Power Saving > Features Available in Rest Mode',
  },
};

// hasAccount reports whether the link with a console can use a stored account. A
// credential that was captured or imported has no account id.
const hasAccount = (card) => (usesRemotePlay(card) ? card.account : card.credential);

// useLeaving returns a signal that aborts when the user leaves the step.
function useLeaving() {
  const left = useRef(new AbortController()).current;
  useEffect(() => () => left.abort(), []);
  return left.signal;
}

function Account({ card, to }) {
  const [way, setWay] = useState('psn');
  const leaving = useLeaving();
  async function save({ passcode, ...values }) {
    const request = way === 'capture' ? post : put;
    await request(path('consoles', card.host_id, 'credential', way), passcode ? { ...values, passcode } : values, leaving);
    location.hash = to('pin');
  }
  return html`<p>Choose an account that is signed in on the console. ps4kit logs in as its user.</p>
    ${hasAccount(card) && html`<${Done} text="An account is stored for this console." next=${to('pin')} />`}
    ${card.simulated && html`<p class="note">This is a simulated console. It accepts any account id, such as 1234567890123456789.</p>`}
    <fieldset class="plain">
      <legend class="unseen">How to get the account</legend>
      ${Object.entries(ways).filter(([key]) => key !== 'capture' || !usesRemotePlay(card)).map(([key, { name, hint }]) => html`<label key=${key} class="choice">
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

// Done says that a step is done, and leads to the next one.
const Done = ({ text, next }) => html`<div class="success row" role="status">
  <strong class="grow">${text}</strong><a class="button primary" href=${next}>Continue</a>
</div>`;

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
        ${page && html`<p>No new tab? <${Outside} href=${page}>Open the PSN sign-in<//>.</p>`}
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
  const leaving = useLeaving();
  const remotePlay = usesRemotePlay(card);
  const menu = menus[card.host_type] ?? menus.PS4;
  async function run(verb, body) {
    await post(path('consoles', card.host_id, verb), body);
    if (!leaving.aborted) location.hash = to('test');
  }
  return html`${card.linked && html`<${Done} text="ps4kit is linked with ${card.name}." next=${to('test')} />`}
    <ol class="todo">
      <li>Turn on the console. <${Wake} card=${card} /></li>
      ${remotePlay ? html`
        <li>On the console, turn on <strong>${menu.remotePlay} > Enable Remote Play</strong>.</li>
        <li>Open <strong>${menu.item}</strong> in the same menu, and leave it open.</li>` : html`
        <li>On the console, open <strong>Settings > Mobile App Connection Settings > Add Device</strong>. Don’t use the Remote Play PIN.</li>`}
      <li>Enter the PIN while the TV shows it.</li>
    </ol>
    ${card.simulated && html`<p class="note">This is a simulated console. Its PIN is 12345678.</p>`}
    <${Form} class="stack" action=${({ pin }) => run('link', { pin })} failed=${setError}>
      <${Field} label="PIN on the TV" name="pin" class="digits short" inputmode="numeric" required
        pattern="(( |-)*[0-9]){8}( |-)*" title="8 digits" placeholder="1234 5678" hint="8 digits, with or without spaces" />
      <div class="row"><button class="primary">Link</button></div>
    <//>
    ${!remotePlay && html`<div class="row"><span class="hint">Linked before?</span>
      <${Action} action=${() => run('test')} failed=${setError}>Test the connection<//></div>`}
    <${Refused} error=${error} card=${card} to=${to} />`;
}

// Test puts the console into rest mode and wakes it, or the other way round.
function Test({ card, to }) {
  const [error, setError] = useState(null);
  const leaving = useLeaving();
  const power = (body) => post(path('consoles', card.host_id, 'power'), body, leaving);
  const rest = () => power({ state: 'standby' });
  const wake = () => power({ state: 'awake', wait: true });
  async function test() {
    for (const turn of card.state === 'awake' ? [rest, wake] : [wake, rest]) await turn();
  }
  const { rest: menu } = menus[card.host_type] ?? menus.PS4;
  return html`${card.tested ? html`<${Done} text="Rest mode and wake work." next=${to('pair')} />`
    : html`<p>ps4kit puts the console into rest mode and turns it on again. On the console, open <strong>${menu}</strong> and turn on:</p>
      <ul class="todo">
        <li>Stay Connected to the Internet</li>
        <li>Enable Turning On ${card.host_type ?? 'PS4'} from Network</li>
      </ul>`}
    <div class="row">
      <${Action} class=${card.tested ? '' : 'primary'} action=${test} failed=${setError}>${card.tested ? 'Test again' : 'Start the test'}<//>
      ${!card.tested && html`<a class="button quiet" href=${to('pair')}>Skip</a>`}
    </div>
    <p class="hint" role="status">${pursuits[card.pursuing]
      ?? (!card.tested && 'This takes up to two minutes: at first, a console in rest mode doesn’t hear ps4kit.')}</p>
    <${Refused} error=${error} card=${card} to=${to} />
    <${PermitKeys} card=${card} />`;
}

function Pair({ card }) {
  return html`<${Pairing} card=${card} />
    ${card.paired && html`<div class="success row" role="status">
      <strong class="grow">${card.name} is in Apple Home.</strong>
      <a class="button primary" href="#/consoles">Show the console</a>
      ${card.can?.titles && html`<a class="button" href=${section('inputs', card.host_id)}>Choose its inputs</a>`}
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
