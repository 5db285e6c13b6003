// The inputs of a console as buttons that start them.
import { el, fill, problem } from './ui.js';
import { path, post } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import { cover, inputName, showCovers } from './titles.js';

// starts makes the buttons; carryOut runs the action of one.
export function starts(id, carryOut, signal) {
  const node = el('div', { class: 'starts', role: 'group', 'aria-label': 'Inputs' });
  let current = '';
  let inputs = [];

  function button(title) {
    const start = el('button', { type: 'button', class: 'start', 'data-id': title.id, click: () => carryOut(start, () => run(id, title)) },
      cover(title.id, 48), el('span', {}, inputName(title)));
    return start;
  }

  function mark() {
    for (const b of node.querySelectorAll('[data-id]')) {
      if (b.dataset.id === current) b.setAttribute('aria-current', 'true');
      else b.removeAttribute('aria-current');
    }
  }

  live.watch(path('consoles', id, 'titles'), (titles) => {
    inputs = titles.filter((t) => !t.hidden && t.id !== 'OTHER');
    fill(node, inputs.map(button),
      el('a', { class: 'button start', href: `#/inputs/${encodeURIComponent(id)}` }, glyph('edit'), el('span', {}, 'Edit')));
    mark();
    showCovers(id, node, signal);
  }, (error) => fill(node, problem(error)), signal);
  return {
    node,
    nameOf: (title) => inputs.filter((t) => t.id === title).map(inputName)[0] || title,
    update(card) {
      current = card.state === 'awake' ? card.title_id || 'HOME' : '';
      mark();
    },
  };
}

function run(id, title) {
  if (title.id === 'HOME') return post(path('consoles', id, 'keys'), { keys: ['ps'] });
  return post(path('consoles', id, 'start'), { title: title.id });
}
