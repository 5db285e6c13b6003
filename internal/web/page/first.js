// The first thing after signing in with the generated password: choosing one.
import { html } from './vendor/preact.js';
import { Field, Form } from './ui.js';
import { path, put } from './api.js';

// FirstPassword calls done when the password is chosen, and later, if given, to
// keep the generated one for now.
export function FirstPassword({ done, later }) {
  async function choose({ new: chosen }) {
    await put(path('password'), { current: '', new: chosen });
    await done();
  }
  return html`<h1>Choose a password</h1>
    <section class="panel stack">
      <p>You signed in with the generated password. Choose your own, which ps4kit stores only as a hash.</p>
      <${Form} class="stack short" action=${choose}>
        <input type="text" name="username" autocomplete="username" value="ps4kit" hidden />
        <${Field} label="New password" name="new" type="password" autocomplete="new-password" minlength="8" required hint="At least 8 characters." />
        <div class="row">
          <button class="primary">Save and continue</button>
          ${later && html`<button type="button" onclick=${later}>Later</button>`}
        </div>
      <//>
    </section>`;
}
