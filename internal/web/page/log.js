// The log of the server, live.
import { el, fill } from './ui.js';
import { live } from './live.js';

const levels = ['error', 'warn', 'info', 'debug'];
const most = 500; // lines kept on the page
const nearEnd = 40; // px; the log scrolls with new lines when it is this close to its end

export function show(main, [asked], signal) {
  const level = levels.includes(asked) ? asked : 'info';
  const lines = el('div', { class: 'log', role: 'log', 'aria-live': 'off', 'aria-label': 'Log', tabindex: '0' });
  const choice = el('select', { 'aria-label': 'Minimum level', change: () => { location.hash = `#/log/${choice.value}`; } },
    levels.map((l) => el('option', { value: l, selected: l === level }, l)));
  const held = []; // while the log is paused
  const pause = el('button', { type: 'button', 'aria-pressed': 'false', click: () => setPaused(pause.getAttribute('aria-pressed') === 'false') }, 'Pause');
  fill(main, el('div', { class: 'head' }, el('h1', {}, 'Log'), el('div', { class: 'row' }, choice, pause)), lines);

  function setPaused(paused) {
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = 'Pause';
    if (!paused) add(held.splice(0));
  }

  function add(entries) {
    const follow = lines.scrollHeight - lines.scrollTop - lines.clientHeight < nearEnd;
    lines.append(...entries.map(line));
    while (lines.children.length > most) lines.firstElementChild.remove();
    if (follow) lines.scrollTop = lines.scrollHeight;
  }

  live.addEventListener('log', ({ detail }) => {
    if (pause.getAttribute('aria-pressed') === 'false') {
      add([detail]);
      return;
    }
    held.push(detail);
    if (held.length > most) held.shift();
    pause.textContent = `Pause (${held.length} held)`;
  }, { signal });
  live.addEventListener('connection', () => { // each stream begins with the last lines
    held.length = 0;
    fill(lines);
  }, { signal });
  signal.addEventListener('abort', () => live.logLevel(''));
  live.logLevel(level);
}

function line(entry) {
  const fields = Object.entries(entry.fields || {}).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return el('div', { class: `line level-${entry.level}` },
    el('time', { datetime: entry.time }, new Date(entry.time).toLocaleTimeString([], { hour12: false })),
    el('span', { class: 'level' }, entry.level),
    el('span', { class: 'grow' }, entry.message, fields.length ? el('span', { class: 'hint' }, ` ${fields.join(' ')}`) : null));
}
