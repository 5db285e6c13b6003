// Text entry, there while the on-screen keyboard of the console is open.
import { busy, el, fill, form, problem } from './ui.js';
import { del, get, path, post, put } from './api.js';

const typingPause = 300; // ms without a key until the text is sent

export function textEntry(id) {
  const node = el('div', { class: 'entry', role: 'group', 'aria-label': 'Text entry', hidden: true });
  const keyboard = path('consoles', id, 'keyboard');
  let open = false;

  async function show() {
    try {
      const { text, max_length: most } = await get(keyboard);
      if (open) fill(node, entryForm(keyboard, text, most));
    } catch (error) {
      fill(node, problem(error));
    }
  }

  return {
    node,
    update(isOpen) {
      if (Boolean(isOpen) === open) return;
      open = Boolean(isOpen);
      node.hidden = !open;
      fill(node);
      if (open) show();
    },
  };
}

function entryForm(keyboard, text, most) {
  const place = el('div');
  let timer = 0;
  const input = el('input', {
    name: 'text', value: text, maxlength: most || null, autocomplete: 'off', 'aria-label': 'Text for the console',
    input() {
      clearTimeout(timer);
      timer = setTimeout(() => put(keyboard, { text: input.value }).then(() => fill(place), (e) => fill(place, problem(e))), typingPause);
    },
  });
  const close = el('button', { type: 'button', click: () => { clearTimeout(timer); busy(close, place, () => del(keyboard)); } }, 'Close');
  return el('div', { class: 'stack' },
    el('p', {}, 'The console asks for text. What you type here appears on the TV.'),
    form({ class: 'row' }, async ({ text: all }) => {
      clearTimeout(timer);
      await post(`${keyboard}/submit`, { text: all });
    }, input, el('button', { type: 'submit', class: 'primary' }, 'Done'), close),
    place);
}
