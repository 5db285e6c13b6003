// Ways to fill the inputs from the first minute: media apps, and the titles of a
// PSN account.
import { html, useState } from './vendor/preact.js';
import { Action, Field, Form, Outside, Panel, announce } from './ui.js';
import { path, post, useGet } from './api.js';

const batch = 16; // titles in a request: 64 kB hold them with the longest names and addresses

// MediaApps offers the apps that are not inputs yet.
export function MediaApps({ titles, add }) {
  const [country, setCountry] = useState('');
  const { value } = useGet(`${path('library')}?country=${country}`);
  if (!value) return null;
  const known = titles.map((t) => t.id);
  return html`<p class="hint">Paste the address of the title’s page in the PS Store, or look up its id in a <${Outside} href=${value.list_url}>public list<//>.</p>
    <h3>Media apps</h3>
    <div class="row" role="group" aria-label="Add a media app">
      ${value.apps.filter((app) => !known.includes(app.id)).map((app) => html`<${Action} key=${app.id} action=${() => add(app)}>${app.name}<//>`)}
    </div>
    <${Field} label="Country of the PSN account" name="country" class="short" value=${value.country} maxlength="2" placeholder="de"
      hint="Two letters. The ids of an app differ by region."
      onchange=${(event) => setCountry(event.currentTarget.value.trim().toLowerCase())} />`;
}

// FromAccount imports the titles that a PSN account has played.
export function FromAccount({ url, imported }) {
  const [played, setPlayed] = useState(null); // titles, each with what importing it would do
  const [all, setAll] = useState(true); // those that fit are checked
  const [done, setDone] = useState('');
  const { value: pages } = useGet(path('library'));

  async function list({ npsso, credential }, form) {
    setDone('');
    const titles = await post(path('psn', 'titles'), { npsso: npsso.trim(), credential: Boolean(credential) });
    form.reset();
    const plan = await post(url('import'), { titles: titles.map(({ id }) => ({ id })), dry_run: true });
    setAll(true);
    setPlayed(titles.map((t) => ({ ...t, known: plan.known.includes(t.id), full: plan.no_slot.includes(t.id) })));
    announce(`${titles.length} titles`);
  }

  async function take(values) {
    const chosen = played.filter((t) => values[t.id]);
    const total = { added: 0, no_slot: 0 };
    for (let i = 0; i < chosen.length; i += batch) {
      const titles = chosen.slice(i, i + batch).map(({ id, name, image_url, last_played }) => ({ id, name, image_url, last_played }));
      const result = await post(url('import'), { titles }); // in order: the most recently played get the free inputs
      total.added += result.added.length;
      total.no_slot += result.no_slot.length;
    }
    setPlayed(null);
    const left = total.no_slot > 0 ? ` ${total.no_slot} left out, since all inputs are in use: forget some, or raise homekit.slots.` : '';
    setDone(`${total.added} added.${left}`);
    await imported('Imported');
  }

  return html`<${Panel} id="account" name="Import from a PSN account">
    <p>Adds the PS4 titles that the account has played. Your existing inputs stay as they are.</p>
    ${done && html`<p class="success" role="status">${done}</p>`}
    ${played ? html`<${Form} class="stack" action=${take}>
      <fieldset class="plain lines">
        <legend class="unseen">Titles to import</legend>
        ${played.map((t) => html`<label key=${t.id} class="choice">
          <input type="checkbox" name=${t.id} checked=${all && !t.known && !t.full} />
          <span>${t.name || t.id}<span class="hint">${[t.id, t.last_played && new Date(t.last_played).toLocaleDateString(),
            t.known && 'already an input', t.full && 'no free input'].filter(Boolean).join(' · ')}</span></span>
        </label>`)}
        ${played.length === 0 && html`<p>This account has played no PS4 titles.</p>`}
      </fieldset>
      <div class="row">
        <button class="primary">Import</button>
        <button type="button" onclick=${() => setAll(!all)}>${all ? 'Choose none' : 'Choose all'}</button>
        <button type="button" onclick=${() => setPlayed(null)}>Cancel</button>
      </div>
    <//>` : html`<ol class="todo">
      <li><${Outside} href=${pages?.sign_in_url}>Sign in to PlayStation<//> in this browser.</li>
      <li><${Outside} href=${pages?.npsso_url}>Open the page with the token<//>, and copy the 64 characters of npsso.</li>
      <li>Paste them here. They are as good as your password: ps4kit uses them once, and neither stores nor logs them.</li>
    </ol>
    <${Form} class="stack" action=${list}>
      <${Field} label="npsso" name="npsso" type="password" required autocomplete="off" spellcheck="false"
        hint="To Sony this looks like its Android app signing in, which its terms don’t provide for." />
      <label class="choice"><input type="checkbox" name="credential" />
        <span>Store the account’s credential too<span class="hint">For all consoles that have none of their own.</span></span></label>
      <div class="row"><button class="primary">Show the titles</button></div>
    <//>`}
  <//>`;
}
