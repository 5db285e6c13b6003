// What titles look like everywhere on the page.
import { el, fill } from './ui.js';
import { path } from './api.js';
import { glyph } from './glyphs.js';

// cover is the picture of a title at a size in CSS pixels, or a sign of its own where
// the server has none. The name stands beside it, so it has no text.
export function cover(id, size) {
  const place = el('span', { class: `cover cover-${size}` }, glyph(id === 'HOME' ? 'home' : 'play'));
  if (id === 'HOME' || id === 'OTHER') return place;
  const image = el('img', { alt: '', width: size, height: size, src: `${path('titles', id, 'cover')}?size=${size > 48 ? 256 : 96}`, load: () => fill(place, image) });
  return place;
}

export function inputName(title) {
  return title.name || title.title || title.id;
}
