// Settings: what holds and where it comes from, the password, tokens, backup.
import { el, fill, form, problem } from './ui.js';
import { get, path, put } from './api.js';
import { tokens } from './tokens.js';
import { backup } from './backup.js';

export function show(main, _, signal) {
  const values = el('div');
  const about = el('p', { class: 'hint' });
  fill(main, el('h1', {}, 'Settings'),
    panel('password', 'Password', password()),
    panel('tokens', 'API tokens', tokens()),
    panel('backup', 'Backup', backup()),
    panel('values', 'Configuration', el('p', {}, 'Change these in config.yaml or by environment variables; most are read at the start.'), values),
    about);
  get(path('settings'), { signal }).then((list) => fill(values, table(list)), (error) => failed(values, error));
  get(path('session'), { signal }).then((s) => { about.textContent = `ps4kit ${s.version}${s.simulated ? ', with simulated consoles' : ''}`; }, () => { /* the others tell */ });
}

function failed(place, error) {
  if (error.name !== 'AbortError') fill(place, problem(error));
}

function panel(id, name, ...content) {
  return el('section', { class: 'panel stack', 'aria-labelledby': `panel-${id}` }, el('h2', { id: `panel-${id}` }, name), content);
}

function table(list) {
  return el('table', { class: 'values' },
    el('thead', {}, el('tr', {}, ['Key', 'Value', 'Source'].map((h) => el('th', { scope: 'col' }, h)))),
    el('tbody', {}, list.map(({ key, value, source }) => el('tr', {},
      el('th', { scope: 'row' }, el('code', {}, key)),
      el('td', {}, typeof value === 'string' ? value : JSON.stringify(value)),
      el('td', { class: 'hint' }, source)))));
}

function password() {
  const said = el('div', { role: 'status' });
  const secret = (label, name, kind, hint) => el('div', { class: 'field' },
    el('label', { for: name }, label),
    el('input', { id: name, name, type: 'password', autocomplete: kind, required: true, 'aria-describedby': hint ? `${name}-hint` : null }),
    hint ? el('p', { id: `${name}-hint`, class: 'hint' }, hint) : null);
  return form({ class: 'stack narrow' }, async (values, node) => {
    fill(said);
    await put(path('password'), { current: values.current, new: values.new });
    node.reset();
    fill(document.getElementById('notice')); // of the first password
    fill(said, el('p', { class: 'success' }, 'The password is changed. Every other session has ended.'));
  },
  el('input', { type: 'text', name: 'username', autocomplete: 'username', value: 'ps4kit', hidden: true }),
  secret('Current password', 'current', 'current-password'),
  secret('New password', 'new', 'new-password'),
  el('div', {}, el('button', { type: 'submit' }, 'Change the password')), said);
}
