// The overview: a card for each console, changed in place as the server tells of it, so
// that the focus stays where it is.
import { el, fill } from './ui.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import { ConsoleCard } from './card.js';

export function show(main, _, signal) {
  const cards = new Map();
  const place = el('div', { class: 'cards' });
  fill(main,
    el('div', { class: 'head' }, el('h1', {}, 'Consoles'),
      el('a', { class: 'button', href: '#/setup' }, glyph('setup'), 'Set up a console')),
    place);

  function update() {
    const list = live.list();
    for (const id of [...cards.keys()]) {
      if (!live.cards.has(id)) cards.delete(id);
    }
    for (const card of list) {
      if (!cards.has(card.host_id)) cards.set(card.host_id, new ConsoleCard(card, { open: list.length === 1, signal }));
      cards.get(card.host_id).update(card);
    }
    const nodes = list.map((card) => cards.get(card.host_id).node);
    if (nodes.length === 0) nodes.push(live.known ? nothing() : el('p', { class: 'hint', role: 'status' }, 'Loading…'));
    // Moving a node takes the focus away from it, so only a changed list is laid anew.
    if (nodes.length !== place.children.length || nodes.some((n, i) => n !== place.children[i])) fill(place, nodes);
  }

  live.addEventListener('consoles', update, { signal });
  const clock = setInterval(update, 20_000); // "2 minutes ago"
  signal.addEventListener('abort', () => clearInterval(clock));
  update();
}

function nothing() {
  return el('section', { class: 'panel stack empty' },
    el('h2', {}, 'No console has been found yet'),
    el('p', {}, 'Turn the PS4 on, in the same network as this server. ps4kit goes on searching by itself.'),
    el('a', { class: 'button primary', href: '#/setup' }, 'Find a console'));
}
