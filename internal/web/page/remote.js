// The remote control, the permission to use it, and text entry.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Action, Form, Icon, Problem } from './ui.js';
import { del, path, post, put, useGet } from './api.js';

const buttons = { // in rows of three
  back: 'Back', up: 'Up', option: 'Options',
  left: 'Left', enter: 'Enter', right: 'Right',
  ps: 'PS', down: 'Down', ps_hold: 'PS held',
};
const moreButtons = { // that only Remote Play has
  l1: 'L1', triangle: 'Triangle', r1: 'R1',
  l2: 'L2', square: 'Square', r2: 'R2',
  l3: 'L3', share: 'Create', r3: 'R3',
  touchpad: 'Touchpad',
};
const withIcon = ['up', 'left', 'enter', 'right', 'down'];
const keys = {
  ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', Enter: 'enter',
  Backspace: 'back', Escape: 'back', o: 'option', p: 'ps', h: 'ps_hold',
};
const holdFrom = 400; // ms; anything shorter is a press

// Remote has buttons for pointers, and takes keys of the keyboard while it has
// the focus. A hold is sent with its length when it ends. off says why it is
// disabled, if it is.
export function Remote({ id, name, off, more }) {
  const { said, error, send } = useKeys(id);
  const [held, setHeld] = useState({}); // by 'pointer' or key of the keyboard
  const begin = (by, button, event) => setHeld({ ...held, [by]: { button, since: event.timeStamp } });
  function end(by, event) {
    const { [by]: press, ...others } = held;
    if (!press) return;
    setHeld(others);
    if (event) send(press.button, event.timeStamp - press.since);
  }
  function keydown(event) {
    const button = keys[event.key];
    if (off || !button || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' && event.target !== event.currentTarget) return; // clicks that button
    event.preventDefault();
    if (!event.repeat) begin(event.key, button, event);
  }
  function pointerdown(event, button) {
    if (off || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    begin('pointer', button, event);
  }
  const pressed = Object.values(held).map((press) => press.button);
  return html`<div class="remote">
    <div class="pad" role="application" tabindex="0" aria-label="Remote control of ${name}: arrow keys, Enter, Backspace"
      onkeydown=${keydown} onkeyup=${(event) => end(event.key, event)}
      onfocusout=${() => setHeld(held.pointer ? { pointer: held.pointer } : {})}>
      ${Object.entries(more ? { ...buttons, ...moreButtons } : buttons).map(([button, text]) => html`
        <button key=${button} type="button" class="key ${button === 'enter' ? 'primary key-enter' : ''} ${pressed.includes(button) ? 'held' : ''}" aria-label=${text} title=${text} aria-disabled=${Boolean(off)}
          onpointerdown=${(event) => pointerdown(event, button)} onpointerup=${(event) => end('pointer', event)}
          onpointercancel=${() => end('pointer')} oncontextmenu=${(event) => event.preventDefault()}
          onclick=${(event) => event.detail === 0 && !off && send(button, 0) /* by keyboard or screen reader */}>
          ${withIcon.includes(button) ? html`<${Icon} name=${button} />` : text}
        </button>`)}
    </div>
    <p class="hint said" role="status">${off || said}</p>
    <${Problem} error=${error} />
    <p class="hint keyboard-hint">With a keyboard: click the remote, then use the arrows, Enter, Backspace, O (Options), P (PS) and H (PS held). Hold a key to hold the button.</p>
  </div>`;
}

// useKeys returns a function that sends presses in order. Presses during a
// request go with the next one, or are dropped if it fails.
function useKeys(id) {
  const [{ said, error }, say] = useState({});
  const queue = useRef({ waiting: [], sending: false }).current;
  async function flush() {
    queue.sending = true;
    while (queue.waiting.length > 0) {
      const batch = queue.waiting.splice(0);
      const names = batch.map(spoken).join(', ');
      say({ said: `Pressing ${names}…` });
      try {
        await post(path('consoles', id, 'keys'), { keys: batch });
        say({ said: `Pressed ${names}` });
      } catch (e) {
        queue.waiting = [];
        say({ error: e });
      }
    }
    queue.sending = false;
  }
  function send(button, time) {
    const isHold = button !== 'ps_hold' && time >= holdFrom;
    queue.waiting.push(isHold ? `${button}:${Math.round(time)}` : button);
    if (!queue.sending) flush();
  }
  return { said, error, send };
}

function spoken(press) {
  const [button, ms] = press.split(':');
  const name = buttons[button] ?? moreButtons[button];
  return ms ? `${name} (${(ms / 1000).toFixed(1)} s)` : name;
}

const typingPause = 300; // ms

// TextEntry edits the text while the on-screen keyboard of the console is open.
export function TextEntry({ id }) {
  const url = path('consoles', id, 'keyboard');
  const { value, error } = useGet(url);
  const [typed, setTyped] = useState(null); // not sent yet
  const [refused, setRefused] = useState(null);
  useEffect(() => {
    if (typed === null) return undefined;
    const timer = setTimeout(() => put(url, { text: typed }).then(() => setRefused(null), setRefused), typingPause);
    return () => clearTimeout(timer);
  }, [typed]);
  function submit({ text }) {
    setTyped(null);
    return post(`${url}/submit`, { text });
  }
  function close() {
    setTyped(null);
    return del(url);
  }
  return html`<div class="entry stack" role="group" aria-label="Text entry">
    <p>The console asks for text. It appears on the TV as you type.</p>
    <${Problem} error=${error ?? refused} />
    ${value && html`<${Form} class="row" action=${submit}>
      <input class="grow" name="text" defaultValue=${value.text} maxlength=${value.max_length || null} autocomplete="off"
        aria-label="Text for the console" oninput=${(event) => setTyped(event.currentTarget.value)} />
      <button class="primary">Done</button>
      <${Action} action=${close}>Close<//>
    <//>`}
  </div>`;
}

// PermitKeys turns the remote control of a console with Remote Play on or off.
export function PermitKeys({ card: { host_id: id, can, registered } }) {
  return registered && html`<div class="note stack">
    <strong>Use the remote control (experimental)</strong>
    <p>${can.keys ? 'ps4kit presses every button of this console.' : 'ps4kit can press every button, not only PS.'}
      While it does, the TV shows that Remote Play is connected, the linked user is signed in, and their controller may disconnect.</p>
    <div class="row"><${Action} action=${() => put(path('consoles', id, 'remote-play-keys'), { on: !can.keys })}>${can.keys ? 'Stop using it' : 'Use the remote control'}<//></div>
  </div>`;
}
