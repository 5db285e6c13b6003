// Guided linking of a console: find it, whose account, the PIN, a test. The address holds
// the console and the step: #/setup/A0B1C2D3E4F5/pin.
import { busy, el, fill, form, problem } from './ui.js';
import { path, post } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import { accountStep } from './account.js';

const menu = 'Settings > Mobile App Connection Settings > Add Device';
const searchTime = '3s';

const steps = {
  account: { name: 'Your PSN account', show: accountStep },
  pin: { name: 'The PIN', show: pinStep },
  test: { name: 'Test', show: testStep },
};

export function show(main, [host, step], signal) {
  if (!host) {
    showFind(main, signal);
    return;
  }
  const place = el('div', { class: 'stack' });
  fill(main, place);
  let shown = false;
  // The first overview says what is known of the console, and so which step is next.
  function once() {
    if (shown || !live.known) return;
    shown = true;
    const card = live.cards.get(host) || { host_id: host, name: host };
    showSteps(place, card, steps[step] ? step : card.credential ? 'pin' : 'account', signal);
  }
  live.addEventListener('consoles', once, { signal });
  once();
}

function showSteps(place, card, current, signal) {
  const to = (step) => `#/setup/${encodeURIComponent(card.host_id)}/${step}`;
  const names = Object.keys(steps);
  const body = el('div', { class: 'stack step-body' });
  const list = el('ol', { class: 'steps' },
    el('li', { class: 'done' }, el('a', { href: '#/setup' }, 'Find the console')),
    names.map((name, i) => el('li', { class: i < names.indexOf(current) ? 'done' : '' },
      el('a', { href: to(name), 'aria-current': name === current ? 'step' : null }, steps[name].name))));
  fill(place, el('h1', {}, `Set up ${card.name}`), list,
    el('section', { class: 'panel stack', 'aria-labelledby': 'step' }, el('h2', { id: 'step' }, steps[current].name), body));
  steps[current].show(body, { card, to, ways: (code) => ways(code, card, to), signal });
}

// ways are how to go on after a refusal.
function ways(code, card, to) {
  const link = (step, text) => el('a', { class: 'button', href: to(step) }, text);
  switch (code) {
    case 'no_credential': case 'authentication': case 'no_such_account': case 'client_too_old':
      return [link('account', 'Choose the account')];
    case 'passcode_needed': case 'passcode_wrong':
      return [link('account', 'Give the passcode')];
    case 'pin_needed': case 'not_linked': case 'denied': case 'pin_wrong':
      return [link('pin', 'Enter a PIN')];
    case 'standby': return [wakeButton(card)];
    default: return [];
  }
}

function wakeButton(card) {
  const place = el('div');
  const wake = el('button', { type: 'button', click: () => busy(wake, place, () => post(path('consoles', card.host_id, 'power'), { state: 'awake', wait: true })) },
    glyph('power'), 'Turn it on');
  return el('div', { class: 'stack' }, wake, place);
}

function showFind(main, signal) {
  const found = el('ul', { class: 'found' });
  const place = el('div');
  let answers = [];
  const search = el('button', { type: 'button', class: 'primary', click: () => busy(search, place, async () => {
    answers = await post(path('search'), { wait: searchTime }, { signal });
    update();
    if (answers.length === 0) fill(place, problem(nobody));
  }) }, 'Search the network');
  function update() {
    const all = new Map([...answers.map((c) => [c.host_id, c]), ...live.cards]);
    fill(found, [...all.values()].map(foundConsole));
  }
  fill(main, el('h1', {}, 'Set up a console'),
    el('section', { class: 'panel stack' },
      el('h2', {}, 'Find the console'),
      el('p', {}, 'Turn the PS4 on, in the same network. To be woken later it needs, under Settings > Power Save Settings > Set Features Available in Rest Mode, both “Stay Connected to the Internet” and “Enable Turning On PS4 from Network”.'),
      el('div', { class: 'row' }, search), place, found));
  live.addEventListener('consoles', update, { signal });
  update();
}

const nobody = {
  message: 'No console answered', code: 'not_found',
  hint: 'Turn the PS4 on and see that it is in this network. A router may keep wireless devices apart. You can also name its address in config.yaml, under consoles.',
};

function foundConsole(c) {
  const text = el('div', { class: 'grow' }, el('strong', {}, c.name || c.host_id), el('p', { class: 'hint' }, [c.host_type, c.address, c.host_id].filter(Boolean).join(' · ')));
  if (c.host_type !== 'PS4') return el('li', {}, text, el('span', { class: 'hint' }, 'Only a PS4 can be linked'));
  return el('li', {}, text,
    el('a', { class: 'button', href: `#/setup/${encodeURIComponent(c.host_id)}` , 'aria-label': `Link ${c.name || c.host_id}` }, 'Link'));
}

function pinStep(body, { card, to, ways: more, signal }) {
  const place = el('div');
  const link = form({ class: 'stack' }, async ({ pin }) => {
    fill(place);
    try {
      await post(path('consoles', card.host_id, 'link'), { pin }, { signal });
      location.hash = to('test');
    } catch (error) {
      if (error.name !== 'AbortError') fill(place, problem(error, ...more(error.code).filter((w) => w.href !== location.href)));
    }
  },
  el('div', { class: 'field' },
    el('label', { for: 'pin' }, 'PIN on the TV'),
    el('input', { id: 'pin', name: 'pin', class: 'digits', inputmode: 'numeric', autocomplete: 'off', required: true, placeholder: '1234 5678', 'aria-describedby': 'pin-hint' }),
    el('p', { id: 'pin-hint', class: 'hint' }, '8 digits. Blanks do not matter.')),
  el('div', { class: 'row' }, el('button', { type: 'submit', class: 'primary' }, 'Link'), el('a', { class: 'button', href: to('test') }, 'It is linked already')));
  fill(body,
    el('ol', { class: 'todo' },
      el('li', {}, 'Turn the console on. ', card.state === 'standby' ? wakeButton(card) : null),
      el('li', {}, 'On the PS4 open ', el('strong', {}, menu), '. The PIN of the Remote Play menu is another.'),
      el('li', {}, 'Type the PIN while the TV shows it.')),
    card.simulated ? el('p', { class: 'note' }, 'This is a simulated console: its PIN is 12345678.') : null,
    link, place);
}

function testStep(body, { card, ways: more, signal }) {
  const place = el('div');
  const test = el('button', { type: 'button', class: 'primary', click: () => busy(test, place, async () => {
    try {
      await post(path('consoles', card.host_id, 'test'), undefined, { signal });
      fill(place, worked(card));
    } catch (error) {
      if (error.name !== 'AbortError') fill(place, problem(error, ...more(error.code)));
    }
  }) }, 'Test the connection');
  fill(body,
    el('p', {}, 'ps4kit signs in on the console as it does before it presses a key. The console has to be on.'),
    el('div', { class: 'row' }, test), place);
}

function worked(card) {
  return el('div', { class: 'success', role: 'status' },
    el('strong', {}, `It works: ${card.name} obeys.`),
    el('div', { class: 'row' },
      el('a', { class: 'button primary', href: '#/homekit' }, 'Add it to Home'),
      el('a', { class: 'button', href: '#/consoles' }, 'Try the remote')));
}
