// Requests to the API of the server, which is documented at /api/v1/openapi.json.

// Refusal is an error that the server answered with: a code for programs, a message
// and a hint for people.
export class Refusal extends Error {
  constructor({ code = 'failed', message, hint = '', result = 0 }) {
    super(message);
    this.name = 'Refusal';
    Object.assign(this, { code, hint, result });
  }
}

// refused is what there is to say of any error. Many messages end with the hint, which is
// then not said twice.
export function refused(error) {
  const { code = 'failed', message = String(error), hint = '' } = error;
  const bare = hint && message.endsWith(hint) ? message.slice(0, -hint.length).replace(/[:\s]+$/, '') : message;
  return { code, message: bare, hint };
}

// path joins segments below /api/v1, each escaped.
export function path(...segments) {
  return `/api/v1/${segments.map(encodeURIComponent).join('/')}`;
}

export const get = (url, options) => request('GET', url, undefined, options);
export const post = (url, body, options) => request('POST', url, body, options);
export const put = (url, body, options) => request('PUT', url, body, options);
export const patch = (url, body, options) => request('PATCH', url, body, options);
export const del = (url, options) => request('DELETE', url, undefined, options);

// request sends a body as JSON, or as it is when it is a Blob. An expired session
// leads to the sign-in page.
async function request(method, url, body, { signal } = {}) {
  const options = { method, signal, headers: {}, credentials: 'same-origin' };
  if (body instanceof Blob) {
    options.headers['Content-Type'] = 'application/gzip';
    options.body = body;
  } else if (body !== undefined) {
    options.headers['Content-Type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  const response = await answerOf(url, options);
  if (response.status === 401) signIn();
  if (!response.ok) throw await refusalOf(response);
  const kind = response.headers.get('Content-Type') || '';
  return kind.startsWith('application/json') ? response.json() : null;
}

async function answerOf(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal({
      code: 'no_answer', message: 'The ps4kit server does not answer',
      hint: 'See whether it runs, and whether this device is in the same network.',
    });
  }
}

async function refusalOf(response) {
  try {
    return new Refusal((await response.json()).error);
  } catch {
    return new Refusal({ message: `The server answered with status ${response.status}` });
  }
}

export function signIn() { location.assign('/login'); }
