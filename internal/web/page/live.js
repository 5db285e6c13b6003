// What the server tells by itself: one stream of server-sent events for the whole page.
// Sections listen to `live`, an EventTarget, with the signal that ends when they are left:
//
//	connection  whether the stream is there
//	consoles    a console came, changed or went; the cards are in live.cards
//	titles, homekit  {host_id}: ask again
//	log         a line of the log, while somebody asked for it with logLevel
import { signIn } from './api.js';

const firstPause = 1000; // ms until the next try, doubled after each up to the last
const lastPause = 15000;

class Live extends EventTarget {
  cards = new Map(); // by host id
  connected = false;
  known = false; // the overview has arrived
  #source = null;
  #level = '';
  #pause = firstPause;
  #timer = 0;

  start() {
    this.#open();
    // A page that nobody sees takes no connection of the few that a browser has.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#close();
      else if (!this.#source) this.#open();
    });
  }

  // logLevel asks for lines of the log from a level on; with '' for none.
  logLevel(level) {
    if (level === this.#level) return;
    this.#level = level;
    this.#open();
  }

  list() {
    return [...this.cards.values()].sort((a, b) => a.name.localeCompare(b.name) || a.host_id.localeCompare(b.host_id));
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.#close();
    const source = new EventSource(`/api/v1/events${this.#level ? `?log=${this.#level}` : ''}`);
    this.#source = source;
    const on = (name, take) => source.addEventListener(name, (event) => take(JSON.parse(event.data)));
    on('hello', () => this.#setConnected(true));
    on('overview', ({ consoles }) => {
      this.cards = new Map(consoles.map((c) => [c.host_id, c]));
      this.#changed();
    });
    on('console', (card) => { this.cards.set(card.host_id, card); this.#changed(); });
    on('removed', ({ host_id: id }) => { this.cards.delete(id); this.#changed(); });
    for (const name of ['titles', 'homekit', 'log']) on(name, (detail) => this.#tell(name, detail));
    source.addEventListener('error', () => this.#lost(source));
  }

  // lost waits for the browser, which connects again by itself and resumes. It gives up
  // when the server answered with an error: then the session may have ended.
  #lost(source) {
    if (source !== this.#source) return;
    this.#setConnected(false);
    if (source.readyState !== EventSource.CLOSED) return;
    this.#close();
    this.#timer = setTimeout(() => this.#again(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, lastPause);
  }

  async #again() {
    try {
      if ((await fetch('/api/v1/session')).status === 401) { signIn(); return; }
    } catch { /* the server is away: the next try tells */ }
    this.#open();
  }

  #setConnected(connected) {
    if (connected) this.#pause = firstPause;
    this.connected = connected;
    this.#tell('connection', connected);
  }

  #changed() {
    this.known = true;
    this.#tell('consoles');
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

export const live = new Live();
