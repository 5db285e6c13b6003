// The card of one console: what it does now, its power, its inputs and its remote.
import { ago, busy, el, fill, fillOnce, form, iconButton, problem } from './ui.js';
import { get, path, post, put } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import { cover, inputName } from './titles.js';
import { remote } from './remote.js';
import { textEntry } from './keyboard.js';

const states = {
  awake: { text: 'On', badge: 'good' },
  standby: { text: 'Rest mode', badge: 'tint' },
  unreachable: { text: 'Not reachable', badge: 'warn' },
};
const flashTime = 3000; // ms, of a card whose console is asked to show itself

// consoleCard makes the card; update takes what the server told last.
export function consoleCard(first, { open, signal }) {
  const id = first.host_id;
  let card = first;
  const place = el('div'); // of the last refusal that this page got
  const name = el('h2');
  const state = el('span', { class: 'badge' });
  const head = el('header', { class: 'card-head' });
  const now = el('div', { class: 'now' });
  const told = el('div'); // the last error that the server knows
  const next = el('div'); // what is still to be done
  const power = el('button', { type: 'button', class: 'power', click: () => busy(power, place, switchPower) });
  const inputs = inputRow(id, place, signal);
  const pad = remote(id, () => card.name);
  const entry = textEntry(id);
  const remoteToggle = el('button', { type: 'button', 'aria-expanded': String(open), click: toggleRemote }, glyph('remote'), 'Remote');
  pad.hidden = !open;

  const main = el('div', { class: 'stack' }, now, told, place, next, el('div', { class: 'row switches' }, power, remoteToggle), entry.node, inputs.node);
  const node = el('section', { class: 'panel card', 'data-host': id }, head, el('div', { class: 'card-body' }, main, pad));
  showHead();

  function showHead() {
    const edit = iconButton('edit', 'Rename', showRename);
    fill(head, el('div', { class: 'grow' }, name, el('p', { class: 'hint' }, card.address)), state, edit);
  }

  function showRename() {
    const rename = form({ class: 'row grow' }, async ({ name: wanted }) => {
      await put(path('consoles', id, 'name'), { name: wanted });
      done();
    },
    el('input', { class: 'grow', name: 'name', value: card.name, 'aria-label': 'Name of the console', required: true, autocomplete: 'off' }),
    el('button', { type: 'submit', class: 'primary' }, 'Save'),
    el('button', { type: 'button', click: done }, 'Cancel'));
    function done() { showHead(); head.querySelector('button').focus(); }
    fill(head, rename);
    rename.querySelector('input').select();
  }

  async function switchPower() {
    await post(path('consoles', id, 'power'), card.state === 'awake' ? { state: 'standby' } : { state: 'awake', wait: true });
  }

  function toggleRemote() {
    pad.hidden = !pad.hidden;
    remoteToggle.setAttribute('aria-expanded', String(!pad.hidden));
    if (!pad.hidden) pad.querySelector('[role="application"]').focus();
  }

  function update(latest) {
    if (card.identified !== latest.identified && latest.identified) flash(node);
    card = latest;
    name.textContent = card.name;
    const { text, badge } = states[card.state] || { text: card.state, badge: '' };
    state.textContent = card.working ? `${text}, working…` : text;
    state.className = `badge ${badge}`;
    const awake = card.state === 'awake';
    if (power.dataset.awake !== String(awake)) {
      power.dataset.awake = String(awake);
      fill(power, glyph('power'), awake ? 'Rest mode' : 'Turn on');
    }
    power.classList.toggle('primary', !awake);
    const seen = awake ? '' : silence(card);
    fillOnce(now, [card.starting, card.title_id, card.title_name, awake, seen].join('\n'), () => running(card, seen, inputs.nameOf));
    fillOnce(told, card.last_error_at && card.last_error ? card.last_error_at : '', () => [card.last_error && lastError(card)]);
    fillOnce(next, `${card.credential} ${card.offered} ${card.paired}`, () => [toDo(card)]);
    entry.update(card.keyboard_open);
    inputs.update(card);
  }
  return { node, update };
}

function flash(node) {
  node.classList.add('flash');
  setTimeout(() => node.classList.remove('flash'), flashTime);
}

// silence says why there is nothing to be seen. When a console answered last is told only
// of one that does not: for the others it would have to be told all the time.
function silence(card) {
  if (card.state === 'standby') return 'It can be turned on from here.';
  return card.last_seen ? `Last seen ${ago(card.last_seen)}` : 'It has not answered so far.';
}

// running is what the console does: the title with its cover, or why there is none.
function running(card, seen, nameOf) {
  if (card.starting) return [cover(card.starting, 96), lines('Starting', nameOf(card.starting))];
  if (card.state === 'awake' && card.title_id) return [cover(card.title_id, 96), lines('Running', card.title_name || card.title_id)];
  if (card.state === 'awake') return [lines('', 'Home screen')];
  return [lines('', seen)];
}

function lines(above, text) {
  return el('div', { class: 'grow' }, above ? el('p', { class: 'hint' }, above) : null, el('p', { class: above ? 'title' : 'hint' }, text));
}

// toDo leads on from a console that was found to one that is used from Home.
function toDo(card) {
  const step = (text, href, link) => el('p', { class: 'note to-do' }, el('span', { class: 'grow' }, text), el('a', { href }, link));
  if (!card.credential) return step('ps4kit does not know your PSN account yet.', `#/setup/${encodeURIComponent(card.host_id)}`, 'Link the console');
  if (card.offered && !card.paired) return step('It is not in Apple Home yet.', '#/homekit', 'Pair it');
  return null;
}

function lastError(card) {
  return problem(card.last_error, el('span', { class: 'hint' }, ago(card.last_error_at)),
    el('a', { href: `#/setup/${encodeURIComponent(card.host_id)}` }, 'Check the set-up'));
}

// inputRow are the inputs as buttons that start them.
function inputRow(id, place, signal) {
  const list = el('div', { class: 'starts' });
  const node = el('div', { class: 'stack', role: 'group', 'aria-label': 'Inputs' }, list);
  let current = '';
  let inputs = [];

  async function load() {
    try {
      inputs = (await get(path('consoles', id, 'titles'), { signal })).filter((t) => !t.hidden && t.id !== 'OTHER');
      fill(list, inputs.map(button), el('a', { class: 'button start', href: `#/inputs/${encodeURIComponent(id)}` }, glyph('edit'), el('span', {}, 'Edit')));
      mark();
    } catch (error) {
      if (error.name !== 'AbortError') fill(list, problem(error));
    }
  }

  function button(title) {
    const start = el('button', { type: 'button', class: 'start', 'data-id': title.id, click: () => busy(start, place, () => run(title)) },
      cover(title.id, 48), el('span', {}, inputName(title)));
    return start;
  }

  function run(title) {
    if (title.id === 'HOME') return post(path('consoles', id, 'keys'), { keys: ['ps'] });
    return post(path('consoles', id, 'start'), { title: title.id });
  }

  function mark() {
    for (const b of list.querySelectorAll('[data-id]')) {
      if (b.dataset.id === current) b.setAttribute('aria-current', 'true');
      else b.removeAttribute('aria-current');
    }
  }

  live.addEventListener('titles', ({ detail }) => { if (detail.host_id === id) load(); }, { signal });
  load();
  return {
    node,
    nameOf: (title) => inputs.filter((t) => t.id === title).map(inputName)[0] || title,
    update(card) {
      current = card.state === 'awake' ? card.title_id || 'HOME' : '';
      mark();
    },
  };
}
