// The consoles: what each one does, its power, its inputs and its remote control.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Action, Cover, Icon, IconButton, Problem, ask, inputName, when } from './ui.js';
import { del, patch, path, post, put, useGet } from './api.js';
import { Remote, TextEntry } from './remote.js';

const states = {
  awake: { text: 'On', badge: 'good' },
  standby: { text: 'Rest mode', badge: 'tint' },
  unreachable: { text: 'Unreachable', badge: 'warn' },
};
const flashTime = 3000; // ms

export function Consoles({ consoles }) {
  return html`<div class="head">
      <h1>Consoles</h1>
      <a class="button" href="#/setup"><${Icon} name="setup" />Set up a console</a>
    </div>
    <div class="cards">
      ${consoles.map((c) => html`<${c.accepted === false ? Found : Card} key=${c.host_id} card=${c} alone=${consoles.length === 1} />`)}
    </div>
    ${consoles.length === 0 && html`<section class="panel stack">
      <h2>No console found yet</h2>
      <p>Turn on a console on the same network as this server. ps4kit keeps searching.</p>
      <div><a class="button primary" href="#/setup">Find a console</a></div>
    </section>`}`;
}

// Found is the card of a console that the owner hasn't accepted.
function Found({ card }) {
  return html`<section class="panel card" data-host=${card.host_id}>
    <${Head} card=${card} />
    <p class="hint">Found on your network</p>
    <div class="row"><${AddConsole} console=${card} /></div>
  </section>`;
}

// AddConsole is a button that accepts a console.
export function AddConsole({ console: { address, name, host_id: id }, added }) {
  return html`<${Action} class="primary" aria-label="Add ${name || id}"
    action=${async () => { await post(path('consoles'), { address }); added?.(); }}>Add<//>`;
}

function Head({ card, children }) {
  const { text, badge } = states[card.state];
  return html`<header class="card-head">
    <div class="grow">
      <h2>${card.name}</h2>
      <p class="hint"><span class="badge ${badge}" role="status">${text}${card.working && ', working…'}</span> ${card.address}</p>
    </div>
    ${children}
  </header>`;
}

function Card({ card, alone }) {
  const { host_id: id, last_error: told } = card;
  const [open, setOpen] = useState(alone);
  const [error, setError] = useState(null);
  const titles = useGet(path('consoles', id, 'titles'), card);
  const covers = useCovers(id, titles.value);
  const awake = card.state === 'awake';
  const running = awake ? card.title_id || 'HOME' : '';

  async function rename() {
    const name = await ask({ question: 'Name of the console', yes: 'Save', input: { value: card.name, required: true } });
    if (name !== null) await put(path('consoles', id, 'name'), { name });
  }
  async function remove() {
    const detail = 'This deletes its HomeKit pairing, its inputs and its credential. Home loses the accessory, with its room, scenes and automations.';
    if (await ask({ question: `Remove ${card.name}?`, detail, yes: 'Remove' })) await del(path('consoles', id));
  }
  async function hide(title) {
    await patch(path('consoles', id, 'titles', title.id), { hidden: true });
    await titles.reload();
  }
  const power = () => post(path('consoles', id, 'power'), awake ? { state: 'standby' } : { state: 'awake', wait: true });
  const start = (title) => (title === 'HOME'
    ? post(path('consoles', id, 'keys'), { keys: ['ps'] })
    : post(path('consoles', id, 'start'), { title }));

  return html`<section class="panel card ${useFlash(card.identified)}" data-host=${id}>
    <${Head} card=${card}>
      <${IconButton} name="Rename" icon="edit" action=${rename} failed=${setError} />
      <${IconButton} name="Remove" icon="remove" action=${remove} failed=${setError} />
    <//>
    <div class="card-body">
      <div class="stack">
        <${Now} card=${card} titles=${titles.value} covers=${covers} />
        ${told && html`<${Problem} error=${told}>
          <span class="hint">${when(card.last_error_at)}</span>
          ${told.code !== 'no_such_title' && html`<a href="#/setup/${encodeURIComponent(id)}">Check the setup</a>`}
        <//>`}
        ${error?.code !== told?.code && html`<${Problem} error=${error} />`}
        <${NextStep} card=${card} />
        <div class="row switches">
          <${Action} class=${awake ? '' : 'primary'} icon="power" action=${power} failed=${setError}>${awake ? 'Rest mode' : 'Turn on'}<//>
          ${card.can.keys ? html`<button type="button" aria-expanded=${open} onclick=${() => setOpen(!open)}><${Icon} name="remote" />Remote</button>`
            : awake && html`<${Action} icon="home" action=${() => start('HOME')} failed=${setError}>PS button<//>`}
        </div>
        ${card.keyboard_open && html`<${TextEntry} id=${id} />`}
        <${Problem} error=${titles.error} />
        ${titles.value?.filter((t) => t.missing && !t.hidden).map((t) => html`<div key=${t.id} class="row">
          <span class="grow">${inputName(t)} is not installed.</span>
          <${Action} action=${() => hide(t)} failed=${setError}>Hide ${inputName(t)}<//>
        </div>`)}
        ${card.can.titles && html`<div class="starts" role="group" aria-label="Inputs">
          ${titles.value?.filter((t) => !t.hidden && t.id !== 'OTHER').map((t) => html`
            <${Action} key=${t.id} class="start" data-id=${t.id} aria-current=${t.id === running} action=${() => start(t.id)} failed=${setError}>
              <${Cover} id=${t.id} cached=${covers.includes(t.id)} /><span>${inputName(t)}${t.missing && html`<br /><span class="hint">not installed</span>`}</span>
            <//>`)}
          <a class="button start" href="#/inputs/${encodeURIComponent(id)}"><${Icon} name="edit" /><span>Edit</span></a>
        </div>`}
      </div>
      ${card.can.keys && open && html`<${Remote} id=${id} name=${card.name} more=${!card.can.titles} />`}
    </div>
  </section>`;
}

// Now shows the title that is starting or running, or when an unreachable console
// was last seen.
function Now({ card, titles = [], covers }) {
  const awake = card.state === 'awake';
  const id = card.starting || (awake && card.title_id);
  if (id) {
    const input = titles.find((t) => t.id === id);
    const name = card.starting ? (input ? inputName(input) : id) : card.title_name || id;
    return html`<div class="now">
      <${Cover} id=${id} size=${96} cached=${covers.includes(id) || (!card.starting && card.cover)} />
      <div class="grow"><p class="hint">${card.starting ? 'Starting' : 'Running'}</p><p class="title">${name}</p></div>
    </div>`;
  }
  if (awake) return card.can.titles && html`<div class="now"><p class="title">Home screen</p></div>`;
  const seen = card.last_seen ? `Last seen ${when(card.last_seen)}` : 'Not seen yet';
  return card.state === 'unreachable' && html`<p class="hint">${seen}</p>`;
}

// authorized reports whether ps4kit can control a console: with Remote Play once
// it is linked, otherwise once there is a PSN account to log in with.
export const authorized = (card) => (card.protocol === 'remote_play' ? card.registered : card.credential);

// NextStep leads from a console that was found to one in Home.
function NextStep({ card }) {
  const note = (text, href, link) => html`<p class="note row"><span class="grow">${text}</span><a href=${href}>${link}</a></p>`;
  if (!authorized(card)) return note('ps4kit can’t control it yet.', `#/setup/${encodeURIComponent(card.host_id)}`, 'Link the console');
  return card.offered && !card.paired && note('It is not in Apple Home yet.', '#/homekit', 'Pair it');
}

// useFlash returns the class of a card whose console was just asked to identify itself.
function useFlash(identified) {
  const [flash, setFlash] = useState('');
  const before = useRef(identified);
  useEffect(() => {
    if (identified === before.current) return undefined;
    setFlash('flash');
    const timer = setTimeout(() => setFlash(''), flashTime);
    return () => clearTimeout(timer);
  }, [identified]);
  return flash;
}

const coverTime = 4000; // ms, in which the server fetches most covers

// useCovers returns the ids of the titles whose covers the server has.
export function useCovers(id, titles) {
  const covers = useGet(path('consoles', id, 'covers'), titles);
  useEffect(() => {
    const timer = setTimeout(covers.reload, coverTime);
    return () => clearTimeout(timer);
  }, [titles]);
  return covers.value ?? [];
}
