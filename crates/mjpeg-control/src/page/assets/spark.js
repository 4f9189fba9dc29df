// Small graphs of the last minutes.

import { h, say } from './dom.js';

const NS = 'http://www.w3.org/2000/svg';
const WIDTH = 240;
const HEIGHT = 48;

export class Spark {
  #line = document.createElementNS(NS, 'polyline');
  #now = h('strong', {});
  #range = h('span', { class: 'faint' });
  #svg = document.createElementNS(NS, 'svg');
  #name;
  #format;

  constructor(name, format) {
    this.#name = name;
    this.#format = format;
    this.#svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.#svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg.setAttribute('role', 'img');
    this.#svg.append(this.#line);
    this.element = h(
      'figure',
      { class: 'spark' },
      h('figcaption', {}, `${name} `, this.#now, ' ', this.#range),
      this.#svg,
    );
  }

  /// Shows these values, the latest last; those that are not known leave no mark.
  show(values) {
    const known = values.map((value, at) => [at, value]).filter(([, v]) => Number.isFinite(v));
    const numbers = known.map(([, value]) => value);
    const most = Math.max(...numbers, 1e-9);
    const step = WIDTH / Math.max(1, values.length - 1);
    const y = (value) => HEIGHT - 2 - (value / most) * (HEIGHT - 4);
    const points = known.map(([at, value]) => `${(at * step).toFixed(1)},${y(value).toFixed(1)}`);
    this.#line.setAttribute('points', points.join(' '));
    const last = values.length ? this.#format(values.at(-1)) : '–';
    const least = numbers.length ? this.#format(Math.min(...numbers)) : '';
    const range = numbers.length > 1 ? `${least} to ${this.#format(most)}` : '';
    say(this.#now, last);
    say(this.#range, range);
    const label = `${this.#name} over the last minutes: now ${last}${range && `, ${range}`}`;
    this.#svg.setAttribute('aria-label', label);
  }
}
