// The permission to press keys with Remote Play.
import { html } from './vendor/preact.js';
import { Action } from './ui.js';
import { path, put } from './api.js';

// PermitKeys turns the remote control of a linked console on or off.
export function PermitKeys({ card: { host_id: id, can, registered } }) {
  return registered && html`<div class="note stack">
    <strong>Use the remote control (experimental)</strong>
    <p>${can.keys ? 'ps4kit presses every button of this console.' : 'ps4kit can press every button, and not only PS.'}
      While it does, the TV shows that Remote Play is connected, the linked user is signed in, and their controller may disconnect.</p>
    <div class="row"><${Action} action=${() => put(path('consoles', id, 'remote-play-keys'), { on: !can.keys })}>${can.keys ? 'Stop using it' : 'Use the remote control'}<//></div>
  </div>`;
}
