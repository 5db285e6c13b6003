// Choosing a password: the first one after signing in with the generated
// password, and another one in Settings.
import { html, useState } from './vendor/preact.js';
import { Field, Form } from './ui.js';
import { path, put } from './api.js';

const change = ({ current = '', new: chosen }) => put(path('password'), { current, new: chosen });

// Passwords are the fields. The hidden one is for password managers.
const Passwords = ({ current }) => html`
  <input type="text" name="username" autocomplete="username" value="ps4kit" hidden />
  ${current && html`<${Field} label="Current password" name="current" type="password" autocomplete="current-password" required />`}
  <${Field} label="New password" name="new" type="password" autocomplete="new-password" minlength="8" required hint="At least 8 characters." />`;

// FirstPassword calls done when the password is chosen, and later, if given, to
// keep the generated one for now.
export function FirstPassword({ done, later }) {
  return html`<h1>Choose a password</h1>
    <section class="panel stack">
      <p>You signed in with the generated password. Choose your own, which ps4kit stores only as a hash.</p>
      <${Form} class="stack short" action=${(values) => change(values).then(done)}>
        <${Passwords} />
        <div class="row">
          <button class="primary">Save and continue</button>
          ${later && html`<button type="button" onclick=${later}>Later</button>`}
        </div>
      <//>
    </section>`;
}

export function Password({ changed }) {
  const [done, setDone] = useState(false);
  async function save(values, form) {
    setDone(false);
    await change(values);
    form.reset();
    setDone(true);
    await changed();
  }
  return html`<${Form} class="stack short" action=${save}>
    <${Passwords} current />
    <div><button>Change the password</button></div>
    <div role="status">${done && html`<p class="success">Password changed. All other browsers are signed out.</p>`}</div>
  <//>`;
}
