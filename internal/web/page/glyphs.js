// Small pictures, drawn with strokes on a 24 by 24 grid.
const strokes = {
  consoles: ['M3 5h18v11H3z', 'M9 20h6', 'M12 16v4'],
  inputs: ['M4 5h6v6H4z', 'M14 5h6v6h-6z', 'M4 15h6v4H4z', 'M14 15h6v4h-6z'],
  homekit: ['M4 11l8-7 8 7', 'M6 10v10h12V10', 'M10 20v-5h4v5'],
  setup: ['M12 5v14', 'M5 12h14'],
  log: ['M5 6h14', 'M5 12h14', 'M5 18h9'],
  settings: ['M4 7h9', 'M17 7h3', 'M4 17h3', 'M11 17h9', 'M15 5v4', 'M9 15v4'],
  power: ['M12 3v9', 'M7 6.500a8 8 0 1 0 10 0'],
  edit: ['M5 19l1-4L16 5l3 3L9 18z'],
  up: ['M6 15l6-6 6 6'],
  down: ['M6 9l6 6 6-6'],
  left: ['M15 6l-6 6 6 6'],
  right: ['M9 6l6 6-6 6'],
  remote: ['M8 3h8v18H8z', 'M12 7v.01', 'M12 12v.01', 'M11 17h2'],
  hide: ['M4 4l16 16', 'M10 6.300A10 10 0 0 1 21 12a14 14 0 0 1-2.500 3', 'M6 8.500A13 13 0 0 0 3 12a10 10 0 0 0 11.500 5.600'],
  show: ['M3 12a10 10 0 0 1 18 0 10 10 0 0 1-18 0z', 'M12 10v4'],
  pin: ['M12 16v5', 'M7 16h10l-2-5V4H9v7z'],
  forget: ['M5 7h14', 'M9 7V4h6v3', 'M7 7l1 13h8l1-13'],
  grip: ['M9 6v.01', 'M15 6v.01', 'M9 12v.01', 'M15 12v.01', 'M9 18v.01', 'M15 18v.01'],
  check: ['M5 13l4 4L19 7'],
  play: ['M8 5l11 7-11 7z'],
  home: ['M4 12l8-8 8 8', 'M7 10v9h10v-9'],
};

// glyph draws one; what it stands for is said beside it.
export function glyph(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'glyph');
  svg.setAttribute('aria-hidden', 'true');
  for (const d of strokes[name]) {
    const line = document.createElementNS(ns, 'path');
    line.setAttribute('d', d);
    svg.append(line);
  }
  return svg;
}
