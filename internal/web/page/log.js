// The log of the server, live.
import { html, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { useStream } from './api.js';

const levels = ['error', 'warn', 'info', 'debug'];
const maxLines = 500; // as many as the server keeps
const nearEnd = 40; // px; from there the log scrolls with new lines

export function Log({ args: [asked] }) {
  const [level, setLevel] = useState(levels.includes(asked) ? asked : 'info');
  const [search, setSearch] = useState('');
  const [lines, setLines] = useState([]);
  const place = useRef();
  const follow = useRef(true);
  useStream(`/api/v1/events?log=${level}&limit=${maxLines}`, {
    open: () => setLines([]), // each stream begins with the last lines
    log: (line) => setLines((old) => [...old, { ...line, text: textOf(line) }].slice(-maxLines)),
  });
  const shown = lines.filter(({ text }) => text.toLowerCase().includes(search.toLowerCase()));
  useLayoutEffect(() => {
    if (follow.current) place.current.scrollTop = place.current.scrollHeight;
  }, [lines, search]);
  function scrolled({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) {
    follow.current = scrollHeight - scrollTop - clientHeight < nearEnd;
  }
  function choose({ currentTarget: { value } }) {
    setLevel(value);
    history.replaceState(null, '', `#/log/${value}`);
  }
  return html`<div class="head">
      <h1>Log</h1>
      <div class="row">
        <input type="search" aria-label="Search" placeholder="Search" value=${search} oninput=${(event) => setSearch(event.currentTarget.value)} />
        <select aria-label="Minimum level" value=${level} onchange=${choose}>
          ${levels.map((l) => html`<option key=${l} value=${l}>${l}</option>`)}
        </select>
        <button type="button" onclick=${() => download(shown)}>Download</button>
      </div>
      <p class="hint">Something wrong? See <a href="/guide/troubleshooting">Troubleshooting</a>. The log level in <a href="#/settings">Settings</a> decides what is logged at all.</p>
    </div>
    <div class="log" role="log" aria-live="off" aria-label="Log" tabindex="0" ref=${place} onscroll=${scrolled}>
      ${shown.map((line) => html`<${Line} key=${line.id} line=${line} />`)}
      ${shown.length === 0 && html`<p class="hint">${lines.length > 0 ? 'No line contains this text.' : 'No lines of this level yet.'}</p>`}
    </div>`;
}

function Line({ line: { time, level, message, fields } }) {
  return html`<div class="line level-${level}">
    <time datetime=${time}>${clock(time)}</time>
    <span class="level">${level}</span>
    <span class="grow">${message} <span class="hint">${pairs(fields)}</span></span>
  </div>`;
}

const clock = (time) => new Date(time).toLocaleString('sv'); // 2026-11-30 09:41:00, in this device's time zone
const pairs = (fields) => Object.entries(fields ?? {}).map(([key, value]) => `${key}=${value}`).join(' ');
const textOf = ({ time, level, message, fields }) => `${clock(time)} ${level} ${message} ${pairs(fields)}`.trimEnd();

// download saves the lines as a text file.
function download(lines) {
  const href = URL.createObjectURL(new Blob([lines.map(({ text }) => `${text}\n`).join('')], { type: 'text/plain' }));
  Object.assign(document.createElement('a'), { href, download: 'ps4kit-log.txt' }).click();
  URL.revokeObjectURL(href);
}
