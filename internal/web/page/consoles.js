// The consoles: what each one does, its power, its inputs and its remote control.
import { html, useEffect, useRef, useState } from './vendor/preact.js';
import { Action, Cover, Icon, IconButton, Problem, ask, inputName, pursuits, section, when } from './ui.js';
import { del, patch, path, post, put, useGet } from './api.js';
import { Remote, TextEntry } from './remote.js';
import { Accept, Setup, Unfinished, authorized } from './setup.js';

const states = {
  awake: { text: 'On', badge: 'good', icon: 'power' },
  standby: { text: 'Rest mode', badge: 'tint', icon: 'rest' },
  unreachable: { text: 'Unreachable', badge: 'warn', icon: 'unreachable' },
};
const powerErrors = ['not_woken', 'still_awake'];
const flashTime = 3000; // ms

export function Consoles({ consoles }) {
  if (consoles.length === 0) return html`<${Setup} consoles=${consoles} args=${[]} />`;
  return html`<div class="head">
      <h1>Consoles</h1>
      <a class="button" href="#/setup"><${Icon} name="setup" />Set up a console</a>
    </div>
    <div class="cards">
      ${consoles.map((c) => {
        const view = c.accepted === false ? Found : c.last_error && c.offered === false ? Refused : Card;
        return html`<${view} key=${c.host_id} card=${c} alone=${consoles.length === 1} />`;
      })}
    </div>`;
}

// Found is the card of a console that the owner hasn't accepted.
function Found({ card }) {
  return html`<section class="panel card" data-host=${card.host_id}>
    <${Head} card=${card} />
    <p class="hint">Found on your network</p>
    <div class="row"><${Accept} card=${card} /></div>
  </section>`;
}

// Refused is the card of a console that ps4kit can't offer to Home.
function Refused({ card }) {
  const [error, setError] = useState(null);
  return html`<section class="panel card" data-host=${card.host_id}>
    <${Head} card=${card}><${Remove} card=${card} failed=${setError} /><//>
    <${Problem} error=${error ?? card.last_error} />
  </section>`;
}

function Remove({ card, failed }) {
  const detail = 'This deletes its HomeKit pairing, its inputs and its credential. Home loses the accessory, with its room, scenes and automations.';
  return html`<${IconButton} name="Remove" icon="remove" failed=${failed} confirm=${{ question: `Remove ${card.name}?`, detail, yes: 'Remove' }}
    action=${() => del(path('consoles', card.host_id))} />`;
}

// Head shows the state, or the command in progress, and the tools of an accepted
// console.
function Head({ card, pursued, children }) {
  const { text, badge } = states[card.state];
  return html`<header>
    <div class="card-head">
      <h2 class="grow">${card.name}</h2>
      ${children && html`<div class="tools">${children}</div>`}
    </div>
    <p class="hint status"><span class="badge ${pursued ? 'tint' : badge}" role="status">${pursued || text}</span><span>${card.address}</span></p>
  </header>`;
}

function nameOf(id, titles = []) {
  const input = titles.find((t) => t.id === id);
  return input ? inputName(input) : id;
}

function Card({ card, alone }) {
  const { host_id: id, last_error: told } = card;
  const [open, setOpen] = useState(alone);
  const [error, setError] = useState(null);
  const [dismissed, setDismissed] = useState(null); // the time of the error that is no longer shown
  const titles = useGet(path('consoles', id, 'titles'), card);
  const covers = useCovers(id, titles.value);
  const awake = card.state === 'awake';
  const unreachable = card.state === 'unreachable';
  const current = { title: card.starting, home: 'HOME', standby: '' }[card.pursuing] ?? (awake ? card.title_id || 'HOME' : '');
  const failed = (e) => setError(e?.code === 'superseded' ? null : e);

  async function rename() {
    const name = await ask({ question: 'Name of the console', yes: 'Save', input: { value: card.name, required: true } });
    if (name !== null) await put(path('consoles', id, 'name'), { name });
  }
  async function hide(title) {
    await patch(path('consoles', id, 'titles', title.id), { hidden: true });
    await titles.reload();
  }
  const power = () => post(path('consoles', id, 'power'), awake ? { state: 'standby' } : { state: 'awake', wait: true });
  function start(title) {
    if (title !== 'HOME') return post(path('consoles', id, 'start'), { title });
    return awake ? post(path('consoles', id, 'keys'), { keys: ['ps'] }) : power(); // a console that wakes shows it
  }

  return html`<section class="panel card ${useFlash(card.identified)}" data-host=${id}>
    <${Head} card=${card} pursued=${card.pursuing === 'title' ? `Starting ${nameOf(card.starting, titles.value)}…` : pursuits[card.pursuing]}>
      <${IconButton} name="Rename" icon="edit" action=${rename} failed=${failed} />
      <a class="button quiet tool" href=${section('setup', id, 'pin')} aria-label="Link again" title="Link again"><${Icon} name="link" /></a>
      <${Remove} card=${card} failed=${failed} />
    <//>
    <${Unfinished} card=${card} />
    ${authorized(card) && html`<div class="card-body">
      <div class="stack">
        <${Now} card=${card} titles=${titles.value} covers=${covers} />
        <div class="row switches">
          <${Action} class=${awake ? '' : 'primary'} icon="power" action=${power} failed=${failed} busy=${card.pursuing === (awake ? 'standby' : 'awake')}>${awake ? 'Rest mode' : 'Turn on'}<//>
          ${card.can.keys ? html`<button type="button" aria-expanded=${open} onclick=${() => setOpen(!open)}><${Icon} name="remote" />Remote</button>`
            : html`<${Action} icon="home" action=${() => start('HOME')} failed=${failed} disabled=${!awake}>PS button<//>`}
        </div>
        <${Problem} error=${titles.error} />
        ${card.can.titles && html`<div class="starts" role="group" aria-label="Inputs">
          ${titles.value?.filter((t) => !t.hidden && t.id !== 'OTHER').map((t) => html`
            <${Action} key=${t.id} class="start" data-id=${t.id} aria-current=${t.id === current} action=${() => start(t.id)} failed=${failed}
              busy=${t.id === card.starting} disabled=${unreachable}>
              <${Cover} id=${t.id} name=${inputName(t)} cached=${covers.includes(t.id)} /><span class="label">${inputName(t)}</span>${t.missing && html`<span class="hint">not installed</span>`}
            <//>`)}
          <a class="button start" href=${section('inputs', id)}><${Icon} name="edit" />Edit</a>
        </div>`}
        ${titles.value?.filter((t) => t.missing && !t.hidden).map((t) => html`<div key=${t.id} class="row">
          <span class="grow">${inputName(t)} is not installed.</span>
          <${Action} action=${() => hide(t)} failed=${failed}>Hide ${inputName(t)}<//>
        </div>`)}
      </div>
      ${card.can.keys && open && html`<${Remote} id=${id} name=${card.name} more=${!card.can.titles} off=${!awake && (unreachable
        ? 'The remote works once the console answers.' : 'The remote works while the console is on.')} />`}
    </div>`}
    <div class="foot stack">
      ${card.keyboard_open && html`<${TextEntry} id=${id} />`}
      ${told && dismissed !== card.last_error_at && html`<${Problem} error=${told}>
        <span class="hint">${when(card.last_error_at)}</span>
        ${told.code !== 'no_such_title' && html`<a href=${section('setup', id, powerErrors.includes(told.code) ? 'test' : 'pin')}>Check the set-up</a>`}
        <button type="button" onclick=${() => setDismissed(card.last_error_at)}>Dismiss</button>
      <//>`}
      ${error?.code !== told?.code && html`<${Problem} error=${error} />`}
    </div>
  </section>`;
}

// Now shows the title that is starting or running, or else the state.
function Now({ card, titles, covers }) {
  const awake = card.state === 'awake';
  const id = card.starting || (awake && (card.title_id || (card.can.titles && 'HOME')));
  if (id) {
    const name = !card.starting && card.title_name || (id === 'HOME' ? 'Home screen' : nameOf(id, titles));
    const cached = covers.includes(id) || (!card.starting && card.cover);
    return html`<div class="now">
      <${Cover} id=${id} name=${name} size=${96} cached=${cached} />
      <div class="grow"><p class="hint">${card.starting ? 'Starting' : 'Running'}</p><p class="title">${name}</p></div>
    </div>`;
  }
  const texts = {
    awake: 'On. This console doesn’t say what is running.',
    standby: card.can.titles ? 'In rest mode. Choosing an input turns it on.' : 'In rest mode.',
    unreachable: `${card.last_seen ? `Last seen ${when(card.last_seen)}.` : 'Not seen yet.'} Check that it is on or in rest mode, and on this network.`,
  };
  return html`<div class="now">
    <span class="cover cover-96"><${Icon} name=${states[card.state].icon} /></span><p class="grow">${texts[card.state]}</p>
  </div>`;
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
