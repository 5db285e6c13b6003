// The parts that every section is made of.
import { html, render, useState } from './vendor/preact.js';
import { failure } from './api.js';

// Icons are strokes on a grid of 24 by 24.
const icons = {
  consoles: 'M3 5h18v11H3z M9 20h6 M12 16v4',
  inputs: 'M4 5h6v6H4z M14 5h6v6h-6z M4 15h6v4H4z M14 15h6v4h-6z',
  rest: 'M19 14a8 8 0 0 1-9-9 8 8 0 1 0 9 9z',
  unreachable: 'M12 4l9 16H3z M12 10v4 M12 17v.01',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1 M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  homekit: 'M4 11l8-7 8 7 M6 10v10h12V10 M10 20v-5h4v5',
  setup: 'M12 5v14 M5 12h14',
  log: 'M5 6h14 M5 12h14 M5 18h9',
  settings: 'M4 7h9 M17 7h3 M4 17h3 M11 17h9 M15 5v4 M9 15v4',
  power: 'M12 3v9 M7 6.500a8 8 0 1 0 10 0',
  edit: 'M5 19l1-4L16 5l3 3L9 18z',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  left: 'M15 6l-6 6 6 6',
  right: 'M9 6l6 6-6 6',
  remote: 'M8 3h8v18H8z M12 7v.01 M12 12v.01 M11 17h2',
  hide: 'M4 4l16 16 M10 6.300A10 10 0 0 1 21 12a14 14 0 0 1-2.500 3 M6 8.500A13 13 0 0 0 3 12a10 10 0 0 0 11.500 5.600',
  show: 'M3 12a10 10 0 0 1 18 0 10 10 0 0 1-18 0z M12 10v4',
  pin: 'M12 16v5 M7 16h10l-2-5V4H9v7z',
  remove: 'M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13',
  grip: 'M9 6v.01 M15 6v.01 M9 12v.01 M15 12v.01 M9 18v.01 M15 18v.01',
  enter: 'M5 13l4 4L19 7',
  play: 'M8 5l11 7-11 7z',
  home: 'M4 12l8-8 8 8 M7 10v9h10v-9',
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${icons[name]} /></svg>`;

// section returns the address of a section, or of a part of it.
export const section = (...segments) => `#/${segments.filter(Boolean).map(encodeURIComponent).join('/')}`;

// Panel is a part of a section, with a heading.
export const Panel = ({ id, name, children }) => html`<section class="panel stack" aria-labelledby=${id}><h2 id=${id}>${name}</h2>${children}</section>`;

// Outside links to another site, in a new tab.
export const Outside = ({ href, children }) => html`<a href=${href} target="_blank" rel="noopener noreferrer">${children}</a>`;

// Loading stands for a value that isn't there yet, and shows why if it failed.
export const Loading = ({ error }) => (error ? html`<${Problem} error=${error} />` : html`<p class="hint" role="status">Loading…</p>`);

// Cover is the picture of a title, or a tile with its initials if the server has
// none. The title's name is next to it, so it is hidden from screen readers.
export function Cover({ id, name, cached, size = 48 }) {
  const picture = `/api/v1/titles/${encodeURIComponent(id)}/cover?size=${size > 48 ? 256 : 96}`;
  const icon = { HOME: 'home', OTHER: 'play' }[id];
  return html`<span class="cover cover-${size} ${cached || icon ? '' : 'tile'}" style=${{ '--hue': hue(id) }} aria-hidden="true">
    ${cached ? html`<img alt="" src=${picture} />` : icon ? html`<${Icon} name=${icon} />` : initials(name)}
  </span>`;
}

const initials = (name) => (name.match(/[\p{L}\p{N}]+/gu) ?? ['?']).slice(0, 2).map((word) => [...word][0].toUpperCase()).join('');

// hue returns a title's colour, far from those of similar ids.
const hue = (id) => [...id].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 360, 0) * 137 % 360;

// pursuits describe what a running command is to bring about.
export const pursuits = { awake: 'Turning on…', standby: 'Going to rest mode…', home: 'Opening the home screen…' };

export const inputName = (title) => title.name || title.title || title.id;

// Problem shows an error and its hint, with links and buttons that may help.
export function Problem({ error, children }) {
  return error && html`<div class="problem" role="alert">
    <strong>${sentence(error.message)}</strong>
    ${error.hint && html`<span>${sentence(error.hint)}</span>`}
    ${children && html`<div class="row">${children}</div>`}
  </div>`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');

// useAction returns a function that runs an action unless one is running, whether
// one is, and the error of the last one.
export function useAction(failed) {
  const [{ busy = false, error }, set] = useState({});
  async function run(action) {
    if (busy) return;
    set({ busy: true });
    failed?.(null);
    try {
      await action();
      set({});
    } catch (e) {
      const shown = e.name === 'AbortError' ? null : e;
      set({ error: failed ? null : shown });
      failed?.(shown);
    }
  }
  return { run, busy, error };
}

// Action is a button that runs an action, after the question confirm, if it has
// one. It is busy while that runs, or if the busy property is set. The error is
// shown below it, or passed to failed.
export function Action({ action, confirm, failed, icon, busy: waits = false, disabled = false, children, ...properties }) {
  const { run, busy: runs, error } = useAction(failed);
  const busy = runs || waits;
  const off = busy || disabled;
  const confirmed = async () => { if (!confirm || await ask(confirm)) await action(); };
  return html`<button type="button" aria-busy=${busy} aria-disabled=${off} onclick=${() => off || run(confirmed)} ...${properties}>
      ${icon && html`<${Icon} name=${icon} />`}${children}
    </button><${Problem} error=${error} />`;
}

// IconButton is an Action whose name is read out and shown on hovering.
export const IconButton = ({ name, ...properties }) => html`<${Action} class="quiet tool" aria-label=${name} title=${name} ...${properties} />`;

// Form runs an action with the values of its fields by name.
export function Form({ action, failed, children, ...properties }) {
  const { run, busy, error } = useAction(failed);
  function submit(event) {
    event.preventDefault();
    const form = event.currentTarget;
    run(() => action(Object.fromEntries(new FormData(form)), form));
  }
  return html`<form aria-busy=${busy} onsubmit=${submit} ...${properties}>${children}<${Problem} error=${error} /></form>`;
}

// Field is a labelled input with a hint that is read out with it.
export function Field({ label, name, hint, children, ...properties }) {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${children ?? html`<input id=${name} name=${name} autocomplete="off" aria-describedby=${hint && `${name}-hint`} ...${properties} />`}
    ${hint && html`<p id="${name}-hint" class="hint">${hint}</p>`}
  </div>`;
}

// announce tells a screen reader.
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

// ask opens a dialog and returns its answer: true, or the text if it has an
// input, or null if it was cancelled. Opening another section cancels it.
export function ask({ question, detail, yes, input }) {
  return new Promise((resolve) => {
    const place = document.body.appendChild(document.createElement('div'));
    const cancel = () => place.firstChild.close();
    addEventListener('hashchange', cancel);
    function closed({ target: dialog }) {
      removeEventListener('hashchange', cancel);
      const answer = input ? dialog.querySelector('input').value.trim() : true;
      resolve(dialog.returnValue === 'yes' ? answer : null);
      place.remove();
    }
    render(html`<dialog aria-labelledby="question" onclose=${closed}>
      <form method="dialog" class="stack">
        <h2 id="question">${question}</h2>
        ${detail && html`<p>${detail}</p>`}
        ${input && html`<input autocomplete="off" aria-label=${question} ...${input} />`}
        <div class="row">
          <button type="button" onclick=${cancel}>Cancel</button>
          <button value="yes" class="primary ${input ? '' : 'danger'}">${yes}</button>
        </div>
      </form>
    </dialog>`, place);
    place.firstChild.showModal();
    place.querySelector('input')?.select();
  });
}

// copy copies the text of an element. Browsers offer the clipboard only over TLS
// and on localhost; elsewhere the text is selected and copied the old way.
export async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element);
    if (!document.execCommand('copy')) throw failure({ message: 'The browser does not allow copying', hint: 'Copy the selected text yourself.' });
  }
  announce('Copied');
}

// when formats a time as this device does.
export const when = (time) => new Date(time).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
