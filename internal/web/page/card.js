// The card of one console: what it does now, its power, its inputs and its remote.
import { ago, announce, busy, el, fill, fillOnce, form, iconButton, problem } from './ui.js';
import { path, post, put } from './api.js';
import { glyph } from './glyphs.js';
import { cover } from './titles.js';
import { remote } from './remote.js';
import { starts } from './starts.js';
import { textEntry } from './keyboard.js';

const states = {
  awake: { text: 'On', badge: 'good' },
  standby: { text: 'Rest mode', badge: 'tint' },
  unreachable: { text: 'Not reachable', badge: 'warn' },
};
const flashTime = 3000; // ms, of a card whose console is asked to show itself

// ConsoleCard has a node, which update changes to what the server told last.
export class ConsoleCard {
  #card;
  #name = el('h2');
  #state = el('span', { class: 'badge' });
  #head = el('header', { class: 'card-head' });
  #now = el('div', { class: 'now' });
  #told = el('div'); // the last error that the server knows
  #refused = el('div'); // the last one that this page got
  #next = el('div'); // what is still to be done
  #power = el('button', { type: 'button', class: 'power', click: () => this.#carryOut(this.#power, () => this.#switch()) });
  #toggle = el('button', { type: 'button', click: () => this.#switchRemote() }, glyph('remote'), 'Remote');
  #pad;
  #starts;
  #entry;

  constructor(card, { open, signal }) {
    const id = card.host_id;
    this.#card = card;
    this.#pad = remote(id, card.name);
    this.#entry = textEntry(id);
    this.#starts = starts(id, (button, action) => this.#carryOut(button, action), signal);
    this.node = el('section', { class: 'panel card', 'data-host': id }, this.#head,
      el('div', { class: 'card-body' },
        el('div', { class: 'stack' }, this.#now, this.#told, this.#refused, this.#next,
          el('div', { class: 'row switches' }, this.#power, this.#toggle), this.#entry.node, this.#starts.node),
        this.#pad));
    this.#open(open);
    this.#showHead();
  }

  update(card) {
    const before = this.#card;
    this.#card = card;
    if (card.identified && card.identified !== before.identified) flash(this.node);
    const { text, badge } = states[card.state];
    if (card.state !== before.state) announce(`${card.name}: ${text}`);
    this.#name.textContent = card.name;
    this.#state.textContent = card.working ? `${text}, working…` : text;
    this.#state.className = `badge ${badge}`;
    const awake = card.state === 'awake';
    fillOnce(this.#power, awake, () => [glyph('power'), awake ? 'Rest mode' : 'Turn on']);
    this.#power.classList.toggle('primary', !awake);
    const silent = silence(card);
    fillOnce(this.#now, [card.starting, card.title_id, card.title_name, silent].join('\n'), () => running(card, silent, this.#starts.nameOf));
    fillOnce(this.#told, card.last_error ? card.last_error_at : '', () => [card.last_error && lastError(card)]);
    fillOnce(this.#next, `${card.credential} ${card.offered} ${card.paired}`, () => [toDo(card)]);
    this.#sayOnce();
    this.#entry.update(card.keyboard_open);
    this.#starts.update(card);
  }

  async #carryOut(button, action) {
    await busy(button, this.#refused, action);
    this.#sayOnce();
  }

  // sayOnce takes away a refusal that the server tells, too.
  #sayOnce() {
    const said = this.#refused.querySelector('.problem');
    if (said && said.dataset.code === this.#card.last_error?.code) fill(this.#refused);
  }

  #switch() {
    const awake = this.#card.state === 'awake';
    return post(path('consoles', this.#card.host_id, 'power'), awake ? { state: 'standby' } : { state: 'awake', wait: true });
  }

  #switchRemote() {
    this.#open(this.#pad.hidden);
    if (!this.#pad.hidden) this.#pad.querySelector('[role="application"]').focus();
  }

  #open(open) {
    this.#pad.hidden = !open;
    this.#toggle.setAttribute('aria-expanded', String(open));
  }

  #showHead() {
    fill(this.#head, el('div', { class: 'grow' }, this.#name, el('p', { class: 'hint' }, this.#card.address)), this.#state,
      iconButton('edit', 'Rename', () => this.#showRename()));
  }

  #showRename() {
    const done = () => {
      this.#showHead();
      this.#head.querySelector('button').focus();
    };
    const rename = form({ class: 'row grow' }, async ({ name }) => {
      await put(path('consoles', this.#card.host_id, 'name'), { name });
      done();
    },
    el('input', { class: 'grow', name: 'name', value: this.#card.name, 'aria-label': 'Name of the console', required: true, autocomplete: 'off' }),
    el('button', { type: 'submit', class: 'primary' }, 'Save'), el('button', { type: 'button', click: done }, 'Cancel'));
    fill(this.#head, rename);
    rename.querySelector('input').select();
  }
}

function flash(node) {
  node.classList.add('flash');
  setTimeout(() => node.classList.remove('flash'), flashTime);
}

// silence says why there is nothing to be seen. When a console answered last is told only
// of one that does not: for the others it would have to be told all the time.
function silence(card) {
  if (card.state === 'awake') return '';
  if (card.state === 'standby') return 'It can be turned on from here.';
  return card.last_seen ? `Last seen ${ago(card.last_seen)}` : 'It has not answered so far.';
}

// running is what the console does: the title with its cover, or why there is none.
function running(card, seen, nameOf) {
  if (card.starting) return [cover(card.starting, 96), lines('Starting', nameOf(card.starting))];
  if (card.state === 'awake' && card.title_id) return [cover(card.title_id, 96, card.cover), lines('Running', card.title_name || card.title_id)];
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
