// Live updates: one stream of server-sent events for the whole page. Sections
// listen to `live`, an EventTarget, until their signal aborts:
//
//	connection  the stream was opened or lost
//	consoles    something changed; the cards are in live.cards
//	log         a line of the log, after logLevel asked for them
import { get, signIn } from './api.js';

const firstPause = 1000; // ms before reconnecting, doubled after each attempt up to lastPause
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
    // A hidden page gives its connection back: a browser has only a few.
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#close();
      else if (!this.#source) this.#open();
    });
  }

  // logLevel subscribes to the log, with its last lines first; '' unsubscribes.
  logLevel(level) {
    if (level === this.#level) return;
    this.#level = level;
    this.#open();
  }

  // watch gets a URL now and after every change, and calls draw with the answer
  // if it differs from the last one. The function it returns always draws.
  watch(url, draw, failed, signal) {
    let last = '';
    const load = async () => {
      try {
        const value = await get(url, { signal });
        const text = JSON.stringify(value);
        if (text === last) return;
        last = text;
        draw(value);
      } catch (error) {
        last = '';
        if (error.name !== 'AbortError') failed(error);
      }
    };
    this.addEventListener('consoles', load, { signal });
    load();
    return () => {
      last = '';
      return load();
    };
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
    const source = new EventSource(`/api/v1/events${this.#level ? `?log=${this.#level}&limit=200` : ''}`);
    this.#source = source;
    source.addEventListener('open', () => this.#setConnected(true));
    source.addEventListener('overview', ({ data }) => {
      this.cards = new Map(JSON.parse(data).consoles.map((c) => [c.host_id, c]));
      this.known = true;
      this.#tell('consoles');
    });
    source.addEventListener('log', ({ data }) => this.#tell('log', JSON.parse(data)));
    source.addEventListener('error', () => this.#lost(source));
  }

  // lost leaves reconnecting to the browser, unless the server answered with an
  // error: then the session may have ended.
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
    } catch { /* the server is down: try again */ }
    this.#open();
  }

  #setConnected(connected) {
    if (connected) this.#pause = firstPause;
    this.connected = connected;
    this.#tell('connection', connected);
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

export const live = new Live();
