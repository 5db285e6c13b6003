// Backup of everything that is remembered, and restoring one.
import { confirmed, el, fill, form } from './ui.js';
import { path, post } from './api.js';

const between = 500; // ms between two looks whether the server is back
const patience = 60_000;

export function backup() {
  const said = el('div', { role: 'status' });
  const restore = form({ class: 'add' }, async (_, node) => {
    const [file] = node.querySelector('input').files;
    if (!await confirmed('Restore this backup?', 'Everything that ps4kit remembers is replaced: consoles, inputs, pairings, credentials, the password. The server starts again; you may have to sign in.', 'Restore')) return;
    await post(path('restore'), file);
    fill(said, el('p', {}, 'The backup is being restored. Waiting for the server…'));
    await back();
    location.reload();
  },
  el('div', { class: 'field' }, el('label', { for: 'archive' }, 'A backup'),
    el('input', { id: 'archive', type: 'file', name: 'archive', accept: '.gz,application/gzip', required: true })),
  el('button', { type: 'submit', class: 'danger' }, 'Restore…'));
  return el('div', { class: 'stack' },
    el('p', {}, 'A backup holds pairings and credentials: keep it as safe as a password.'),
    el('div', {}, el('a', { class: 'button', href: path('backup'), download: 'ps4kit-backup.tar.gz' }, 'Download a backup')),
    restore, said);
}

// back waits until the server is ready again.
async function back() {
  const until = Date.now() + patience;
  while (Date.now() < until) {
    await new Promise((resolve) => { setTimeout(resolve, between); });
    try {
      if ((await fetch('/readyz')).ok) return;
    } catch { /* it is starting */ }
  }
  throw new Error('The server did not come back within a minute; see its log');
}
