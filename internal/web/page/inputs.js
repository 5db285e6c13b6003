// The inputs of a console: what Home lists, in its order.
import { announce, confirmed, el, field, fill, form, iconButton, problem } from './ui.js';
import { del, patch, path, post, put } from './api.js';
import { glyph } from './glyphs.js';
import { live } from './live.js';
import { cover, inputName, showCovers } from './titles.js';
import { draggable } from './reorder.js';

export function show(main, [host], signal) {
  const place = el('div', { class: 'stack' }, el('p', { class: 'hint', role: 'status' }, 'Loading…'));
  const choice = el('div');
  fill(main,
    el('div', { class: 'head' }, el('h1', {}, 'Inputs'), choice,
      el('p', { class: 'hint' }, 'The protocol cannot list what is installed: an input is what you add here, what config.yaml names, and what was seen running.')),
    place);
  let shown = '';
  function update() {
    const list = live.list();
    const id = host || list[0]?.host_id;
    if (live.known && !id) fill(place, el('p', {}, 'No console is known yet. ', el('a', { href: '#/setup' }, 'Set one up'), '.'));
    if (!id || shown === id) return;
    shown = id;
    if (list.length > 1) fill(choice, chooser(list, id));
    new Editor(place, id, signal);
  }
  live.addEventListener('consoles', update, { signal });
  update();
}

function chooser(list, id) {
  return el('select', { 'aria-label': 'Console', change: (event) => { location.hash = `#/inputs/${encodeURIComponent(event.target.value)}`; } },
    list.map((c) => el('option', { value: c.host_id, selected: c.host_id === id }, c.name)));
}

// Editor is the list of a console's inputs, and what can be done with them.
class Editor {
  #id;
  #titles = [];
  #focus = null; // what gets the focus back after the list was made anew: {id, what}
  #trouble = el('div');
  #list = el('ol', { class: 'inputs', 'aria-label': 'Inputs in their order' });

  constructor(place, id, signal) {
    this.#id = id;
    fill(place, this.#trouble, this.#list, this.#ownOrder(), this.#adding());
    this.load = live.watch(this.#path(), (titles) => {
      this.#titles = titles;
      this.#draw();
      showCovers(id, this.#list, signal);
    }, (error) => fill(this.#trouble, problem(error)), signal);
  }

  #path(...more) { return path('consoles', this.#id, 'titles', ...more); }

  #draw() {
    if (this.#list.querySelector('form, .dragged')) return; // somebody types a name or drags
    const active = this.#list.contains(document.activeElement) && document.activeElement;
    const keep = this.#focus || (active && { id: active.closest('li').dataset.id, what: active.dataset.what });
    this.#focus = null;
    fill(this.#list, this.#titles.map((t) => this.#row(t)));
    if (keep) this.#list.querySelector(`[data-id="${CSS.escape(keep.id)}"] [data-what="${keep.what}"]`)?.focus();
  }

  // change carries something out and shows what came of it.
  async #change(action, said) {
    fill(this.#trouble);
    try {
      await action();
      announce(said);
    } catch (error) {
      fill(this.#trouble, problem(error));
    }
    await this.load();
  }

  #order(ids, moved) {
    this.#titles = ids.map((i) => this.#titles.find((t) => t.id === i));
    this.#draw();
    const position = ids.indexOf(moved);
    this.#change(() => put(this.#path('order'), { ids }), `${inputName(this.#titles[position])}, position ${position + 1} of ${ids.length}`);
  }

  #move(title, by) {
    const ids = this.#titles.map((t) => t.id);
    const at = ids.indexOf(title.id);
    const to = at + by;
    if (to < 0 || to >= ids.length) {
      announce(`${inputName(title)} is ${by < 0 ? 'first' : 'last'} already`);
      return;
    }
    ids.splice(to, 0, ...ids.splice(at, 1));
    this.#focus = { id: title.id, what: by < 0 ? 'up' : 'down' };
    this.#order(ids, title.id);
  }

  #row(title) {
    const grip = el('span', { class: 'grip', 'aria-hidden': 'true', title: 'Drag to move' }, glyph('grip'));
    const node = el('li', { 'data-id': title.id, class: title.hidden ? 'is-hidden' : '' },
      grip, cover(title.id, 48),
      el('div', { class: 'grow' }, el('strong', {}, inputName(title)), el('p', { class: 'hint' }, about(title))));
    node.append(el('div', { class: 'tools' }, this.#tools(title, node)));
    draggable(grip, node, this.#list, (ids) => this.#order(ids, title.id));
    return node;
  }

  #tools(title, node) {
    const name = inputName(title);
    const fixed = title.id === 'HOME' || title.id === 'OTHER';
    const own = this.#path(title.id);
    const tool = (what, text, click, icon = what) => iconButton(icon, `${text} ${name}`, click, { 'data-what': what });
    return [
      tool('up', 'Move up', () => this.#move(title, -1)),
      tool('down', 'Move down', () => this.#move(title, 1)),
      tool('rename', 'Rename', () => this.#rename(node, title), 'edit'),
      title.hidden
        ? tool('hide', 'Show', () => this.#change(() => patch(own, { hidden: false }), `${name} is shown`), 'show')
        : tool('hide', 'Hide', () => this.#change(() => patch(own, { hidden: true }), `${name} is hidden`)),
      fixed ? null : tool('pin', title.pinned ? 'Unpin' : 'Pin',
        () => this.#change(() => patch(own, { pinned: !title.pinned }), `${name} is ${title.pinned ? 'not pinned' : 'pinned'}`)),
      fixed || title.configured ? null : tool('forget', 'Forget', () => this.#forget(title)),
    ];
  }

  #rename(node, title) {
    const done = () => {
      this.#focus = { id: title.id, what: 'rename' };
      fill(this.#list);
      this.#draw();
    };
    const edit = form({ class: 'row grow' }, async ({ name }) => {
      await patch(this.#path(title.id), { name });
      done();
      await this.load();
    },
    el('input', { class: 'grow', name: 'name', value: title.name, 'aria-label': `Name of ${inputName(title)}; empty for its own`, autocomplete: 'off' }),
    el('button', { type: 'submit', class: 'primary' }, 'Save'), el('button', { type: 'button', click: done }, 'Cancel'));
    fill(node, edit);
    edit.querySelector('input').select();
  }

  async #forget(title) {
    const name = inputName(title);
    if (!await confirmed(`Forget ${name}?`, 'Its name and place are forgotten. It becomes an input again when it runs.', 'Forget')) return;
    this.#change(() => del(this.#path(title.id)), `${name} is forgotten`);
  }

  #ownOrder() {
    return el('div', { class: 'row' },
      el('span', { class: 'hint grow' }, 'Without an order of yours: pinned first, then the most recently played, then by name.'),
      el('button', { type: 'button', click: () => this.#change(() => put(this.#path('order'), { ids: [] }), 'The order is the usual one again') }, 'Usual order'));
  }

  #adding() {
    const add = form({ class: 'add' }, async ({ id, name }, node) => {
      await post(this.#path(), { id: id.trim(), name: name.trim() });
      node.reset();
      announce('Added');
      await this.load();
    },
    field('Title id', 'id', { required: true, placeholder: 'CUSA00129', spellcheck: 'false', autocapitalize: 'characters' }),
    field('Name, if it is to have another', 'name'),
    el('button', { type: 'submit', class: 'primary' }, 'Add'));
    return el('section', { class: 'panel stack', 'aria-labelledby': 'add' }, el('h2', { id: 'add' }, 'Add by id'), add);
  }
}

function about(title) {
  const badge = (text, kind = '') => el('span', { class: `badge ${kind}` }, text);
  return [
    `${title.id} `,
    title.title && title.title !== title.name ? `${title.title} ` : null,
    title.pinned ? badge('pinned', 'tint') : null,
    title.hidden ? badge('hidden', 'warn') : null,
    title.configured ? badge('configured') : null,
  ].filter(Boolean);
}
