// Requests to the API of the server, which is documented at /api/v1/openapi.json.
import { useEffect, useState } from './vendor/preact.js';

// path joins segments below /api/v1, each escaped.
export const path = (...segments) => `/api/v1/${segments.map(encodeURIComponent).join('/')}`;

export const get = (url, signal) => request('GET', url, undefined, signal);
export const post = (url, body, signal) => request('POST', url, body, signal);
export const put = (url, body, signal) => request('PUT', url, body, signal);
export const patch = (url, body) => request('PATCH', url, body);
export const del = (url) => request('DELETE', url);

// request sends a body as JSON, or unchanged if it is a Blob. It throws errors
// of the server with their code and hint. An expired session leads to the
// sign-in page.
async function request(method, url, body, signal) {
  const options = { method, signal };
  if (body instanceof Blob) {
    Object.assign(options, { headers: { 'Content-Type': 'application/gzip' }, body });
  } else if (body !== undefined) {
    Object.assign(options, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  }
  const response = await fetch(url, options).catch((error) => {
    throw error.name === 'AbortError' ? error : failure({
      unanswered: true,
      message: 'The ps4kit server does not answer',
      hint: 'Check that it is running, and that this device is on the same network.',
    });
  });
  if (response.status === 401) location.assign('/login');
  const isJSON = response.headers.get('Content-Type')?.startsWith('application/json');
  const answer = isJSON ? await response.json() : null;
  if (!response.ok) throw failure(answer?.error ?? { message: `The server answered with status ${response.status}` });
  return answer;
}

export const failure = ({ message, ...more }) => Object.assign(new Error(message), more);

const pause = 3000; // ms before another try

// useGet returns the value at a URL, or the error of the last request, and a
// function that reloads it. It reloads by itself when its second argument
// changes. A value stays the same object while it is equal.
export function useGet(url, after) {
  const [answer, setAnswer] = useState({});
  async function reload(signal) {
    try {
      const value = await get(url, signal);
      setAnswer((old) => ({ value: JSON.stringify(old.value) === JSON.stringify(value) ? old.value : value }));
    } catch (error) {
      if (error.unanswered && signal) setTimeout(reload, pause, signal); // the frame says that the connection is lost
      else if (error.name !== 'AbortError') setAnswer((old) => ({ value: old.value, error }));
    }
  }
  useEffect(() => {
    const left = new AbortController();
    reload(left.signal);
    return () => left.abort();
  }, [url, after]);
  return { ...answer, reload: () => reload() };
}

// useStream follows a stream of server-sent events with a handler for each, and
// reports whether it is connected. A hidden page gives up its connection,
// because a browser has only a few for each server.
export function useStream(url, handlers) {
  const [connected, setConnected] = useState(true);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const again = () => setAttempt(attempt + 1);
    document.addEventListener('visibilitychange', again, { once: true });
    if (document.hidden) return undefined;
    const source = new EventSource(url);
    let timer = 0;
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, ({ data }) => handle(data && JSON.parse(data)));
    }
    source.addEventListener('open', () => setConnected(true));
    source.addEventListener('error', () => {
      setConnected(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser retries
      timer = setTimeout(() => get(path('session')).catch(() => {}).then(again), pause); // has the session expired?
    });
    return () => {
      document.removeEventListener('visibilitychange', again);
      clearTimeout(timer);
      source.close();
    };
  }, [url, attempt]);
  return connected;
}
