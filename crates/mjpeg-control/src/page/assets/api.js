// Requests to the relay.

const READ_MS = 10_000;
/// Some changes wait for a camera.
const CHANGE_MS = 60_000;

/// What the relay refuses, or `status` 0 if it does not answer.
export class ApiError extends Error {
  constructor(status, { code, detail, hint, errors } = {}) {
    super(detail ?? (status ? `The relay answered ${status}.` : 'The relay does not answer.'));
    /// A stable word, such as `not_found`.
    this.code = code ?? (status ? 'unknown' : 'unreachable');
    this.status = status;
    /// What is wrong, for people.
    this.detail = this.message;
    /// What to do about it, for people; else empty.
    this.hint = hint ?? '';
    /// What is wrong with single keys: `[{ key, message }]`.
    this.errors = Array.isArray(errors) ? errors : [];
  }

  /// All of it in one text.
  get text() {
    const keys = this.errors.map(({ key, message }) => (key ? `${key}: ${message}` : message));
    return [keys.length ? keys.join('; ') : this.detail, this.hint].filter(Boolean).join(' – ');
  }
}

/// The address of something of this relay, wherever a proxy has put it.
export const at = (path) => new URL(`../${path}`, import.meta.url).href;

/// Sends a request to the API. `path` is below `api/v1/`; the names in it are encoded already.
/// Returns the answer's JSON, or `null` if it has none. Throws an `ApiError`. A 401 is also told to
/// the document, as an event `unauthenticated`.
export const api = (method, path, body, options) => ask(method, `api/v1/${path}`, body, options);

/// The same for any path of the relay. A relay that is silent for too long does not answer: else
/// what waits for its answer would wait for ever.
export async function ask(method, path, body, { ifMatch, signal } = {}) {
  // Keeps the browser from asking for a password by itself.
  const headers = { 'X-Requested-With': 'page', Accept: 'application/json' };
  if (method !== 'GET') headers['Content-Type'] = 'application/json';
  if (ifMatch) headers['If-Match'] = ifMatch;
  const sent = method === 'GET' ? undefined : JSON.stringify(body ?? {});
  let response, json;
  // `AbortSignal.any` is missing in older browsers.
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), method === 'GET' ? READ_MS : CHANGE_MS);
  const stop = () => cut.abort();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    const init = { method, headers, body: sent, cache: 'no-store', signal: cut.signal };
    response = await fetch(at(path), init);
    const text = await response.text();
    json = text ? JSON.parse(text) : null;
  } catch (error) {
    if (signal?.aborted) throw error;
    // Not JSON: a proxy's page. Or no answer.
    throw new ApiError(response && !response.ok ? response.status : 0);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
  if (response.ok) return json;
  if (response.status === 401) document.dispatchEvent(new Event('unauthenticated'));
  throw new ApiError(response.status, json ?? undefined);
}

/// All of a list that comes a page at a time: `key` is what the page calls it. Returns the last
/// page's other fields, too.
export async function all(path, key) {
  const list = [];
  let page, cursor = '';
  do {
    page = await api('GET', `${path}?limit=1000${cursor}`);
    list.push(...page[key]);
    cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : '';
  } while (cursor && list.length < 10000);
  return { ...page, [key]: list };
}
