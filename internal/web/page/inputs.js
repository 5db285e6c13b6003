// The inputs of a console in their order, as Home lists them.
import { html, useRef, useState } from './vendor/preact.js';
import { Action, Cover, Field, Form, Icon, IconButton, Loading, Panel, Problem, announce, ask, inputName, section } from './ui.js';
import { del, patch, path, post, put, useGet } from './api.js';
import { useCovers } from './consoles.js';
import { FromAccount, MediaApps } from './library.js';

export function Inputs({ consoles, overview, args: [host] }) {
  const list = consoles.filter((c) => c.accepted !== false);
  const id = host || list[0]?.host_id;
  const starts = list.find((c) => c.host_id === id)?.can.titles;
  const choose = (event) => { location.hash = section('inputs', event.currentTarget.value); };
  return html`<div class="head">
      <h1>Inputs</h1>
      ${list.length > 1 && html`<select aria-label="Console" value=${id} onchange=${choose}>
        ${list.map((c) => html`<option key=${c.host_id} value=${c.host_id}>${c.name}</option>`)}
      </select>`}
      <p class="hint">${starts === false ? 'ps4kit can’t start titles on this console. Its only input is the home screen.'
        : 'A console can’t list its titles. The inputs are the titles that you add or import here, those in config.yaml, and those that ps4kit has seen running.'}</p>
    </div>
    ${id ? html`<${Editor} key=${id} id=${id} starts=${starts} overview=${overview} />` : html`<p>No console yet. <a href="#/setup">Set one up</a>.</p>`}`;
}

function Editor({ id, starts, overview }) {
  const url = (...more) => path('consoles', id, 'titles', ...more);
  const { value: titles, error: unknown, reload } = useGet(url(), overview);
  const covers = useCovers(id, titles);
  const [error, setError] = useState(null);
  const [moved, setMoved] = useState(null); // ids in an order that isn't stored yet
  const [dragged, setDragged] = useState(''); // id
  const list = useRef();
  if (!titles) return html`<${Loading} error=${unknown} />`;
  const rows = moved ? moved.map((i) => titles.find((t) => t.id === i)).filter(Boolean) : titles;
  const ids = rows.map((t) => t.id);

  async function change(action, done) {
    setError(null);
    try {
      await action();
      announce(done);
    } catch (e) {
      setError(e);
    }
    await reload();
  }

  async function order(to, title) {
    setMoved(to);
    await change(() => put(url('order'), { ids: to }), `${inputName(title)}, position ${to.indexOf(title.id) + 1} of ${to.length}`);
    setMoved(null);
  }

  function move(title, by) {
    const to = ids.indexOf(title.id) + by;
    if (to < 0 || to >= ids.length) {
      announce(`${inputName(title)} is already ${by < 0 ? 'first' : 'last'}`);
      return;
    }
    const button = document.activeElement;
    order(placed(ids, title.id, to), title);
    requestAnimationFrame(() => button.focus()); // a row that is moved loses it
  }

  // The list captures the pointer, because a row that is moved would lose it.
  function grab(event, title) {
    if (event.button !== 0) return;
    event.preventDefault();
    list.current.setPointerCapture(event.pointerId);
    setDragged(title.id);
  }
  function drag({ clientY }) {
    const above = [...list.current.children].filter((row) => row.dataset.id !== dragged && middle(row) < clientY);
    setMoved(placed(ids, dragged, above.length));
  }
  function drop() {
    setDragged('');
    if (moved && ids.join() !== titles.map((t) => t.id).join()) order(ids, titles.find((t) => t.id === dragged));
    else setMoved(null);
  }

  async function rename(title) {
    const question = `Name of ${inputName(title)}`;
    const name = await ask({ question, detail: 'Leave it empty to restore its own name.', yes: 'Save', input: { value: title.name } });
    if (name !== null) await change(() => patch(url(title.id), { name }), 'Renamed');
  }

  const forget = (title) => change(() => del(url(title.id)), `${inputName(title)} is forgotten`);

  async function add({ title_id: title, name }, form) {
    await post(url(), { id: title.trim(), name: name.trim() });
    form.reset();
    await added('Added');
  }

  async function addApp(app) {
    await post(url(), { id: app.id });
    await added(`${app.name} is added`);
  }

  async function added(what) {
    announce(what);
    await reload();
  }

  return html`<div class="stack">
    <${Problem} error=${error ?? unknown} />
    <ol class="inputs" aria-label="Inputs in order" ref=${list} onpointermove=${dragged ? drag : null} onlostpointercapture=${drop}>
      ${rows.map((t) => html`<${Row} key=${t.id} title=${t} cached=${covers.includes(t.id)} dragged=${t.id === dragged}
        grab=${grab} move=${move} rename=${rename} forget=${forget}
        change=${(values, done) => change(() => patch(url(t.id), values), done)} />`)}
    </ol>
    ${starts && html`<div class="row">
      <span class="hint grow">Default order: pinned first, then the most recently played, then by name.</span>
      <${Action} action=${() => change(() => put(url('order'), { ids: [] }), 'The inputs are in the default order')}>Reset order<//>
    </div>
    <${Panel} id="add" name="Add by id">
      <${Form} class="add" action=${add}>
        <${Field} label="Title id" name="title_id" required placeholder="CUSA00129" spellcheck="false" autocapitalize="characters" />
        <${Field} label="Name (optional)" name="name" />
        <button class="primary">Add</button>
      <//>
      <${MediaApps} titles=${titles} add=${addApp} />
    <//>
    <${FromAccount} url=${url} imported=${added} />`}
  </div>`;
}

// placed returns the ids with one of them at another position.
function placed(ids, id, position) {
  const list = ids.filter((i) => i !== id);
  list.splice(position, 0, id);
  return list;
}

function middle(row) {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
}

function Row({ title, cached, dragged, grab, move, change, rename, forget }) {
  const name = inputName(title);
  const fixed = title.id === 'HOME' || title.id === 'OTHER';
  const badge = (text, kind) => html`<span class="badge ${kind}">${text}</span> `;
  const tool = (icon, text, action, confirm) => html`<${IconButton} icon=${icon} name="${text} ${name}" action=${action} confirm=${confirm} />`;
  const toggle = (what, off, on, icon) => tool(icon, title[what] ? off : on,
    () => change({ [what]: !title[what] }, `${name} is ${title[what] ? 'not ' : ''}${what}`));
  return html`<li data-id=${title.id} class="${title.hidden ? 'is-hidden' : ''} ${dragged ? 'dragged' : ''}">
    <span class="grip" aria-hidden="true" title="Drag to move" onpointerdown=${(event) => grab(event, title)}><${Icon} name="grip" /></span>
    <${Cover} id=${title.id} name=${name} cached=${cached} />
    <div class="grow">
      <strong>${name}</strong>
      <p class="hint">${title.id} ${title.title !== title.name && title.title} ${title.pinned && badge('pinned', 'tint')}
        ${title.hidden && badge('hidden', 'warn')} ${title.configured && badge('configured')}
        ${title.missing && badge('not installed', 'warn')}</p>
      ${title.missing && !title.hidden && html`<${Action} aria-label="Hide it: ${name} is not installed"
        action=${() => change({ hidden: true }, `${name} is hidden`)}>Hide it<//>`}
    </div>
    <div class="tools">
      ${tool('up', 'Move up', () => move(title, -1))}
      ${tool('down', 'Move down', () => move(title, 1))}
      ${tool('edit', 'Rename', () => rename(title))}
      ${toggle('hidden', 'Show', 'Hide', title.hidden ? 'show' : 'hide')}
      ${!fixed && toggle('pinned', 'Unpin', 'Pin', 'pin')}
      ${!fixed && !title.configured && tool('remove', 'Forget', () => forget(title), {
        question: `Forget ${name}?`, detail: 'Its name and position are deleted. It becomes an input again when it runs.', yes: 'Forget',
      })}
    </div>
  </li>`;
}
