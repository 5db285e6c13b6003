// HomeKit: the code to pair with while a console is unpaired, and who is paired.
import { busy, confirmed, el, fill, problem } from './ui.js';
import { del, get, path } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';

export function show(main, _, signal) {
  const place = el('div', { class: 'cards' }, el('p', { class: 'hint', role: 'status' }, 'Loading…'));
  fill(main,
    el('div', { class: 'head' }, el('h1', {}, 'HomeKit'),
      el('p', { class: 'hint' }, 'Each console is an accessory of its own, because a bridge can show only one television in the Control Center remote.')),
    place);
  const reload = live.watch(path('homekit'), (list) => {
    fill(place, list.length ? list.map((a) => accessory(a, reload)) : el('p', {}, 'No console is offered to HomeKit yet. ', el('a', { href: '#/setup' }, 'Set one up'), '.'));
  }, (error) => fill(place, problem(error)), signal);
}

function accessory(a, reload) {
  const id = a.host_id || 'companion'; // the bridge is no console
  return el('section', { class: 'panel stack', 'data-host': id },
    el('header', { class: 'card-head' }, el('h2', { class: 'grow' }, a.name),
      a.paired ? el('span', { class: 'badge good' }, 'Paired') : el('span', { class: 'badge warn' }, 'Not paired')),
    a.paired ? pairedWith(a, id, reload) : setupCode(a, id),
    checks(id),
    el('p', { class: 'hint' }, `Device id ${a.device_id}, ${a.address}:${a.port}`));
}

function setupCode(a, id) {
  return el('div', { class: 'pairing' },
    el('img', { class: 'qr', src: path('homekit', id, 'qr'), width: 232, height: 232, alt: `QR code to pair ${a.name}` }),
    el('div', { class: 'stack' },
      el('p', { class: 'hint' }, 'Setup code'),
      el('p', { class: 'code' }, a.setup_code),
      el('ol', { class: 'todo' },
        el('li', {}, 'On an iPhone or iPad in this network open the Home app, tap + and Add Accessory.'),
        el('li', {}, 'Scan this picture, or choose More options and type the setup code.'),
        el('li', {}, 'Home warns that the accessory is not certified: add it anyway.'))));
}

function pairedWith(a, id, reload) {
  const place = el('div');
  const unpair = el('button', { type: 'button', class: 'danger', async click() {
    if (!await confirmed(`Unpair ${a.name}?`, 'It disappears from Home, with its room, scenes and automations. It can be paired again with a code that is then shown here.', 'Unpair')) return;
    if (await busy(unpair, place, () => del(path('homekit', id, 'pairings')))) reload();
  } }, 'Unpair…');
  const controllers = a.controllers || [];
  return el('div', { class: 'stack' },
    el('p', {}, `Paired with ${controllers.length} ${controllers.length === 1 ? 'controller' : 'controllers'}. No setup code is shown while it is paired.`),
    el('ul', { class: 'plain' }, controllers.map((c) => el('li', {}, el('code', {}, c.id), ' ', c.admin ? el('span', { class: 'badge' }, 'admin') : null))),
    el('div', { class: 'row' }, unpair), place);
}

// checks reads the accessory as a controller does, and lists what is wrong.
function checks(id) {
  const place = el('div', { role: 'status' });
  const check = el('button', { type: 'button', click: () => busy(check, place, async () => {
    const findings = await get(path('homekit', id, 'check'));
    fill(place, findings.length ? el('ul', { class: 'plain' }, findings.map((f) => el('li', {}, [f.rule, f.where, f.what].filter(Boolean).join(': '))))
      : el('p', { class: 'success' }, el('span', {}, glyph('check'), ' It is as HomeKit wants it.')));
  }) }, 'Check the accessory');
  return el('div', { class: 'stack' }, el('div', { class: 'row' }, check), place);
}
