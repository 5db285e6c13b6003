// The step of the set-up that gets the credential, which names a PSN account to the
// console. It goes to the server only; the page never sees a stored one.
import { busy, el, field, fill, form } from './ui.js';
import { get, path, post, put } from './api.js';

const ways = {
  id: { name: 'I know the account id', hint: 'The number of the PSN account. No network is needed.', show: byId },
  psn: { name: 'Sign in to PSN', hint: 'In a tab of this browser. ps4kit sees neither name nor password.', show: byPSN },
  capture: { name: 'Capture it from the phone app', hint: 'With the PS4 Second Screen app, when the console refuses the other two.', show: byApp },
};

export function accountStep(body, { card, to, signal }) {
  const place = el('div', { class: 'stack' });
  const choose = (name) => fill(place, ways[name].show(card, () => { location.hash = to('pin'); }, signal));
  const options = Object.entries(ways).map(([name, way]) => el('label', { class: 'choice' },
    el('input', { type: 'radio', name: 'way', value: name, checked: name === 'id', change: () => choose(name) }),
    el('span', {}, way.name, el('span', { class: 'hint' }, way.hint))));
  fill(body,
    el('p', {}, 'A console obeys only the users whose account it knows.'),
    card.credential ? el('p', { class: 'success' }, el('span', {}, 'An account is stored for this console. ', el('a', { href: to('pin') }, 'Go on with it'), ', or choose another:')) : null,
    card.simulated ? el('p', { class: 'note' }, 'This is a simulated console: it takes any account id, such as 1234567890123456789.') : null,
    el('fieldset', { class: 'choices' }, el('legend', { class: 'unseen' }, 'How to get the account'), options),
    place);
  choose('id');
}

function passcode() {
  return field('Passcode, if this user signs in with one', 'passcode',
    { inputmode: 'numeric', maxlength: 4, type: 'password', autocomplete: 'off', class: 'short' }, 'The 4 digits that the console asks the user for.');
}

// withPasscode leaves an empty one out.
function withPasscode(values, code) {
  return code ? { ...values, passcode: code } : values;
}

const next = () => el('div', { class: 'row' }, el('button', { type: 'submit', class: 'primary' }, 'Save and go on'));

function byId(card, done) {
  return form({ class: 'stack' }, async ({ account_id: id, passcode: code }) => {
    await put(path('consoles', card.host_id, 'credential', 'account'), withPasscode({ account_id: id.trim() }, code));
    done();
  },
  field('Account id', 'account_id', { required: true, spellcheck: 'false' }, 'Up to 20 digits, or the form that Remote Play tools show: htLlVTfWKn0=. It is not the online id.'),
  passcode(), next());
}

function byPSN(card, done) {
  const place = el('div');
  const open = el('button', { type: 'button', click: () => busy(open, place, async () => {
    const tab = window.open('', '_blank'); // now: after an answer it would be a pop-up
    try {
      const { authorize_url: address } = await get(path('psn'));
      if (tab) {
        tab.opener = null;
        tab.location = address;
      }
      fill(place, el('p', {}, 'No new tab? ', el('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, 'Open the PSN sign-in'), '.'));
    } catch (error) {
      tab?.close();
      throw error;
    }
  }) }, 'Open the PSN sign-in');
  return el('div', { class: 'stack' },
    el('ol', { class: 'todo' },
      el('li', {}, 'Sign in to PSN. ', open, place),
      el('li', {}, 'The page where that ends is blank or “not found”. Copy its address.'),
      el('li', {}, 'Paste it here within a minute or two.')),
    form({ class: 'stack' }, async ({ address, passcode: code }) => {
      await put(path('consoles', card.host_id, 'credential', 'psn'), withPasscode({ address: address.trim() }, code));
      done();
    },
    field('Address of that page', 'address', { required: true, type: 'url', spellcheck: 'false' }), passcode(), next()));
}

function byApp(card, done, signal) {
  const said = el('p', { role: 'status' });
  let running = null;
  signal.addEventListener('abort', () => running?.abort());
  const stop = el('button', { type: 'button', hidden: true, click: () => running?.abort() }, 'Stop');
  const capture = form({ class: 'stack' }, async ({ passcode: code }) => {
    running = new AbortController();
    stop.hidden = false;
    said.textContent = 'Waiting for the app, for 5 minutes at most…';
    try {
      await post(path('consoles', card.host_id, 'credential', 'capture'), withPasscode({}, code), { signal: running.signal });
      done();
    } finally {
      stop.hidden = true;
      said.textContent = '';
    }
  },
  passcode(),
  el('div', { class: 'row' }, el('button', { type: 'submit', class: 'primary' }, 'Start'), stop), said);
  return el('div', { class: 'stack' },
    el('p', {}, 'ps4kit plays a console in rest mode. Start, then open the PS4 Second Screen app on a phone in this network and choose “ps4kit” in its list of consoles.'),
    capture);
}
