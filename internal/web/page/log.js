// The log of the server, live.
import { el, fill, problem } from './ui.js';
import { get, path } from './api.js';
import { live } from './live.js';

const levels = ['error', 'warn', 'info', 'debug'];
const most = 500; // lines that are kept on the page
const atFirst = 200;
const nearEnd = 40; // px from the end: then new lines are followed

export function show(main, [asked], signal) {
  const level = levels.includes(asked) ? asked : 'info';
  const lines = el('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Log', tabindex: '0' });
  const place = el('div');
  const choice = el('select', { 'aria-label': 'Least level', change: () => { location.hash = `#/log/${choice.value}`; } },
    levels.map((l) => el('option', { value: l, selected: l === level }, l)));
  const held = []; // while the log is paused
  let last = -1; // id of the newest line that is shown; before the first ones have come, all are held
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', click: () => setPaused(pause.getAttribute('aria-pressed') === 'false') }, 'Pause');
  fill(main, el('div', { class: 'head' }, el('h1', {}, 'Log'), el('div', { class: 'row' }, choice, pause)), place, lines);

  function setPaused(paused) {
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = 'Pause';
    if (!paused) add(held.splice(0));
  }

  function add(entries) {
    const fresh = entries.filter((e) => e.id > last);
    if (fresh.length === 0) return;
    last = fresh.at(-1).id;
    const follow = lines.scrollHeight - lines.scrollTop - lines.clientHeight < nearEnd;
    lines.append(...fresh.map(line));
    while (lines.children.length > most) lines.firstElementChild.remove();
    if (follow) lines.scrollTop = lines.scrollHeight;
  }

  live.addEventListener('log', ({ detail }) => {
    const paused = pause.getAttribute('aria-pressed') === 'true';
    if (!paused && last >= 0) {
      add([detail]);
      return;
    }
    held.push(detail);
    if (held.length > most) held.shift();
    if (paused) pause.textContent = `Pause (${held.length} held)`;
  }, { signal });
  signal.addEventListener('abort', () => live.logLevel(''));
  live.logLevel(level);
  get(`${path('log')}?level=${level}&limit=${atFirst}`, { signal }).then((entries) => {
    last = 0;
    add(entries);
    if (pause.getAttribute('aria-pressed') === 'false') add(held.splice(0));
    lines.scrollTop = lines.scrollHeight;
  }).catch((error) => { if (error.name !== 'AbortError') fill(place, problem(error)); });
}

function line(entry) {
  const fields = Object.entries(entry.fields || {}).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return el('div', { class: `line level-${entry.level}` },
    el('time', { datetime: entry.time }, new Date(entry.time).toLocaleTimeString([], { hour12: false })),
    el('span', { class: 'level' }, entry.level),
    el('span', { class: 'grow' }, entry.message, fields.length ? el('span', { class: 'hint' }, ` ${fields.join(' ')}`) : null));
}
