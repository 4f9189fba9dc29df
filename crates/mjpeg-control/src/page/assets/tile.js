// A tile of the wall: a camera's picture, and what is known of it.

import { h, say } from './dom.js';
import * as format from './format.js';

/// Older than this, a picture is shown faint.
const OLD_MS = 5000;

export class Tile {
  constructor(name, { open, key, drop }) {
    this.name = name;
    this.picture = h('img', { class: 'picture', alt: '', draggable: 'false' });
    this.title = h('h2', { class: 'name' }, name);
    this.state = h('span', { class: 'state' });
    this.figures = h('p', { class: 'figures' });
    this.button = h(
      'button',
      { type: 'button', class: 'open', onclick: () => open(name), onkeydown: (e) => key(this, e) },
      this.picture,
    );
    this.element = h(
      'li',
      { class: 'tile', 'data-stream': name, 'data-age-ms': '', 'data-frames': 0, draggable: 'true' },
      this.button,
      h('div', { class: 'bar' }, h('p', { class: 'line' }, this.title, this.state), this.figures),
    );
    this.element.addEventListener('dragstart', ({ dataTransfer }) => {
      dataTransfer.setData('text/plain', name);
      dataTransfer.effectAllowed = 'move';
    });
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      drop(event.dataTransfer.getData('text/plain'), name);
    });
    this.box = { key: name, stream: name, element: this.picture, canShrink: true };
    this.refused = '';
  }

  /// Shows what the relay says of the stream.
  show(stream) {
    this.stream = stream;
    const { state, fps, kbits, viewers } = stream;
    this.element.dataset.state = state;
    this.box.canPoll = state === 'online';
    say(this.state, state);
    const isWell = state === 'online' && !this.refused;
    const words = this.refused || stream.text || state;
    this.words = isWell
      ? [format.fps(fps), format.rate(kbits), format.watching(viewers)].join(' · ')
      : words;
    this.element.classList.toggle('bad', !isWell);
    this.button.setAttribute('aria-label', `Open ${this.name}: ${words}`);
    this.tick(this.ms ?? NaN);
  }

  /// A picture has been painted.
  frame(box) {
    this.element.dataset.frames = box.frames;
  }

  /// Shows how old the picture is.
  tick(ms) {
    this.ms = ms;
    this.element.dataset.ageMs = Number.isFinite(ms) ? Math.round(ms) : '';
    const isPaced = this.box.fps && this.box.fps < 1;
    const isOld = ms > (isPaced ? OLD_MS + 2000 / this.box.fps : OLD_MS);
    // A placeholder says itself since when.
    this.element.classList.toggle('old', isOld && !this.box.isPlaceholder);
    const isWell = this.stream?.state === 'online' && !this.refused;
    say(this.figures, isWell && Number.isFinite(ms) ? `${format.age(ms)} · ${this.words}` : this.words);
    this.figures.title = isWell ? 'Age of the picture · rate · bandwidth · viewers' : this.words;
  }
}
