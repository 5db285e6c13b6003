// The remote control: buttons, and keys of the keyboard while it has the focus. A button
// or key that is held is sent as a hold of that length when it is let go.
import { el, fill, problem } from './ui.js';
import { path, post } from './api.js';
import { glyph } from './glyphs.js';

const holdFrom = 400; // ms; what is shorter is a press
const holdMost = 60_000; // what the server takes

const buttons = [
  { key: 'up', name: 'Up', icon: 'up' },
  { key: 'left', name: 'Left', icon: 'left' },
  { key: 'enter', name: 'Enter', icon: 'check' },
  { key: 'right', name: 'Right', icon: 'right' },
  { key: 'down', name: 'Down', icon: 'down' },
  { key: 'back', name: 'Back' },
  { key: 'option', name: 'Options' },
  { key: 'ps', name: 'PS' },
  { key: 'ps_hold', name: 'PS held' },
];

const keys = {
  ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', Enter: 'enter',
  Backspace: 'back', Escape: 'back', o: 'option', p: 'ps', h: 'ps_hold',
};

// remote makes the remote control of a console.
export function remote(id, consoleName) {
  const said = el('p', { class: 'hint', role: 'status' });
  const place = el('div');
  const send = sender(id, said, place);
  const pad = el('div', {
    class: 'pad', role: 'application', tabindex: '0', 'aria-label': `Remote control of ${consoleName}: arrow keys, Enter, Backspace`,
  }, buttons.map((b) => padButton(b, send)));
  listen(pad, send);
  return el('div', { class: 'remote' }, pad, said, place,
    el('p', { class: 'hint wide-only' }, 'With a keyboard: click the remote, then use the arrows, Enter, Backspace, O (Options), P (PS), H (PS held). What you hold is held on the console.'));
}

function padButton({ key, name, icon }, send) {
  let pressed = 0;
  const button = el('button', {
    type: 'button', class: `key key-${key}`, 'data-key': key, 'aria-label': icon ? name : null, title: icon ? name : null,
    pointerdown(event) {
      if (event.button !== 0) return;
      pressed = event.timeStamp;
      button.setPointerCapture(event.pointerId);
      button.classList.add('held');
    },
    pointerup: (event) => { if (pressed) send(key, event.timeStamp - pressed); release(); },
    pointercancel: release,
    contextmenu: (event) => event.preventDefault(), // a long touch holds the button
    // By keyboard or screen reader: a click that no pointer made.
    click: (event) => { if (event.detail === 0) send(key, 0); },
  }, icon ? glyph(icon) : name);
  function release() { pressed = 0; button.classList.remove('held'); }
  return button;
}

// listen sends keys of the keyboard. Enter on a button of the pad is that button's.
function listen(pad, send) {
  const down = new Map();
  pad.addEventListener('keydown', (event) => {
    const key = keys[event.key];
    if (!key || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && event.target !== pad) return;
    event.preventDefault();
    if (!event.repeat) down.set(event.key, event.timeStamp);
    pad.querySelector(`[data-key="${key}"]`).classList.add('held');
  });
  pad.addEventListener('keyup', (event) => {
    const since = down.get(event.key);
    if (since === undefined) return;
    down.delete(event.key);
    pad.querySelector(`[data-key="${keys[event.key]}"]`).classList.remove('held');
    send(keys[event.key], event.timeStamp - since);
  });
  pad.addEventListener('focusout', () => {
    down.clear();
    for (const b of pad.querySelectorAll('.held')) b.classList.remove('held');
  });
}

// sender sends presses in their order: what is pressed while a request is under way goes
// with the next one.
function sender(id, said, place) {
  let waiting = [];
  let sending = false;
  async function flush() {
    if (sending) return;
    sending = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      said.textContent = `Pressing ${batch.map(spoken).join(', ')}…`;
      try {
        await post(path('consoles', id, 'keys'), { keys: batch });
        fill(place);
        said.textContent = `Pressed ${batch.map(spoken).join(', ')}`;
      } catch (error) {
        waiting = []; // what was meant for another screen would do harm later
        said.textContent = '';
        fill(place, problem(error));
      }
    }
    sending = false;
  }
  return (key, time) => {
    const held = key !== 'ps_hold' && time >= holdFrom;
    waiting.push(held ? `${key}:${Math.min(Math.round(time), holdMost)}` : key);
    flush();
  };
}

function spoken(press) {
  const [key, ms] = press.split(':');
  const { name } = buttons.find((b) => b.key === key);
  return ms ? `${name} (${(ms / 1000).toFixed(1)} s)` : name;
}
