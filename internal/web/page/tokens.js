// Tokens for scripts: made, shown once, revoked.
import { ago, confirmed, el, field, fill, form, problem } from './ui.js';
import { del, get, path, post } from './api.js';

const rights = {
  read: 'read: see the consoles and their inputs',
  control: 'control: drive them and edit their inputs as well',
};

export function tokens() {
  const list = el('ul', { class: 'plain tokens' });
  const fresh = el('div', { role: 'status' });
  async function load() {
    try {
      const all = await get(path('tokens'));
      fill(list, all.length ? all.map((t) => row(t, load)) : el('li', { class: 'hint' }, 'None.'));
    } catch (error) {
      fill(list, el('li', {}, problem(error)));
    }
  }
  const make = form({ class: 'add' }, async ({ name, access }, node) => {
    const made = await post(path('tokens'), { name, access });
    fill(fresh, el('div', { class: 'success' },
      el('strong', {}, `The token “${made.name}”. It is shown this once:`), el('code', { class: 'secret' }, made.token)));
    node.reset();
    await load();
  },
  field('Name', 'name', { required: true, placeholder: 'doorbell script' }),
  el('div', { class: 'field' }, el('label', { for: 'access' }, 'Access'),
    el('select', { id: 'access', name: 'access' }, Object.entries(rights).map(([value, text]) => el('option', { value }, text)))),
  el('button', { type: 'submit' }, 'Make a token'));
  load();
  return el('div', { class: 'stack' },
    el('p', {}, 'For scripts: ', el('code', {}, 'Authorization: Bearer TOKEN'), '. The API is described at ',
      el('a', { href: '/api/v1/openapi.json' }, '/api/v1/openapi.json'), '.'),
    list, make, fresh);
}

function row(token, reload) {
  const place = el('div');
  async function revoke() {
    if (!await confirmed(`Revoke ${token.name}?`, 'Scripts that use it are refused from now on.', 'Revoke')) return;
    try {
      await del(path('tokens', token.id));
      await reload();
    } catch (error) {
      fill(place, problem(error));
    }
  }
  return el('li', {},
    el('div', { class: 'grow' }, el('strong', {}, token.name), ' ', el('span', { class: 'badge' }, token.access),
      el('p', { class: 'hint' }, `made ${ago(token.created)}, ${token.last_used ? `last used ${ago(token.last_used)}` : 'never used'}`), place),
    el('button', { type: 'button', class: 'danger', 'aria-label': `Revoke ${token.name}`, click: revoke }, 'Revoke'));
}
