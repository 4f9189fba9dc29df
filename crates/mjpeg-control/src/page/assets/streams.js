// What the relay says of its streams: the list, read again and again, and events between.

import { all, api, ApiError, at } from './api.js';
import { sleep } from './dom.js';

const LIST_MS = 2000;
/// While events tell of changes, the list is only for rates.
const RATES_MS = 4000;
/// So long at least is between two lists, whatever asks for them.
const APART_MS = 500;
const SAMPLES = 150;
const EVENTS = 200;
/// Events of what the list does not show.
const UNLISTED = ['detected', 'cleared', 'clip_ready'];

/// Whether the relay answers for time-lapses at all.
async function keepsRecordings() {
  try {
    await api('GET', 'timelapses');
    return true;
  } catch (error) {
    return ![0, 404].includes(error.status);
  }
}

/// Dispatches `list` when the list has been read, `state` with `{ name, state, text }` when a
/// stream's state is another one, `told` with an event of the relay, and `problem` with an
/// `ApiError`, or `null` when it is over.
export class Streams extends EventTarget {
  byName = new Map();
  mayAdd = false;
  /// Whether the relay keeps time-lapses and clips.
  hasRecordings = false;
  isRead = false;
  #events = [];
  #source = null;
  #isStopped = true;
  #timer = 0;
  /// Settles when the list may be read again.
  #pause = Promise.resolve();
  #next = null;
  /// Counts stops: what was asked before one is not for whoever starts it again.
  #stops = 0;
  #problem = null;
  #mayListen = true;

  constructor() {
    super();
    document.addEventListener('changed', () => this.refresh());
    document.addEventListener('visibilitychange', () => !document.hidden && this.refresh());
  }

  start() {
    if (!this.#isStopped) return Promise.resolve();
    this.#isStopped = false;
    this.#listen();
    this.#askForRecordings();
    return this.refresh();
  }

  stop() {
    this.#isStopped = true;
    this.#stops++;
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /// Whether a connection may be used for events.
  set mayListen(may) {
    this.#mayListen = may;
    if (may) return this.#listen();
    this.#source?.close();
    this.#source = null;
  }

  /// The latest events of a stream, the newest first.
  events(name) {
    return this.#events.filter(({ stream }) => stream === name);
  }

  /// Reads the list at once or, if that is being done or was just now, once more a moment later.
  /// Resolves when a list has come that was asked for after this call.
  refresh() {
    this.#next ??= this.#pause.then(() => {
      this.#next = null;
      const reading = this.#refresh();
      this.#pause = reading.catch(() => {}).then(() => sleep(APART_MS));
      return reading;
    });
    return this.#next;
  }

  async #refresh() {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    try {
      if (!document.hidden || !this.isRead) await this.#read();
      this.#tell(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#tell(error);
    }
    clearTimeout(this.#timer);
    const isTold = this.#source?.readyState === EventSource.OPEN;
    if (!this.#isStopped) {
      this.#timer = setTimeout(() => this.refresh(), isTold ? RATES_MS : LIST_MS);
    }
  }

  /// Asked again whenever somebody has logged in.
  async #askForRecordings() {
    const hasRecordings = await keepsRecordings();
    if (hasRecordings === this.hasRecordings) return;
    this.hasRecordings = hasRecordings;
    if (this.isRead) this.dispatchEvent(new Event('list'));
  }

  #tell(problem) {
    if (!problem && !this.#problem) return;
    this.#problem = problem;
    this.dispatchEvent(new CustomEvent('problem', { detail: problem }));
  }

  async #read() {
    const [asked, stops] = [performance.now(), this.#stops];
    const { streams, may_add: mayAdd } = await all('streams', 'streams');
    if (stops !== this.#stops) return;
    const now = performance.now();
    const before = this.byName;
    this.mayAdd = mayAdd;
    this.byName = new Map();
    for (const info of streams) {
      const stream = before.get(info.name) ?? { name: info.name, history: [] };
      const { bytes, readAt, state, text } = stream;
      const kbits = ((info.bytes - bytes) * 8) / (now - readAt);
      // It may have been started again.
      if (now - readAt > 500) stream.kbits = kbits >= 0 ? kbits : undefined;
      Object.assign(stream, info, { readAt: now, mayControl: 'text' in info, info });
      // An event told of a newer state than the answer.
      if (stream.toldAt > asked) Object.assign(stream, { state, text });
      this.byName.set(info.name, stream);
      if (state !== undefined && state !== stream.state) this.#change(stream);
      const { fps, kbits: rate, age } = stream;
      stream.history.push({ fps, kbits: rate, age });
      stream.history.splice(0, stream.history.length - SAMPLES);
    }
    this.isRead = true;
    this.dispatchEvent(new Event('list'));
  }

  #change({ name, state, text }) {
    this.dispatchEvent(new CustomEvent('state', { detail: { name, state, text } }));
  }

  #listen() {
    if (this.#source || this.#isStopped || !this.#mayListen) return;
    const source = new EventSource(at('api/v1/events'));
    this.#source = source;
    source.addEventListener('stream', ({ data }) => this.#take(JSON.parse(data)));
    // Some are missing.
    source.addEventListener('gap', () => this.refresh());
    source.onerror = () => {
      // It tries again by itself, unless the relay has refused it.
      if (source.readyState !== EventSource.CLOSED || this.#source !== source) return;
      this.#source = null;
      setTimeout(() => this.#listen(), 15_000 * (0.5 + Math.random()));
    };
  }

  #take(event) {
    this.#events.unshift(event);
    this.#events.splice(EVENTS);
    const stream = this.byName.get(event.stream);
    if (event.change === 'state' && stream) {
      const isOther = stream.state !== event.state;
      Object.assign(stream, { state: event.state, toldAt: performance.now() });
      if (stream.mayControl) stream.text = event.text;
      if (isOther) this.#change(stream);
    } else if (!UNLISTED.includes(event.change)) {
      this.refresh();
    }
    this.dispatchEvent(new CustomEvent('told', { detail: event }));
  }
}
