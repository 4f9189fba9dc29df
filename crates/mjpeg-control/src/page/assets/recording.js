// A time-lapse or a clip, in the list of them.

import { api, at } from './api.js';
import { h, say } from './dom.js';
import * as format from './format.js';

const MOVIES = [
  ['mov', 'MOV'],
  ['avi', 'AVI'],
  ['zip', 'ZIP'],
];
const ENDED = {
  finished: 'finished',
  until: 'its time is over',
  max_frames: 'it has all its frames',
};

export class Recording {
  #path;
  #dialog;
  #heading;
  #isClip;
  #info = null;

  /// What is asked of it happens below `kind`; the heading gets the focus when it is deleted.
  constructor(kind, id, dialog, heading) {
    this.#path = `${kind}/${encodeURIComponent(id)}`;
    this.#isClip = kind === 'clips';
    this.#dialog = dialog;
    this.#heading = heading;
    this.picture = h('img', { alt: '', loading: 'lazy', hidden: true });
    this.whole = h('a', { class: 'shot', target: '_blank' }, this.picture);
    this.picture.addEventListener('error', () => (this.picture.hidden = true));
    this.name = h('h4', {});
    this.about = h('p', { class: 'faint' });
    this.progress = h('progress', { hidden: true, 'aria-label': 'Frames kept' });
    this.figures = h('p', { class: 'figures' });
    this.trouble = h('p', { class: 'problem', role: 'alert' });
    this.shoot = this.#button('Take a picture now', () => this.#takePicture());
    this.finish = this.#button('Finish', () => this.#finish());
    this.remove = this.#button('Delete', () => this.#delete());
    this.remove.classList.add('danger');
    this.movies = MOVIES.map(([ending, text]) => {
      const href = at(`api/v1/${this.#path}/movie.${ending}`);
      return h('a', { class: 'button', href, download: '', 'data-format': text }, text);
    });
    this.download = h('span', { class: 'actions' }, h('span', { class: 'faint' }, 'Download'), this.movies);
    this.element = h(
      'li',
      { 'data-id': id },
      this.whole,
      h(
        'div',
        { class: 'about' },
        this.name,
        this.about,
        this.progress,
        this.figures,
        this.trouble,
      ),
      h('p', { class: 'actions' }, this.shoot, this.finish, this.download, this.remove),
    );
  }

  #button(text, act) {
    return h('button', { type: 'button', onclick: act }, text);
  }

  show(info) {
    const key = JSON.stringify(info);
    // Only the age of the last frame is another one.
    const isSame = key === this.key;
    this.key = key;
    this.#info = info;
    const may = this.#dialog.may(info.stream);
    this.shoot.hidden = this.finish.hidden = !may || info.state !== 'running';
    this.remove.hidden = !may;
    say(this.figures, this.#isClip ? clipFigures(info) : figures(info));
    if (isSame) return;
    this.element.dataset.state = info.state;
    const label = this.label;
    say(this.name, label);
    say(this.about, this.#isClip ? clipText(info) : lapseText(info));
    this.progress.hidden = !info.max_frames;
    if (info.max_frames) Object.assign(this.progress, { max: info.max_frames, value: info.frames });
    say(this.trouble, problemText(info));
    this.download.hidden = !info.frames;
    for (const link of this.movies) {
      link.setAttribute('aria-label', `Download ${label} as ${link.dataset.format}`);
    }
    for (const button of [this.shoot, this.finish, this.remove]) {
      button.setAttribute('aria-label', `${button.textContent}: ${label}`);
    }
    this.#showPicture(info, label);
  }

  get label() {
    return this.#info.title || this.#info.stream;
  }

  /// The last frame. Its number is in the address, because browsers keep pictures by that.
  #showPicture({ frames }, label) {
    if (!frames) return;
    const href = at(`api/v1/${this.#path}/picture.jpg?number=${frames - 1}`);
    this.picture.alt = `Last picture of ${label}, to open whole`;
    if (this.whole.href === href) return;
    this.whole.href = this.picture.src = href;
    this.picture.hidden = false;
  }

  #takePicture() {
    const path = `${this.#path}/frame`;
    const done = `${this.label}: the picture is kept.`;
    return this.#dialog.change(this.element, () => api('POST', path), done);
  }

  async #finish() {
    const path = `${this.#path}/finish`;
    const done = `${this.label} is finished.`;
    const isDone = await this.#dialog.change(this.element, () => api('POST', path), done);
    if (isDone) this.#heading.focus();
  }

  async #delete() {
    const isRunning = this.#info.state === 'running' ? ' It is still running.' : '';
    if (!confirm(`Delete ${this.label} with its ${counted(this.#info.frames)}?${isRunning}`)) return;
    const done = `${this.label} is deleted.`;
    const isDone = await this.#dialog.change(this.element, () => api('DELETE', this.#path), done);
    if (isDone) this.#heading.focus();
  }
}

function lapseText({ stream, title, state, reason, every_s: every, until, created, ended }) {
  const why = ENDED[reason] ?? reason;
  const ending = `ended ${format.when(ended)}${why ? `: ${why}` : ''}`;
  return [
    title && stream,
    every === null ? 'pictures when asked' : `a picture every ${format.span(every)}`,
    state === 'running' ? 'running' : ending,
    state === 'running' && until && `until ${format.when(until)}`,
    state === 'running' && `since ${format.when(created)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

const clipText = ({ stream, title, created }) =>
  [title && stream, `kept ${format.when(created)}`].filter(Boolean).join(' · ');

const counted = (frames) => (frames === 1 ? '1 frame' : `${frames} frames`);

function figures({ frames, max_frames: most, bytes, last, state }) {
  const age = last && state === 'running' && `last ${format.age(Math.max(0, Date.now() - new Date(last)))} ago`;
  const count = most ? `${frames} of ${counted(most)}` : counted(frames);
  return [count, format.bytes(bytes), age].filter(Boolean).join(' · ');
}

const clipFigures = ({ frames, bytes }) => `${counted(frames)} · ${format.bytes(bytes)}`;

function problemText({ problem, refused }) {
  if (!problem) return '';
  const count = refused > 1 ? ` (${refused} pictures so far)` : '';
  return `The last picture could not be kept: ${problem}${count}`;
}
