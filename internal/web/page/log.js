// The log of the server, live.
import { html, useLayoutEffect, useRef, useState } from './vendor/preact.js';
import { useStream } from './api.js';

const levels = ['error', 'warn', 'info', 'debug'];
const maxLines = 500;
const nearEnd = 40; // px; from there the log scrolls with new lines

export function Log({ args: [asked] }) {
  const level = levels.includes(asked) ? asked : 'info';
  const [lines, setLines] = useState([]);
  const place = useRef();
  const follow = useRef(true);
  useStream(`/api/v1/events?log=${level}&limit=200`, {
    open: () => setLines([]), // each stream begins with the last lines
    log: (line) => setLines((old) => [...old, line].slice(-maxLines)),
  });
  useLayoutEffect(() => {
    if (follow.current) place.current.scrollTop = place.current.scrollHeight;
  }, [lines]);
  function scrolled({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) {
    follow.current = scrollHeight - scrollTop - clientHeight < nearEnd;
  }
  return html`<div class="head">
      <h1>Log</h1>
      <select aria-label="Minimum level" value=${level} onchange=${(event) => { location.hash = `#/log/${event.currentTarget.value}`; }}>
        ${levels.map((l) => html`<option key=${l} value=${l}>${l}</option>`)}
      </select>
    </div>
    <div class="log" role="log" aria-live="off" aria-label="Log" tabindex="0" ref=${place} onscroll=${scrolled}>
      ${lines.map((line) => html`<${Line} key=${line.id} line=${line} />`)}
    </div>`;
}

function Line({ line: { time, level, message, fields = {} } }) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return html`<div class="line level-${level}">
    <time datetime=${time}>${new Date(time).toLocaleTimeString([], { hour12: false })}</time>
    <span class="level">${level}</span>
    <span class="grow">${message} <span class="hint">${Object.entries(fields).map(([key, value]) => `${key}=${text(value)} `)}</span></span>
  </div>`;
}
