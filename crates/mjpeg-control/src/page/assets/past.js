// The past of a camera: a bar to go back in time, and clips to download. Times are told to the relay
// as so long ago, because the clock of this machine may differ from its.

import { api, ApiError, at } from './api.js';
import { h, say } from './dom.js';
import { once } from './fields.js';
import * as format from './format.js';
import { Painter } from './painter.js';

const LENGTHS = [['10', '10 s'], ['30', '30 s'], ['60', '1 min'], ['300', '5 min'], ['3600', '1 h']];
const FORMATS = [['mov', 'MOV'], ['avi', 'AVI'], ['zip', 'JPEGs in a ZIP']];

export class Past {
  #name;
  #path;
  #painter;
  #span = 0;
  /// When what is shown was captured, by this page's clock; `null` for what is live.
  #time = null;
  #isLoading = false;
  #isPlaying = false;
  #number = 0;

  constructor(name) {
    this.#name = name;
    this.#path = encodeURIComponent(name);
    const options = (list, chosen) =>
      list.map(([value, text]) => h('option', { value, selected: value === chosen }, text));
    this.picture = h('img', { class: 'picture', alt: `Past picture of ${name}` });
    this.#painter = new Painter(this.picture);
    this.layer = h('div', { class: 'past', hidden: true }, this.picture);
    this.range = h('input', {
      type: 'range',
      id: 'past-time',
      min: '-1',
      max: '0',
      step: '0.1',
      value: '0',
      oninput: () => this.#goTo(Number(this.range.value)),
    });
    this.clock = h('output', { class: 'clock', for: 'past-time' }, 'Live');
    this.play = h('button', { type: 'button', onclick: () => this.#playFrom() }, 'Play from here');
    this.live = h('button', { type: 'button', onclick: () => this.#goLive() }, 'Live');
    this.length = h('select', { id: 'clip-length' }, options(LENGTHS, '30'));
    this.format = h('select', { 'aria-label': 'Format of the clip' }, options(FORMATS, 'mov'));
    this.download = h('button', { type: 'button', onclick: () => this.#downloadClip() }, 'Download clip');
    const keep = () => this.#keepClip();
    const button = h('button', { type: 'button', onclick: keep }, 'Keep on the relay');
    this.keeping = h('span', { hidden: true }, button);
    this.kept = h('p', { class: 'hint', role: 'status' });
    this.problem = h('p', { class: 'problem', role: 'alert' });
    this.element = h(
      'section',
      { class: 'replay', hidden: true, 'aria-label': 'Past' },
      h(
        'p',
        { class: 'line' },
        h('label', { for: 'past-time', class: 'sr' }, 'Time'),
        this.range,
        this.clock,
      ),
      h(
        'p',
        { class: 'actions' },
        this.live,
        this.play,
        h('label', { for: 'clip-length' }, 'The last'),
        this.length,
        this.format,
        this.download,
        this.keeping,
      ),
      this.kept,
      this.problem,
    );
    this.#show();
  }

  /// The stream keeps pictures that are so many seconds old; `null` if it keeps none. Whether this
  /// person may keep a clip on the relay's disk.
  list(span, mayKeep) {
    this.#span = span ?? 0;
    this.keeping.hidden = !mayKeep;
    this.element.hidden = !this.#span;
    this.range.min = String(-Math.max(this.#span, 1));
    if (!this.#span) return this.#goLive();
    if (this.#time === null) return;
    // What is shown grows older.
    if (!this.#isPlaying) this.range.value = String(-this.#ago());
    this.#show();
  }

  close() {
    this.#goLive();
  }

  /// How long ago, in seconds.
  #ago() {
    return this.#time === null ? 0 : Math.max(0, (Date.now() - this.#time) / 1000);
  }

  #goLive() {
    this.#number++;
    this.#time = null;
    this.#stop();
    this.layer.hidden = true;
    this.range.value = '0';
    this.#show();
  }

  #goTo(seconds) {
    if (seconds > -0.5) return this.#goLive();
    this.#stop();
    this.#time = Date.now() + seconds * 1000;
    this.#show();
    this.#load();
  }

  /// Loads the picture of the chosen time: one at a time, as the bar may be moved faster.
  async #load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      let shown = null;
      while (this.#time !== null && shown !== this.#time && !this.#isPlaying) {
        shown = this.#time;
        await this.#paint(++this.#number);
      }
    } finally {
      this.#isLoading = false;
    }
  }

  async #paint(number) {
    const query = `at=-${this.#ago().toFixed(3)}`;
    let text = '';
    try {
      const response = await fetch(at(`${this.#path}/snapshot?${query}`), { cache: 'no-store' });
      if (!response.ok) throw new Error(await response.text());
      const bytes = await response.arrayBuffer();
      if (number !== this.#number) return;
      this.layer.hidden = false;
      await this.#painter.paint(bytes);
      const captured = Number(response.headers.get('X-Timestamp')) * 1000;
      this.layer.dataset.captured = String(captured);
    } catch (error) {
      text = error.message.trim();
    }
    if (number === this.#number) this.#show(text);
  }

  #playFrom() {
    const ago = this.#time === null ? Math.min(this.#span, 30) : this.#ago();
    this.#number++;
    this.#isPlaying = true;
    this.#time ??= Date.now() - ago * 1000;
    this.#painter.clear();
    this.picture.src = at(`${this.#path}/stream?from=-${ago.toFixed(3)}`);
    this.layer.hidden = false;
    this.range.value = String(-ago);
    this.#show();
  }

  #stop() {
    if (!this.#isPlaying) return;
    this.#isPlaying = false;
    // Ends the response.
    this.picture.removeAttribute('src');
  }

  /// A browser saves what it is sent as a file; this page stays.
  #downloadClip() {
    const { from, to } = this.#clip();
    const query = `from=${from}&to=${to}`;
    const href = at(`${this.#path}/clip.${this.format.value}?${query}`);
    const link = h('a', { href, download: '' });
    this.element.append(link);
    link.click();
    link.remove();
  }

  /// The same clip stays on the relay.
  async #keepClip() {
    say(this.problem, '');
    say(this.kept, 'Being kept…');
    const clip = { stream: this.#name, ...this.#clip() };
    try {
      const { frames, bytes } = await once(this.keeping, () => api('POST', 'clips', clip));
      const size = `${frames} pictures, ${format.bytes(bytes)}`;
      say(this.kept, `The clip is kept on the relay: ${size}. It is below “Time-lapses”.`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(this.kept, '');
      say(this.problem, error.text);
    }
  }

  /// From when until when a clip is to be.
  #clip() {
    const end = this.#isPlaying ? 0 : this.#ago();
    const begin = end + Number(this.length.value);
    return { from: `-${begin.toFixed(3)}`, to: end ? `-${end.toFixed(3)}` : 'now' };
  }

  #show(problem = '') {
    const isLive = this.#time === null;
    this.live.disabled = isLive;
    const ago = this.#ago();
    // Playing, what is shown stays as old.
    const when = isLive ? 'Live' : `${format.clock(this.#time)} · ${format.age(ago * 1000)} ago`;
    say(this.clock, problem || (this.#isPlaying ? `Playing from ${format.clock(this.#time)}` : when));
  }
}
