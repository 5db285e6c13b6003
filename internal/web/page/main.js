// The page: its sections, and which one is shown. The part of the address after # says
// it, so that a reload stays where one was: #/inputs/A0B1C2D3E4F5.
import { announce, el, fill } from './ui.js';
import { get } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import * as consoles from './consoles.js';
import * as homekit from './homekit.js';
import * as inputs from './inputs.js';
import * as log from './log.js';
import * as settings from './settings.js';
import * as setup from './setup.js';

// A section shows itself with show(main, arguments, signal); the signal ends when it is left.
const sections = {
  consoles: { name: 'Consoles', ...consoles },
  setup: { name: 'Set up', ...setup },
  inputs: { name: 'Inputs', ...inputs },
  homekit: { name: 'HomeKit', ...homekit },
  log: { name: 'Log', ...log },
  settings: { name: 'Settings', ...settings },
};

const main = document.getElementById('main');
const notice = document.getElementById('notice');
let left = new AbortController();

function route(event) {
  const [name, ...args] = location.hash.replace(/^#\//, '').split('/').map(decodeURIComponent);
  const section = sections[name] || sections.consoles;
  left.abort();
  left = new AbortController();
  document.title = `${section.name} · ps4kit`;
  for (const link of document.querySelectorAll('#nav a')) {
    const here = link.getAttribute('href') === `#/${sections[name] ? name : 'consoles'}`;
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  notice.hidden = section !== sections.consoles;
  fill(main);
  section.show(main, args, left.signal);
  if (event) { // not at the first load, where the reader begins on top
    window.scrollTo(0, 0);
    main.focus({ preventScroll: true });
    announce(section.name);
  }
}

function showConnection({ detail: connected }) {
  const place = document.getElementById('connection');
  place.classList.toggle('lost', !connected);
  place.textContent = connected ? '' : 'Connection lost. Trying again…';
}

async function showSession() {
  const session = await get('/api/v1/session');
  if (!session.first_password) return;
  fill(notice, el('p', { class: 'note' }, el('span', {}, 'This is the first password. ', el('a', { href: '#/settings' }, 'Choose one of your own'), '.')));
}

fill(document.getElementById('nav'), Object.entries(sections).map(([name, section]) =>
  el('a', { href: `#/${name}` }, glyph(name), section.name)));
live.addEventListener('connection', showConnection);
window.addEventListener('hashchange', route);
live.start();
route();
showSession().catch(() => { /* what the sections ask for tells what is wrong */ });
