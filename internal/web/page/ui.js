// The few things of which every section is built. Names of consoles and titles come
// from the network: they reach the page as text nodes and attributes, never as markup.
import { glyph } from './glyphs.js';
import { refused } from './api.js';

// el makes an element. A property that is a function listens to the event of that name;
// true, false and null set an attribute or leave it out. Strings become text.
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// fill replaces what a node holds.
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const shown = new WeakMap(); // by node: the key of what it shows

// fillOnce fills a node when the key of what it is to show has changed: an alert is read
// out, and a picture loaded, each time it is made.
export function fillOnce(node, key, make) {
  if (shown.get(node) === key) return;
  shown.set(node, key);
  fill(node, make());
}

// announce tells a screen reader; the page shows it in its own way.
export function announce(text) {
  const announcer = document.getElementById('announcer');
  announcer.textContent = '';
  requestAnimationFrame(() => { announcer.textContent = text; });
}

// iconButton is a button with a picture and a name that is read out and shown on hovering.
export function iconButton(icon, name, click, properties = {}) {
  return el('button', { type: 'button', class: 'icon quiet', 'aria-label': name, title: name, click, ...properties }, glyph(icon));
}

// problem shows a refusal: what happened, and what to do. More (links, buttons) is the
// way to go on from there.
export function problem(error, ...more) {
  const { code, message, hint } = refused(error);
  return el('div', { class: 'problem', role: 'alert', 'data-code': code },
    el('strong', {}, sentence(message)),
    hint ? el('span', {}, sentence(hint)) : null,
    more.length ? el('div', { class: 'row' }, more) : null);
}

// sentence makes a message of the server fit to be read.
export function sentence(text) {
  const bare = text.replace(/^ps4: /, '').trim();
  if (!bare) return '';
  const begun = bare[0].toUpperCase() + bare.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

// busy runs an action of a button once at a time, and shows that it is under way. What
// goes wrong is shown in the place given, instead of what was there.
export async function busy(button, place, action) {
  if (button.getAttribute('aria-busy') === 'true') return false;
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('aria-disabled', 'true');
  fill(place);
  try {
    await action();
    return true;
  } catch (error) {
    if (error.name !== 'AbortError') fill(place, problem(error));
    return false;
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
  }
}

// form makes a form whose submission is an action, see busy. The action gets the form's
// fields by name.
export function form(properties, action, ...children) {
  const place = el('div');
  const node = el('form', {
    ...properties,
    submit(event) {
      event.preventDefault();
      const values = Object.fromEntries(new FormData(node));
      busy(node.querySelector('button[type="submit"]'), place, () => action(values, node));
    },
  }, children, place);
  return node;
}

let fields = 0;

// field is a labelled input with a hint that is read out with it.
export function field(label, name, properties = {}, hint = '') {
  const id = `field-${++fields}`;
  return el('div', { class: 'field' },
    el('label', { for: id }, label),
    el('input', { id, name, autocomplete: 'off', 'aria-describedby': hint ? `${id}-hint` : null, ...properties }),
    hint ? el('p', { id: `${id}-hint`, class: 'hint' }, hint) : null);
}

// confirmed asks before something that cannot be undone.
export function confirmed(question, detail, yes) {
  return new Promise((resolve) => {
    const dialog = el('dialog', { 'aria-labelledby': 'question', close: () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); } },
      el('form', { method: 'dialog', class: 'stack' },
        el('h2', { id: 'question' }, question),
        el('p', {}, detail),
        el('div', { class: 'row' },
          el('button', { value: 'no' }, 'Cancel'),
          el('button', { value: 'yes', class: 'danger primary' }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// ago tells a moment as people do.
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - new Date(time)) / 1000);
  if (seconds < 10) return 'just now';
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= size) return words.format(-Math.floor(seconds / size), unit);
  }
  return `${Math.floor(seconds)} seconds ago`;
}
