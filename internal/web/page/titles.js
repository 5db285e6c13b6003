// What titles look like everywhere on the page.
import { el, fill } from './ui.js';
import { get, path } from './api.js';
import { glyph } from './glyphs.js';

const lookAgain = 4000; // ms, for covers that the server looks for meanwhile
const known = new Set(); // titles whose covers the server has

// cover is the place of a title's picture, at a size in CSS pixels: with the picture where
// the server has it, else with a sign. The name stands beside it, so it has no text.
export function cover(id, size, has = false) {
  const place = el('span', { class: `cover cover-${size}` }, glyph(id === 'HOME' ? 'home' : 'play'));
  if (has || known.has(id)) show(place, id, size);
  return place;
}

function show(place, id, size) {
  const image = el('img', { alt: '', width: size, height: size, src: `${path('titles', id, 'cover')}?size=${size > 48 ? 256 : 96}`, load: () => fill(place, image) });
}

// showCovers fills the places of a list of inputs, whose entries have data-id.
export async function showCovers(host, list, signal, again = true) {
  const entries = [...list.querySelectorAll('[data-id]')].filter((e) => e.querySelector('.cover-48:not(:has(img))'));
  const ids = await get(path('consoles', host, 'covers'), { signal }).catch(() => []); // without pictures it goes as well
  for (const entry of entries) {
    if (ids.includes(entry.dataset.id)) show(entry.querySelector('.cover'), entry.dataset.id, 48);
  }
  for (const id of ids) known.add(id);
  if (again && ids.length < entries.length) {
    const timer = setTimeout(() => showCovers(host, list, signal, false), lookAgain);
    signal.addEventListener('abort', () => clearTimeout(timer));
  }
}

export function inputName(title) {
  return title.name || title.title || title.id;
}
